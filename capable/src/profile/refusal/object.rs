//! What a system call was about, in a few words.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{RefusedCall, words::shown};
use crate::atlas::Call;

/// What a call was about: `/etc/shadow`, `0.0.0.0:80`, `4711 (sshd) SIGTERM`, `SO_RCVBUFFORCE`;
/// empty if that is not known.
pub(super) fn of(call: &RefusedCall) -> String {
    let arguments = &call.arguments;
    let number = |argument: usize| (arguments[argument] as i32).to_string();
    match call.name {
        "bind" | "connect" => call.text.as_deref().and_then(address).unwrap_or_default(),
        "socket" | "socketpair" => socket(arguments),
        "setuid" | "setgid" | "setfsuid" | "setfsgid" => number(0),
        "setreuid" | "setregid" => format!("{} {}", number(0), number(1)),
        "setresuid" | "setresgid" => format!("{} {} {}", number(0), number(1), number(2)),
        "unshare" | "clone" | "setns" => {
            let flags = arguments[usize::from(call.name == "setns")];
            let named = namespaces(flags);
            if named.is_empty() { path(call) } else { named }
        }
        "setsockopt" | "prctl" | "ioctl" | "keyctl" | "bpf" => chosen(call),
        "mount" => mounted(call),
        "chown" | "lchown" => format!("{} to {}:{}", path(call), number(1), number(2)),
        "fchown" => format!("{} to {}:{}", path(call), number(1), number(2)),
        "fchownat" => format!("{} to {}:{}", path(call), number(2), number(3)),
        "chmod" | "fchmod" => format!("{} to {:o}", path(call), arguments[1]),
        "fchmodat" | "fchmodat2" => format!("{} to {:o}", path(call), arguments[2]),
        "setrlimit" => limit(arguments[0]),
        "prlimit64" => limit(arguments[1]),
        _ => match &call.target {
            Some(target) => {
                let mut text = process(target.pid, &target.name);
                if let Some(signal) = signal(call) {
                    text.push(' ');
                    text.push_str(&signal);
                }
                text
            }
            None => path(call),
        },
    }
    .trim()
    .to_owned()
}

/// The path of the file that a call was about, resolved as far as its arguments tell.
pub(super) fn path_of(call: &RefusedCall) -> Option<Vec<u8>> {
    if matches!(call.name, "bind" | "connect") {
        return unix_path(call.text.as_deref()?);
    }
    match (&call.text, &call.path) {
        (Some(text), _) if text.starts_with(b"/") => Some(text.clone()),
        (Some(text), Some(directory)) => {
            let mut whole = directory.clone();
            if !text.is_empty() {
                if !whole.ends_with(b"/") {
                    whole.push(b'/');
                }
                whole.extend_from_slice(text);
            }
            Some(whole)
        }
        (Some(_), None) => None,
        (None, path) => path.clone(),
    }
}

/// The path, or as much of it as is known.
fn path(call: &RefusedCall) -> String {
    match path_of(call).or_else(|| call.text.clone()) {
        Some(path) => shown(&path),
        None => String::new(),
    }
}

fn process(pid: u32, name: &str) -> String {
    match name {
        "" => pid.to_string(),
        name => format!("{pid} ({name})"),
    }
}

/// The signals that are sent to others.
const SIGNALS: [(i32, &str); 15] = [
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGCHLD, "SIGCHLD"),
    (libc::SIGCONT, "SIGCONT"),
    (libc::SIGSTOP, "SIGSTOP"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGWINCH, "SIGWINCH"),
];

/// The signal that a call sends.
fn signal(call: &RefusedCall) -> Option<String> {
    let argument = match call.name {
        "kill" | "tkill" => 1,
        "tgkill" => 2,
        _ => return None,
    };
    let number = call.arguments[argument] as i32;
    let named = SIGNALS.iter().find(|(known, _)| *known == number);
    Some(match named {
        Some((_, name)) => (*name).to_owned(),
        None => format!("signal {number}"),
    })
}

/// What one of the arguments chooses, by the name in the kernel's headers.
fn chosen(call: &RefusedCall) -> String {
    let known = Call {
        name: call.name,
        arguments: &call.arguments,
    };
    let name = known.chosen().unwrap_or_default();
    match (call.name, name) {
        ("ioctl", "") => format!("{:#x} {}", call.arguments[1] as u32, path(call)),
        ("ioctl", name) => format!("{name} {}", path(call)),
        ("setsockopt", "") => format!(
            "level {}, option {}",
            call.arguments[1] as i32, call.arguments[2] as i32
        ),
        (_, "") => format!("{}", call.arguments[0] as i32),
        (_, name) => name.to_owned(),
    }
}

