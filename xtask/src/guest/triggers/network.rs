//! Sockets, ports, devices and netlink.

use crate::guest::capabilities::{
    AUDIT_CONTROL, AUDIT_READ, AUDIT_WRITE, NET_ADMIN, NET_BIND_SERVICE, NET_RAW,
};
use crate::guest::identity::{Identity, USER, become_user};
use crate::guest::scene::Scene;
use crate::guest::syscall::{Answer, Argument, call};
use crate::guest::trigger::Verdict::{Absent, Denied, Granted};
use crate::guest::trigger::{Trigger, Whose, check};

const NETLINK_CALLERS: &[&str] = &[
    "__netlink_ns_capable",
    "netlink_ns_capable",
    "netlink_capable",
    "netlink_net_capable",
    "rtnetlink_rcv_msg",
    "audit_netlink_ok",
    "audit_receive_msg",
];
const SOCKET_OPTION_CALLERS: &[&str] = &[
    "sockopt_ns_capable",
    "sockopt_capable",
    "sock_setsockopt",
    "sk_setsockopt",
];

/// Triggers about the network. The network namespace is the initial one, so root of a child user
/// namespace has no privileges over it.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "raw-socket",
        "opens a raw socket",
        &[check(NET_RAW, [Granted, Denied, Denied], &["inet_create"])],
        |_| {
            call!(
                SYS_socket,
                libc::AF_INET,
                libc::SOCK_RAW,
                libc::IPPROTO_ICMP
            )
        },
    ),
    Trigger::new(
        "packet-socket",
        "opens a packet socket",
        &[check(
            NET_RAW,
            [Granted, Denied, Denied],
            &["packet_create"],
        )],
        |_| call!(SYS_socket, libc::AF_PACKET, libc::SOCK_RAW, 0),
    ),
    Trigger::new(
        "low-port",
        "binds port 81",
        &[check(
            NET_BIND_SERVICE,
            [Granted, Denied, Denied],
            &["__inet_bind"],
        )],
        |given| {
            // struct sockaddr_in: AF_INET, port 81, any address
            let address = [2_u8, 0, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            call!(SYS_bind, given.prepared, &address[..], address.len())
        },
    )
    .staged(datagram_socket),
    Trigger::new(
        "device-mtu",
        "sets the loopback device's MTU",
        &[check(NET_ADMIN, [Granted, Denied, Denied], &["dev_ioctl"])],
        |given| {
            // struct ifreq: the name in 16 bytes, then the MTU
            let mut request = [0_u8; 40];
            request[..2].copy_from_slice(b"lo");
            request[16..20].copy_from_slice(&65536_u32.to_le_bytes());
            // include/uapi/linux/sockios.h, SIOCSIFMTU
            call!(
                SYS_ioctl,
                given.prepared,
                0x8922,
                Argument::write(&mut request)
            )
        },
    )
    .staged(datagram_socket),
    Trigger::new(
        "so-mark",
        "marks packets",
        &[
            // net/core/sock.c asks for the narrow one first since 5.17.
            check(NET_RAW, [Granted, Denied, Denied], SOCKET_OPTION_CALLERS).since(5, 17),
            check(NET_ADMIN, [Absent, Denied, Denied], SOCKET_OPTION_CALLERS).since(5, 17),
            check(NET_ADMIN, [Granted, Denied, Denied], SOCKET_OPTION_CALLERS).until(5, 17),
        ],
        |given| set_option(given.prepared, libc::SO_MARK),
    )
    .staged(datagram_socket),
    Trigger::new(
        "so-rcvbuf",
        "takes more buffer than the limit",
        &[check(
            NET_ADMIN,
            [Granted, Denied, Denied],
            SOCKET_OPTION_CALLERS,
        )],
        |given| set_option(given.prepared, libc::SO_RCVBUFFORCE),
    )
    .staged(datagram_socket),
    Trigger::new(
        "netlink-link",
        "changes nothing of the loopback device, by netlink",
        &[
            // The opener's credentials, then the sender's: net/netlink/af_netlink.c.
            check(NET_ADMIN, [Granted, Denied, Denied], NETLINK_CALLERS),
            check(NET_ADMIN, [Granted, Absent, Absent], NETLINK_CALLERS),
        ],
        |given| set_link(given.prepared),
    )
    .staged(|_| netlink(libc::NETLINK_ROUTE)),
    Trigger::new(
        "netlink-foreign",
        "sends through a netlink socket that root opened",
        &[
            check(NET_ADMIN, [Absent, Granted, Absent], NETLINK_CALLERS).with(Whose::Foreign),
            check(NET_ADMIN, [Absent, Denied, Absent], NETLINK_CALLERS),
        ],
        |given| set_link(given.prepared),
    )
    .staged_as_root(|_| netlink(libc::NETLINK_ROUTE))
    .only_as(&[Identity::User]),
    Trigger::new(
        "netlink-dropped",
        "sends through a netlink socket that it opened before it gave up root",
        &[
            check(NET_ADMIN, [Granted, Absent, Absent], NETLINK_CALLERS).with(Whose::Foreign),
            check(NET_ADMIN, [Denied, Absent, Absent], NETLINK_CALLERS),
        ],
        |given| set_link(given.prepared),
    )
    .staged(|_| {
        let socket = netlink(libc::NETLINK_ROUTE)?;
        become_user(USER)?;
        Ok(socket)
    })
    .real_user(USER)
    .real_group(USER)
    .only_as(&[Identity::Root]),
    Trigger::new(
        "audit-control",
        "asks for the state of auditing",
        &[check(
            AUDIT_CONTROL,
            [Granted, Denied, Absent],
            NETLINK_CALLERS,
        )],
        // include/uapi/linux/audit.h, AUDIT_GET
        |given| send_message(given.prepared, 1000, &[0; 16]),
    )
    .staged(|_| netlink(libc::NETLINK_AUDIT)),
    Trigger::new(
        "audit-write",
        "writes a message into the audit log",
        &[check(
            AUDIT_WRITE,
            [Granted, Denied, Absent],
            NETLINK_CALLERS,
        )],
        // include/uapi/linux/audit.h, AUDIT_USER
        |given| send_message(given.prepared, 1005, &[0; 16]),
    )
    .staged(|_| netlink(libc::NETLINK_AUDIT))
    .harmful(),
    Trigger::new(
        "audit-read",
        "listens to the audit log",
        &[check(
            AUDIT_READ,
            [Granted, Denied, Denied],
            &["audit_bind", "audit_multicast_bind", "netlink_bind"],
        )],
        |given| {
            // struct sockaddr_nl: AF_NETLINK, any port, group AUDIT_NLGRP_READLOG
            let address = [16_u8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
            call!(SYS_bind, given.prepared, &address[..], address.len())
        },
    )
    .staged(|_| netlink(libc::NETLINK_AUDIT)),
];

fn datagram_socket(_: &Scene) -> std::io::Result<i32> {
    socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
}

fn netlink(protocol: i32) -> std::io::Result<i32> {
    socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)
}

