//! Sockets: making and binding them, their options and what is sent by them.

use super::prelude::*;

const ADMIN: &str = "NET_ADMIN";
const RAW: &str = "NET_RAW";

fn udp(_: &Scene) -> Staged {
    socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
}

fn tcp(_: &Scene) -> Staged {
    socket(libc::AF_INET, libc::SOCK_STREAM, 0)
}

fn udp6(_: &Scene) -> Staged {
    socket(libc::AF_INET6, libc::SOCK_DGRAM, 0)
}

fn raw4(_: &Scene) -> Staged {
    socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)
}

/// A raw socket beside one that routes multicasts.
fn beside_router(domain: i32, protocol: i32, level: i32) -> Staged {
    call!(SYS_unshare, libc::CLONE_NEWNET)?;
    let router = socket(domain, libc::SOCK_RAW, protocol)?;
    // MRT_INIT and MRT6_INIT
    set_option(router, level, 200, 1)?;
    socket(domain, libc::SOCK_RAW, protocol)
}

fn of_socket<T>(socket: i32, name: i32, value: T) -> Answer {
    set_option(socket, libc::SOL_SOCKET, name, value)
}

/// Options of an IPv4 packet.
fn options(socket: i32, bytes: [u8; 12]) -> Answer {
    set_option(socket, libc::IPPROTO_IP, libc::IP_OPTIONS, bytes)
}

/// Binds to port 80 of any address.
fn bind_low(socket: i32, domain: i32) -> Answer {
    let mut address = [0_u8; 28];
    address[0] = domain.to_ne_bytes()[0];
    address[3] = 80;
    let length = if domain == libc::AF_INET { 16 } else { 28 };
    call!(SYS_bind, socket, &address[..], length)
}

fn netlink_socket(protocol: i32) -> Staged {
    socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)
}

/// struct sockaddr_nl: this port and these groups
fn to(port: u32, groups: u32) -> [u32; 3] {
    [16, port, groups]
}

