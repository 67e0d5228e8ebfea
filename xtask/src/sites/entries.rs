//! Where the kernel calls a function on behalf of a program and passes on what it returns.
//!
//! A function is such an entry because of the table that names it: what `unlocked_ioctl` of a
//! `struct file_operations` returns is what ioctl(2) returns. A member is listed only if its
//! callers were read and pass a negative return value on unchanged (Linux 5.10, 6.1, 6.12).

/// How a refusal reaches the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As the error of the system call.
    Errno,
    /// In the acknowledgement of a netlink request; the system call itself succeeds.
    Ack,
}

use Way::{Ack, Errno};

/// A structure, some of its members (none: all), and how their return values arrive.
const ENTRIES: &[(&str, &[&str], Way)] = &[
    // fs/open.c do_dentry_open, fs/ioctl.c vfs_ioctl, fs/read_write.c, mm/mmap.c mmap_region
    (
        "file_operations",
        &[
            "open",
            "unlocked_ioctl",
            "compat_ioctl",
            "read",
            "write",
            "read_iter",
            "write_iter",
            "mmap",
            "fallocate",
        ],
        Errno,
    ),
    // fs/proc/inode.c pde_*
    (
        "proc_ops",
        &[
            "proc_open",
            "proc_ioctl",
            "proc_compat_ioctl",
            "proc_read",
            "proc_write",
            "proc_mmap",
        ],
        Errno,
    ),
    // block/ioctl.c blkdev_ioctl, compat_blkdev_ioctl
    ("block_device_operations", &["ioctl", "compat_ioctl"], Errno),
    // drivers/tty/tty_io.c tty_ioctl, tty_tiocsserial
    (
        "tty_operations",
        &["ioctl", "compat_ioctl", "set_serial"],
        Errno,
    ),
    // drivers/tty/tty_io.c tty_ioctl
    ("tty_ldisc_ops", &["ioctl", "compat_ioctl"], Errno),
    // net/core/dev_ioctl.c dev_ifsioc
    (
        "net_device_ops",
        &[
            "ndo_do_ioctl",
            "ndo_eth_ioctl",
            "ndo_siocdevprivate",
            "ndo_siocwandev",
        ],
        Errno,
    ),
    // net/socket.c sock_do_ioctl, __sys_bind, __sys_connect, __sys_setsockopt, __sys_getsockopt
    (
        "proto_ops",
        &[
            "ioctl",
            "compat_ioctl",
            "bind",
            "connect",
            "setsockopt",
            "getsockopt",
        ],
        Errno,
    ),
    // net/socket.c __sock_create
    ("net_proto_family", &["create"], Errno),
    // fs/proc/proc_sysctl.c proc_sys_call_handler
    ("ctl_table", &["proc_handler"], Errno),
    // drivers/gpu/drm/drm_ioctl.c drm_ioctl_kernel
    ("drm_ioctl_desc", &[], Errno),
    // drivers/scsi/scsi_ioctl.c scsi_ioctl
    ("scsi_host_template", &["ioctl", "compat_ioctl"], Errno),
    // net/netfilter/nf_sockopt.c nf_sockopt
    ("nf_sockopt_ops", &["set", "get"], Errno),
    // kernel/time/posix-timers.c clock_settime, clock_adjtime
    ("k_clock", &["clock_set", "clock_adj"], Errno),
    // net/wireless/wext-core.c ioctl_standard_call
    ("iw_handler", &[], Errno),
    // fs/sysfs/file.c sysfs_kf_write, sysfs_kf_seq_show
    ("sysfs_ops", &["store", "show"], Errno),
    // net/atm/ioctl.c do_vcc_ioctl
    ("atm_ioctl", &["ioctl"], Errno),
    ("atmdev_ops", &["ioctl", "compat_ioctl"], Errno),
    // net/netlink/genetlink.c genl_family_rcv_msg_doit, net/netlink/af_netlink.c netlink_rcv_skb
    ("genl_ops", &["doit"], Ack),
    ("genl_small_ops", &["doit"], Ack),
    ("genl_split_ops", &["doit"], Ack),
    // net/core/rtnetlink.c rtnetlink_rcv_msg
    ("rtnl_msg_handler", &["doit"], Ack),
    // net/netfilter/nfnetlink.c nfnetlink_rcv_msg
    ("nfnl_callback", &["call"], Ack),
];

/// Functions that register a function for the kernel to call, in which argument, and how the return
/// value of that function arrives (net/core/rtnetlink.c rtnetlink_rcv_msg, Linux 5.10 and 6.1).
const REGISTRARS: [(&str, usize, Way); 3] = [
    ("rtnl_register", 2, Ack),
    ("rtnl_register_module", 3, Ack),
    ("__rtnl_register", 2, Ack),
];

/// Parameter types that identify entries: the functions behind sysfs and configfs files are named
/// by macros that paste their names (fs/sysfs/file.c sysfs_kf_write, sysfs_kf_seq_show).
const PARAMETERS: [&str; 6] = [
    "struct device_attribute *",
    "struct kobj_attribute *",
    "struct driver_attribute *",
    "struct class_attribute *",
    "struct bus_attribute *",
    "struct bin_attribute *",
];

/// How the return value arrives of a function that is set as this member of a table; no member
/// means a place in a list.
pub fn of_table(header: &str, member: Option<&str>) -> Option<Way> {
    let words: Vec<_> = header
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    ENTRIES
        .iter()
        .find(|(structure, members, _)| {
            let is_it = words.contains(structure);
            let named = member.is_some_and(|member| members.contains(&member));
            is_it && (named || members.is_empty())
        })
        .map(|(.., way)| *way)
}

/// How the return value arrives of a function that is passed as this argument of a call.
pub fn of_argument(called: &str, argument: usize) -> Option<Way> {
    REGISTRARS
        .iter()
        .find(|(name, index, _)| *name == called && *index == argument)
        .map(|(.., way)| *way)
}

/// How the return value arrives of a function with this header.
pub fn of_header(header: &str) -> Option<Way> {
    let is_file = header.contains("ssize_t ") && PARAMETERS.iter().any(|it| header.contains(it));
    is_file.then_some(Errno)
}