fn socket(family: i32, kind: i32, protocol: i32) -> std::io::Result<i32> {
    let socket =
        call!(SYS_socket, family, kind, protocol).map_err(std::io::Error::from_raw_os_error)?;
    i32::try_from(socket).map_err(std::io::Error::other)
}

fn set_option(socket: i32, option: i32) -> Answer {
    call!(
        SYS_setsockopt,
        socket,
        libc::SOL_SOCKET,
        option,
        Argument::read(&4096_u32),
        4,
    )
}

/// `RTM_SETLINK` of device 1, the loopback device, with nothing to set (struct ifinfomsg).
fn set_link(socket: i32) -> Answer {
    const RTM_SETLINK: u16 = 19;
    send_message(
        socket,
        RTM_SETLINK,
        &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    )
}

/// Sends one netlink message with 16 bytes of content (struct nlmsghdr, flag `NLM_F_REQUEST`).
fn send_message(socket: i32, kind: u16, content: &[u8; 16]) -> Answer {
    let mut message = [0_u8; 32];
    message[0..4].copy_from_slice(&32_u32.to_le_bytes());
    message[4..6].copy_from_slice(&kind.to_le_bytes());
    message[6..8].copy_from_slice(&1_u16.to_le_bytes());
    message[16..].copy_from_slice(content);
    call!(SYS_sendto, socket, &message[..], message.len(), 0, 0, 0)
}
