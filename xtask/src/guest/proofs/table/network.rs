//! Interfaces and their network: ioctls, files and netlink requests.

use super::prelude::*;

const ADMIN: &str = "NET_ADMIN";
const INET: i32 = libc::AF_INET;
const INET6: i32 = libc::AF_INET6;

/// A message of NETLINK_ROUTE.
fn route(kind: u16, flags: i32, body: &[u8]) -> Answer {
    netlink(0, kind, flags, body)
}

/// struct ifinfomsg of this interface
fn link(index: i32) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes
}

/// A bridge of its own network.
fn bridge(_: &Scene) -> Staged {
    call!(SYS_unshare, libc::CLONE_NEWNET)?;
    let mut body = link(0);
    body.extend(attribute(3, b"proof\0"));
    // IFLA_LINKINFO with IFLA_INFO_KIND
    body.extend(attribute(18, &attribute(1, b"bridge\0")));
    route(16, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &body)?;
    remount_sysfs()
}

/// sysfs shows the interfaces of the network namespace in which it was mounted.
fn remount_sysfs() -> Staged {
    number(call!(SYS_mount, c"sysfs", c"/sys", c"sysfs", 0, 0)?)
}

fn network(scene: &Scene) -> Staged {
    new_network(scene)?;
    remount_sysfs()
}

/// BRCTL_* by SIOCDEVPRIVATE of the bridge
fn of_bridge(command: u64) -> Answer {
    let arguments = [command, 100, 0, 0];
    let place = std::ptr::from_ref(&arguments).expose_provenance() as u64;
    interface(INET, 0x89f0, "proof", &place.to_ne_bytes())
}

/// SIOCETHTOOL with this command
fn ethtool(command: u32) -> Answer {
    let mut value = [0_u32; 64];
    value[0] = command;
    let place = std::ptr::from_mut(&mut value).expose_provenance() as u64;
    interface(INET, 0x8946, "lo", &place.to_ne_bytes())
}

fn of_lo(file: &str, text: &str) -> Answer {
    let path = std::ffi::CString::new(format!("/sys/class/net/lo/{file}")).unwrap_or_default();
    write(&path, text)
}

/// A command of generic netlink, to the family of this name.
fn generic(name: &[u8], command: u8) -> Answer {
    const GENERIC: i32 = 16;
    let socket = socket(libc::AF_NETLINK, libc::SOCK_RAW, GENERIC)?;
    // CTRL_CMD_GETFAMILY with CTRL_ATTR_FAMILY_NAME; the answer has CTRL_ATTR_FAMILY_ID.
    let mut request = vec![3, 1, 0, 0];
    request.extend(attribute(2, name));
    let answer = request_by(socket, 16, 0, &request)?;
    let family = attributes(answer.get(20..).unwrap_or_default()).find(|(kind, _)| *kind == 1);
    let (_, family) = family.ok_or(libc::ENOENT)?;
    let family = u16::from_ne_bytes([family[0], family[1]]);
    netlink(GENERIC, family, 0, &[command, 1, 0, 0])
}

/// Sites of the ioctls of a bridge: their names up to 5.10, and since.
macro_rules! bridge {
    ($($label:literal: $command:expr;)*) => {
        &[$(
            proof(
                concat!("br_dev_siocdevprivate@", $label, " or old_dev_ioctl@", $label),
                ADMIN,
                |_| of_bridge($command),
            )
            .staged(bridge),
        )*]
    };
}

/// Proofs about bridges.
pub const BRIDGES: &[Proof] = bridge! {
    "BRCTL_SET_BRIDGE_FORWARD_DELAY": 8;
    "BRCTL_SET_BRIDGE_HELLO_TIME": 9;
    "BRCTL_SET_BRIDGE_MAX_AGE": 10;
    "BRCTL_SET_AGEING_TIME": 11;
    "BRCTL_SET_BRIDGE_STP_STATE": 14;
    "BRCTL_SET_BRIDGE_PRIORITY": 15;
    "BRCTL_SET_PORT_PRIORITY": 16;
    "BRCTL_SET_PATH_COST": 17;
};