fn mounted(call: &RefusedCall) -> String {
    match call.second.as_deref().filter(|source| !source.is_empty()) {
        Some(source) => format!("{} on {}", shown(source), path(call)),
        None => path(call),
    }
}

/// The name of a resource limit (include/uapi/asm-generic/resource.h).
fn limit(number: u64) -> String {
    const NAMES: [&str; 16] = [
        "CPU",
        "FSIZE",
        "DATA",
        "STACK",
        "CORE",
        "RSS",
        "NPROC",
        "NOFILE",
        "MEMLOCK",
        "AS",
        "LOCKS",
        "SIGPENDING",
        "MSGQUEUE",
        "NICE",
        "RTPRIO",
        "RTTIME",
    ];
    match usize::try_from(number)
        .ok()
        .and_then(|number| NAMES.get(number))
    {
        Some(name) => format!("RLIMIT_{name}"),
        None => format!("limit {number}"),
    }
}

/// The namespaces of clone's flags (include/uapi/linux/sched.h).
fn namespaces(flags: u64) -> String {
    const NAMES: [(u64, &str); 8] = [
        (0x80, "time"),
        (0x0002_0000, "mount"),
        (0x0200_0000, "cgroup"),
        (0x0400_0000, "UTS"),
        (0x0800_0000, "IPC"),
        (0x1000_0000, "user"),
        (0x2000_0000, "pid"),
        (0x4000_0000, "network"),
    ];
    let named: Vec<_> = NAMES
        .iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|(_, name)| *name)
        .collect();
    match named.len() {
        0 => String::new(),
        _ => format!("{} namespace", named.join(", ")),
    }
}

fn socket(arguments: &[u64; 6]) -> String {
    const FAMILIES: [(i32, &str); 7] = [
        (libc::AF_UNIX, "AF_UNIX"),
        (libc::AF_INET, "AF_INET"),
        (libc::AF_INET6, "AF_INET6"),
        (libc::AF_NETLINK, "AF_NETLINK"),
        (libc::AF_PACKET, "AF_PACKET"),
        (libc::AF_BLUETOOTH, "AF_BLUETOOTH"),
        (libc::AF_CAN, "AF_CAN"),
    ];
    const KINDS: [&str; 6] = ["", "STREAM", "DGRAM", "RAW", "RDM", "SEQPACKET"];
    let family = arguments[0] as i32;
    let family = FAMILIES
        .iter()
        .find(|(number, _)| *number == family)
        .map_or_else(
            || format!("family {family}"),
            |(_, name)| (*name).to_owned(),
        );
    // `SOCK_TYPE_MASK` (include/linux/net.h)
    match KINDS.get((arguments[1] & 0xf) as usize) {
        Some(kind) if !kind.is_empty() => format!("{family} SOCK_{kind}"),
        _ => family,
    }
}

/// The path of a socket's address (`struct sockaddr_un`), if it is one that lies in a directory.
fn unix_path(address: &[u8]) -> Option<Vec<u8>> {
    let path = address.get(2..)?.split(|&byte| byte == 0).next()?;
    (family(address)? == libc::AF_UNIX && path.starts_with(b"/")).then(|| path.to_vec())
}

/// An address in the usual form.
fn address(address: &[u8]) -> Option<String> {
    Some(match family(address)? {
        libc::AF_UNIX => match address.get(2) {
            Some(0) => format!("@{}", shown(&address[3..])),
            _ => shown(address[2..].split(|&byte| byte == 0).next()?),
        },
        libc::AF_INET => {
            let ip: [u8; 4] = address.get(4..8)?.try_into().ok()?;
            format!("{}:{}", Ipv4Addr::from(ip), port_in(address)?)
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = address.get(8..24)?.try_into().ok()?;
            format!("[{}]:{}", Ipv6Addr::from(ip), port_in(address)?)
        }
        libc::AF_NETLINK => "netlink".to_owned(),
        libc::AF_PACKET => "packet socket".to_owned(),
        other => format!("address of family {other}"),
    })
}

/// The port of an internet address.
pub(super) fn port(call: &RefusedCall) -> Option<u16> {
    let address = call.text.as_deref()?;
    match family(address)? {
        libc::AF_INET | libc::AF_INET6 => port_in(address),
        _ => None,
    }
}

/// The family of an address, its first member in all families (`sa_family_t`).
fn family(address: &[u8]) -> Option<i32> {
    let family = address.get(..2)?.try_into().ok()?;
    Some(u16::from_ne_bytes(family).into())
}

/// Where an internet address has its port.
fn port_in(address: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(address.get(2..4)?.try_into().ok()?))
}