/// Sends with one control message of eight bytes at most.
fn send_with(socket: i32, level: u32, kind: u32, value: [u32; 2]) -> Answer {
    let address = [2_u8, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let control = [
        if level == 1 { 20_u32 } else { 24 },
        0,
        level,
        kind,
        value[0],
        value[1],
    ];
    let mut byte = 0_u8;
    let vector = [std::ptr::from_mut(&mut byte).expose_provenance(), 1];
    let message = [
        std::ptr::from_ref(&address).expose_provenance(),
        address.len(),
        std::ptr::from_ref(&vector).expose_provenance(),
        1,
        std::ptr::from_ref(&control).expose_provenance(),
        size_of_val(&control),
        0,
    ];
    call!(SYS_sendmsg, socket, Argument::read(&message), 0)
}

/// Mark, as a control message: SO_MARK.
fn send_marked(socket: i32) -> Answer {
    send_with(socket, 1, 36, [1, 0])
}

/// Proofs about sockets.
pub const PROOFS: &[Proof] = &[
    proof("inet_create", RAW, |_| {
        call!(
            SYS_socket,
            libc::AF_INET,
            libc::SOCK_RAW,
            libc::IPPROTO_ICMP
        )
    }),
    proof("inet6_create", RAW, |_| {
        call!(
            SYS_socket,
            libc::AF_INET6,
            libc::SOCK_RAW,
            libc::IPPROTO_ICMPV6
        )
    }),
    proof("packet_create", RAW, |_| {
        call!(SYS_socket, libc::AF_PACKET, libc::SOCK_RAW, 0)
    }),
    proof("__inet_bind", "NET_BIND_SERVICE", |socket| {
        bind_low(socket, libc::AF_INET)
    })
    .staged(tcp),
    proof("__inet6_bind", "NET_BIND_SERVICE", |socket| {
        bind_low(socket, libc::AF_INET6)
    })
    .staged(udp6),
    proof(
        "sk_setsockopt@SO_DEBUG or sock_setsockopt@SO_DEBUG",
        ADMIN,
        |it| of_socket(it, libc::SO_DEBUG, 1),
    )
    .staged(udp),
    proof(
        "sk_setsockopt@SO_SNDBUFFORCE or sock_setsockopt@SO_SNDBUFFORCE",
        ADMIN,
        |it| of_socket(it, libc::SO_SNDBUFFORCE, 1 << 20),
    )
    .staged(udp),
    proof(
        "sk_setsockopt@SO_RCVBUFFORCE or sock_setsockopt@SO_RCVBUFFORCE",
        ADMIN,
        |it| of_socket(it, libc::SO_RCVBUFFORCE, 1 << 20),
    )
    .staged(udp),
    proof(
        "sk_setsockopt@SO_MARK or sock_setsockopt@SO_MARK",
        ADMIN,
        |it| of_socket(it, libc::SO_MARK, 1),
    )
    .staged(udp),
    proof("sk_setsockopt@SO_MARK", RAW, |it| {
        of_socket(it, libc::SO_MARK, 1)
    })
    .staged(udp),
    proof(
        "sk_setsockopt@SO_PRIORITY or sock_setsockopt@SO_PRIORITY",
        ADMIN,
        |it| of_socket(it, libc::SO_PRIORITY, 7),
    )
    .staged(udp),
    proof("sk_setsockopt@SO_PRIORITY", RAW, |it| {
        of_socket(it, libc::SO_PRIORITY, 7)
    })
    .staged(udp),
    proof("sk_setsockopt@SO_PRIORITY", "NET_RAW/NET_ADMIN", |it| {
        of_socket(it, libc::SO_PRIORITY, 7)
    })
    .staged(udp),
    proof(
        "sk_setsockopt@SO_BUSY_POLL or sock_setsockopt@SO_BUSY_POLL",
        ADMIN,
        |it| of_socket(it, libc::SO_BUSY_POLL, 1000),
    )
    .staged(udp),
    // SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET, and SO_TXTIME with CLOCK_REALTIME
    proof("sk_setsockopt@SO_PREFER_BUSY_POLL", ADMIN, |it| {
        of_socket(it, 69, 1)
    })
    .staged(udp),
    proof("sk_setsockopt@SO_BUSY_POLL_BUDGET", ADMIN, |it| {
        of_socket(it, 70, 1000)
    })
    .staged(udp),
    proof(
        "sk_setsockopt@SO_TXTIME or sock_setsockopt@SO_TXTIME",
        ADMIN,
        |it| of_socket(it, 61, [0, 0]),
    )
    .staged(udp),
    proof("sock_bindtoindex_locked", RAW, |it| {
        of_socket(it, libc::SO_BINDTODEVICE, *b"\0\0\0\0")
    })
    .staged(|_| {
        let socket = socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
        of_socket(socket, libc::SO_BINDTODEVICE, *b"lo\0\0")?;
        Ok(socket)
    }),
    proof("__sock_cmsg_send@SO_MARK", ADMIN, send_marked)
        .staged(udp)
        .fails(libc::EPERM),
    proof("__sock_cmsg_send@SO_MARK", RAW, send_marked)
        .staged(udp)
        .fails(libc::EPERM),
    // SO_PRIORITY as a control message
    proof("__sock_cmsg_send@SO_PRIORITY", "NET_RAW/NET_ADMIN", |it| {
        send_with(it, 1, 12, [7, 0])
    })
    .staged(udp),
    proof("sock_ioctl@SIOCGSKNS", ADMIN, |it| ioctl(it, 0x894c, 0)).staged(udp),
    // A loose source route, a security option and a timestamp of an unknown kind
    proof("ip_options_get", RAW, |it| {
        options(it, [0x83, 7, 4, 127, 0, 0, 1, 0, 0, 0, 0, 0])
    })
    .staged(udp),
    proof("__ip_options_compile@IPOPT_SEC", RAW, |it| {
        options(it, [0x82, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    })
    .staged(udp),
    proof("__ip_options_compile@default", RAW, |it| {
        options(it, [0x44, 8, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0])
    })
    .staged(udp),
    proof("do_ip_setsockopt@IP_TRANSPARENT", ADMIN, |it| {
        set_option(it, 0, libc::IP_TRANSPARENT, 1)
    })
    .staged(udp),
    proof("do_ip_setsockopt@IP_TRANSPARENT", RAW, |it| {
        set_option(it, 0, libc::IP_TRANSPARENT, 1)
    })
    .staged(udp),
    // IP_XFRM_POLICY
    proof("do_ip_setsockopt@IP_IPSEC_POLICY", ADMIN, |it| {
        set_option(it, 0, 17, [0_u8; 8])
    })
    .staged(udp),
    proof("ip_mroute_setsockopt", ADMIN, |it| {
        set_option(it, 0, 202, [0_u64; 2])
    })
    .staged(|_| beside_router(libc::AF_INET, libc::IPPROTO_IGMP, 0)),
    proof("ip6_mroute_setsockopt", ADMIN, |it| {
        set_option(it, 41, 202, [0_u64; 2])
    })
    .staged(|_| beside_router(libc::AF_INET6, libc::IPPROTO_ICMPV6, 41)),
    // IPT_SO_SET_REPLACE and IPT_SO_GET_INFO
    proof("do_ipt_set_ctl", ADMIN, |it| {
        set_option(it, 0, 64, [0_u8; 96])
    })
    .staged(raw4),
    proof("do_ipt_get_ctl", ADMIN, |it| get_option(it, 0, 64)).staged(raw4),
    proof("do_ipv6_setsockopt@IPV6_TRANSPARENT", ADMIN, |it| {
        set_option(it, 41, 75, 1)
    })
    .staged(udp6),
    proof("do_ipv6_setsockopt@IPV6_TRANSPARENT", RAW, |it| {
        set_option(it, 41, 75, 1)
    })
    .staged(udp6),
    // IPV6_XFRM_POLICY, IPV6_HOPOPTS and IPV6_JOIN_ANYCAST
    proof("do_ipv6_setsockopt@IPV6_IPSEC_POLICY", ADMIN, |it| {
        set_option(it, 41, 35, [0_u8; 8])
    })
    .staged(udp6),
    proof("ipv6_set_opt_hdr", RAW, |it| {
        set_option(it, 41, 54, [0_u8; 8])
    })
    .staged(udp6),
    proof("ipv6_sock_ac_join", ADMIN, |it| {
        set_option(it, 41, 27, [0_u8; 20])
    })
    .staged(udp6),
    proof("do_tcp_setsockopt@TCP_REPAIR", ADMIN, |it| {
        set_option(it, 6, 19, 1)
    })
    .staged(tcp),
    // TCP_CONGESTION
    proof("do_tcp_setsockopt@TCP_CONGESTION", ADMIN, |it| {
        set_option(it, 6, 13, *b"reno\0\0\0\0")
    })
    .staged(tcp)
    .goes_on(),
    // NETLINK_NETFILTER
    proof("netlink_bind", ADMIN, |it| {
        call!(SYS_bind, it, Argument::read(&to(0, 1)), 12)
    })
    .staged(|_| netlink_socket(12)),
    proof("netlink_connect", ADMIN, |it| {
        call!(SYS_connect, it, Argument::read(&to(1, 0)), 12)
    })
    .staged(|_| netlink_socket(0)),
    proof("netlink_sendmsg", ADMIN, |it| {
        call!(
            SYS_sendto,
            it,
            &[0_u8; 16][..],
            16,
            0,
            Argument::read(&to(1, 0)),
            12
        )
    })
    .staged(|_| netlink_socket(0)),
    // NETLINK_ADD_MEMBERSHIP and NETLINK_LISTEN_ALL_NSID
    proof("netlink_setsockopt@NETLINK_ADD_MEMBERSHIP", ADMIN, |it| {
        set_option(it, 270, 1, 1)
    })
    .staged(|_| netlink_socket(12)),
    proof(
        "netlink_setsockopt@NETLINK_LISTEN_ALL_NSID",
        "NET_BROADCAST",
        |it| set_option(it, 270, 8, 1),
    )
    .staged(|_| netlink_socket(0)),
    // RTNLGRP_IPV4_MROUTE_R
    proof("rtnetlink_bind@RTNLGRP_IPV4_MROUTE_R", ADMIN, |it| {
        set_option(it, 270, 1, 30)
    })
    .staged(|_| netlink_socket(0)),
    proof("unix_open_file", ADMIN, |it| ioctl(it, 0x89e0, 0)).staged(|_| {
        let socket = socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0)?;
        let _ = call!(SYS_unlink, c"socket");
        call!(SYS_bind, socket, &b"\x01\x00socket\0"[..], 9)?;
        Ok(socket)
    }),
];