/// Proofs about the rest.
pub const PROOFS: &[Proof] = &[
    // SIOCSIFNAME, SIOCSIFMTU, SIOCSIFTXQLEN
    proof("dev_ioctl@SIOCGMIIPHY", ADMIN, |_| {
        interface(INET, 0x8923, "lo", b"lo")
    })
    .staged(network),
    proof("dev_ioctl@SIOCSIFFLAGS", ADMIN, |_| {
        interface(INET, 0x8922, "lo", &1500_u32.to_ne_bytes())
    })
    .staged(network),
    proof("dev_ioctl@SIOCSIFMAP", ADMIN, |_| {
        interface(INET, 0x8943, "lo", &1000_u32.to_ne_bytes())
    })
    .staged(network),
    // SIOCSIFFLAGS and SIOCSIFADDR of an IPv4 socket, and the same of IPv6
    proof("devinet_ioctl@SIOCSIFFLAGS", ADMIN, |_| {
        interface(INET, 0x8914, "lo", &[1, 0])
    })
    .staged(network),
    proof("devinet_ioctl@SIOCSIFADDR", ADMIN, |_| {
        interface(INET, 0x8916, "lo", &[2, 0, 0, 0, 127, 0, 0, 2])
    })
    .staged(network),
    proof("addrconf_add_ifaddr", ADMIN, |_| {
        interface(INET6, 0x8916, "", &[])
    })
    .staged(network),
    proof("addrconf_del_ifaddr", ADMIN, |_| {
        interface(INET6, 0x8936, "", &[])
    })
    .staged(network),
    proof("arp_ioctl@SIOCDARP", ADMIN, |_| {
        interface(INET, 0x8955, "", &[])
    })
    .staged(network),
    // SIOCADDRT
    proof("ip_rt_ioctl@SIOCADDRT", ADMIN, |_| {
        ioctl(socket(INET, 2, 0)?, 0x890b, [0_u64; 15])
    })
    .staged(network),
    proof("ipv6_route_ioctl", ADMIN, |_| {
        ioctl(socket(INET6, 2, 0)?, 0x890b, [0_u64; 15])
    })
    .staged(network),
    // ETHTOOL_SSET
    proof(
        "__dev_ethtool@default or dev_ethtool@default or dev_ethtool_locked@default",
        ADMIN,
        |_| ethtool(2),
    )
    .staged(network),
    // SIOCBRADDBR, SIOCBRADDIF, and BRCTL_ADD_BRIDGE by SIOCSIFBR
    proof(
        "br_ioctl_stub@SIOCBRADDBR or br_ioctl_deviceless_stub@SIOCBRADDBR",
        ADMIN,
        |_| ioctl(socket(INET, 2, 0)?, 0x89a0, *b"other\0\0\0\0\0\0\0\0\0\0\0"),
    )
    .staged(bridge),
    proof("br_ioctl_stub", ADMIN, |_| {
        interface(INET, 0x89a2, "proof", &1_u32.to_ne_bytes())
    })
    .staged(bridge),
    proof("old_deviceless@BRCTL_ADD_BRIDGE", ADMIN, |_| {
        let place = std::ptr::from_ref(c"other")
            .cast::<u8>()
            .expose_provenance() as u64;
        ioctl(socket(INET, 2, 0)?, 0x8941, [2, place, 0])
    })
    .staged(bridge),
    proof("store_bridge_parm", ADMIN, |_| {
        write(c"/sys/class/net/proof/bridge/hello_time", "200")
    })
    .staged(bridge),
    proof("group_addr_store", ADMIN, |_| {
        write(
            c"/sys/class/net/proof/bridge/group_addr",
            "01:80:c2:00:00:04",
        )
    })
    .staged(bridge),
    proof("netdev_store", ADMIN, |_| of_lo("mtu", "1500")).staged(network),
    proof("tx_queue_len_store", ADMIN, |_| {
        of_lo("tx_queue_len", "1000")
    })
    .staged(network),
    proof("gro_flush_timeout_store", ADMIN, |_| {
        of_lo("gro_flush_timeout", "0")
    })
    .staged(network),
    proof("napi_defer_hard_irqs_store", ADMIN, |_| {
        of_lo("napi_defer_hard_irqs", "0")
    })
    .staged(network),
    proof("ifalias_store", ADMIN, |_| of_lo("ifalias", "proof")).staged(network),
    proof("store_rps_map", ADMIN, |_| {
        of_lo("queues/rx-0/rps_cpus", "1")
    })
    .staged(network),
    proof("store_rps_dev_flow_table_cnt", ADMIN, |_| {
        of_lo("queues/rx-0/rps_flow_cnt", "0")
    })
    .staged(network),
    proof("tx_maxrate_store", ADMIN, |_| {
        of_lo("queues/tx-0/tx_maxrate", "0")
    })
    .staged(network),
    // RTM_NEWADDR of nothing
    proof("rtnetlink_rcv_msg", ADMIN, |_| route(20, 0, &[0; 8])).staged(network),
    proof("nfnetlink_rcv", ADMIN, |_| netlink(12, 0xa10, 0, &[0; 4])).staged(network),
    proof("uevent_net_rcv_skb", "SYS_ADMIN", |_| {
        netlink(15, 16, 0, b"add@/proof\0\0")
    })
    .staged(network),
    // RTM_NEWACTION
    proof("tc_ctl_action", ADMIN, |_| route(48, 0, &[0; 4])).in_user_namespace(),
    // ETHTOOL_MSG_LINKINFO_SET and TASKSTATS_CMD_GET
    proof("genl_family_rcv_msg via netlink_ns_capable", ADMIN, |_| {
        generic(b"ethtool\0", 3)
    })
    .staged(network),
    proof("genl_family_rcv_msg via netlink_capable", ADMIN, |_| {
        generic(b"TASKSTATS\0", 1)
    }),
    proof("tun_set_iff via ns_capable", ADMIN, |tun| {
        interface_of(tun, 0x4004_54ca, 1)
    })
    .staged(tun),
    // IFF_TAP | IFF_NAPI | IFF_NAPI_FRAGS
    proof("tun_set_iff via capable", ADMIN, |tun| {
        interface_of(tun, 0x4004_54ca, 0x32)
    })
    .staged(tun)
    .in_user_namespace(),
    // SIOCGSKNS and TUNGETDEVNETNS
    proof("__tun_chr_ioctl", ADMIN, |tun| ioctl(tun, 0x894c, 0)).staged(tun),
    proof("__tun_chr_ioctl@TUNGETDEVNETNS", ADMIN, |tun| {
        ioctl(tun, 0x54e3, 0)
    })
    .staged(|scene| {
        let tun = tun(scene)?;
        interface_of(tun, 0x4004_54ca, 1)?;
        Ok(tun)
    }),
];

fn tun(scene: &Scene) -> Staged {
    new_network(scene)?;
    open(c"/dev/net/tun", libc::O_RDWR)
}

/// TUNSETIFF with these flags.
fn interface_of(tun: i32, request: u64, flags: u16) -> Answer {
    let mut argument = [0_u8; 40];
    argument[..4].copy_from_slice(b"tap0");
    argument[16..18].copy_from_slice(&flags.to_ne_bytes());
    ioctl(tun, request, argument)
}
