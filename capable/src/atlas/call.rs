//! What the arguments of a system call tell about a place: which `case` was taken, and whether what
//! was asked of the kernel needs the capability at all.
//!
//! The names are those of the source: of labels (`@SO_MARK`), conditions (`if:S_ISGID`), and functions
//! that one value leads to. The compiler inlines these into one, and a stack does not tell them apart.
//! Numbers are those of the kernel's uapi headers (6.12) for 64-bit programs.

/// A system call of a 64-bit program.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Its name: `setsockopt`.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: &'a [u64; 6],
}

impl Call<'_> {
    /// Whether the call is what this name of the source stands for; `None` if its arguments do not
    /// tell.
    pub fn says(&self, name: &str) -> Option<bool> {
        self.takes(name)
            .or_else(|| self.has_flag(name))
            .or_else(|| self.lacks_flag(name))
            .or_else(|| self.is_one_of(name))
    }

    /// The name in the kernel's headers of what an argument chooses: `SO_MARK`; `None` if it is not one
    /// that matters to a capability.
    pub fn chosen(&self) -> Option<&'static str> {
        let choice = CHOICES.iter().find(|choice| choice.call == self.name)?;
        let value = self.word(choice.argument);
        // The socket options of other levels have the same numbers.
        let prefix = match (self.name, self.word(1)) {
            ("setsockopt", 0) => "IP_",
            ("setsockopt", 1) => "SO_",
            ("setsockopt", 6) => "TCP_",
            ("setsockopt", 41) => "IPV6_",
            ("setsockopt", _) => return None,
            _ => "",
        };
        let is_constant = |name: &str| !name.contains(char::is_lowercase);
        choice
            .values
            .iter()
            .find(|(name, values)| {
                values == &[value] && name.starts_with(prefix) && is_constant(name)
            })
            .map(|(name, _)| *name)
    }

    /// Whether what is asked for is not among the arguments, but in memory that one of them points to.
    pub fn is_in_memory(&self) -> bool {
        self.name == "ioctl" && IN_MEMORY.contains(&self.word(1))
    }

    /// By an argument that chooses a `case`.
    fn takes(&self, name: &str) -> Option<bool> {
        let choice = CHOICES.iter().find(|choice| choice.call == self.name)?;
        let (_, values) = choice.values.iter().find(|(known, _)| *known == name)?;
        Some(values.contains(&self.word(choice.argument)))
    }

    /// By a bit of an argument.
    fn has_flag(&self, name: &str) -> Option<bool> {
        let (_, bits, places) = FLAGS.iter().find(|(known, ..)| *known == name)?;
        let (_, argument) = places.iter().find(|(call, _)| *call == self.name)?;
        Some(self.word(*argument) & bits != 0)
    }

    /// By a bit of an argument that must not be set.
    fn lacks_flag(&self, name: &str) -> Option<bool> {
        let (_, bits, places) = NO_FLAGS.iter().find(|(known, ..)| *known == name)?;
        let (_, argument) = places.iter().find(|(call, _)| *call == self.name)?;
        Some(self.word(*argument) & bits == 0)
    }

    /// By the system call's name.
    fn is_one_of(&self, name: &str) -> Option<bool> {
        let (_, are, are_not) = KINDS.iter().find(|(known, ..)| *known == name)?;
        let is_among = |calls: &[&str]| calls.contains(&self.name);
        match (is_among(are), is_among(are_not)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// An argument; all of those that are looked at here are ints.
    fn word(&self, argument: usize) -> u32 {
        self.arguments[argument] as u32
    }
}

/// An argument of a system call that chooses what it does.
struct Choice {
    call: &'static str,
    argument: usize,
    /// For each name, the values that share its place: those of the labels of one `case`, of which
    /// the atlas has the first.
    values: &'static [(&'static str, &'static [u32])],
}

const CHOICES: &[Choice] = &[
    Choice {
        call: "setsockopt",
        argument: 2,
        values: SOCKET_OPTIONS,
    },
    Choice {
        call: "prctl",
        argument: 0,
        values: &[
            ("PR_CAPBSET_READ", &[23]),
            ("PR_SET_SECUREBITS", &[28]),
            ("PR_CAP_AMBIENT", &[47]),
            ("PR_SET_IO_FLUSHER", &[57]),
            ("PR_GET_IO_FLUSHER", &[58]),
            // PR_SET_MM
            ("prctl_set_mm", &[35]),
            ("prctl_set_mm_map", &[35]),
        ],
    },
    Choice {
        call: "bpf",
        argument: 0,
        values: COMMANDS,
    },
    Choice {
        call: "keyctl",
        argument: 0,
        values: &[
            // KEYCTL_CHOWN, KEYCTL_SETPERM, KEYCTL_CLEAR, KEYCTL_INVALIDATE
            ("keyctl_chown_key", &[4]),
            ("keyctl_setperm_key", &[5]),
            ("keyctl_keyring_clear", &[7]),
            ("keyctl_invalidate_key", &[21]),
        ],
    },
    Choice {
        call: "fsconfig",
        argument: 1,
        values: &[
            ("FSCONFIG_CMD_CREATE", &[6]),
            ("FSCONFIG_CMD_RECONFIGURE", &[7]),
        ],
    },
    Choice {
        call: "ioctl",
        argument: 1,
        values: REQUESTS,
    },
];

/// The functions that have these labels are of one level each, so that a number alone will do.
const SOCKET_OPTIONS: &[(&str, &[u32])] = &[
    ("SO_DEBUG", &[1]),
    ("SO_PRIORITY", &[12]),
    ("SO_ATTACH_FILTER", &[26]),
    ("SO_SNDBUFFORCE", &[32]),
    ("SO_RCVBUFFORCE", &[33]),
    ("SO_MARK", &[36]),
    ("SO_BUSY_POLL", &[46]),
    ("SO_TXTIME", &[61]),
    ("SO_PREFER_BUSY_POLL", &[69]),
    ("SO_BUSY_POLL_BUDGET", &[70]),
    // IP_XFRM_POLICY
    ("IP_IPSEC_POLICY", &[16, 17]),
    ("IP_TRANSPARENT", &[19]),
    // IPV6_XFRM_POLICY
    ("IPV6_IPSEC_POLICY", &[34, 35]),
    ("IPV6_TRANSPARENT", &[75]),
    ("TCP_CONGESTION", &[13]),
    ("TCP_REPAIR", &[19]),
    ("TCP_AO_REPAIR", &[42]),
    // NETLINK_DROP_MEMBERSHIP
    ("NETLINK_ADD_MEMBERSHIP", &[1, 2]),
    ("NETLINK_LISTEN_ALL_NSID", &[8]),
    // SO_BINDTODEVICE, SO_BINDTOIFINDEX
    ("sock_bindtoindex_locked", &[25, 62]),
];

/// Commands of bpf(2), and the functions that each of them calls.
const COMMANDS: &[(&str, &[u32])] = &[
    ("BPF_MAP_CREATE", &[0]),
    ("BPF_PROG_LOAD", &[5]),
    ("map_create", &[0]),
    ("map_create_alloc", &[0]),
    ("map_check_btf", &[0]),
    ("bpf_prog_load", &[5]),
    // BPF_PROG_ATTACH, BPF_LINK_CREATE
    ("bpf_prog_attach_check_attach_type", &[8, 28]),
    // BPF_PROG_DETACH
    ("bpf_mprog_detach_empty", &[9]),
    // BPF_PROG_GET_NEXT_ID, and those of maps, BTF and links
    ("bpf_obj_get_next_id", &[11, 12, 23, 31]),
    ("bpf_prog_get_fd_by_id", &[13]),
    ("bpf_map_get_fd_by_id", &[14]),
    // BPF_OBJ_GET_INFO_BY_FD
    ("bpf_prog_get_info_by_fd", &[15]),
    ("bpf_insn_prepare_dump", &[15]),
    ("bpf_prog_query", &[16]),
    ("bpf_btf_load", &[18]),
    ("bpf_btf_get_fd_by_id", &[19]),
    ("bpf_task_fd_query", &[20]),
    ("map_freeze", &[22]),
    ("bpf_link_get_fd_by_id", &[30]),
    ("bpf_enable_stats", &[32]),
];

const REQUESTS: &[(&str, &[u32])] = &[
    // SIOCGMIIREG, SIOCSIFNAME
    ("SIOCGMIIPHY", &[0x8947, 0x8948, 0x8923]),
    // SIOCSIFTXQLEN
    ("SIOCSIFMAP", &[0x8971, 0x8943]),
    // SIOCSIFMETRIC, _MTU, _HWADDR, _SLAVE, SIOCADDMULTI, SIOCDELMULTI, SIOCSIFHWBROADCAST, SIOCSMIIREG,
    // SIOCBONDENSLAVE, _RELEASE, _SETHWADDR, _CHANGEACTIVE, SIOCBRADDIF, SIOCBRDELIF, SIOCSHWTSTAMP
    (
        "SIOCSIFFLAGS",
        &[
            0x8914, 0x891e, 0x8922, 0x8924, 0x8930, 0x8931, 0x8932, 0x8937, 0x8949, 0x8990, 0x8991,
            0x8992, 0x8995, 0x89a2, 0x89a3, 0x89b0,
        ],
    ),
    // SIOCSIFBRDADDR, SIOCSIFDSTADDR, SIOCSIFNETMASK
    ("SIOCSIFADDR", &[0x8916, 0x891a, 0x8918, 0x891c]),
    ("RNDADDENTROPY", &[0x4008_5203]),
    ("RNDADDTOENTCNT", &[0x4004_5201]),
    // RNDCLEARPOOL
    ("RNDZAPENTCNT", &[0x5204, 0x5206]),
    ("RNDRESEEDCRNG", &[0x5207]),
    ("VT_LOCKSWITCH", &[0x560b]),
    ("VT_UNLOCKSWITCH", &[0x560c]),
    // KDSETKEYCODE
    ("KDGETKEYCODE", &[0x4b4c, 0x4b4d]),
    ("KDSETKEYCODE", &[0x4b4d]),
    ("KDKBDREP", &[0x4b52]),
    ("KDSIGACCEPT", &[0x4b4e]),
    ("LOOP_SET_STATUS", &[0x4c02]),
    ("LOOP_SET_STATUS64", &[0x4c04]),
    // LOOP_SET_DIRECT_IO; in 5.10 LOOP_SET_BLOCK_SIZE too, which is a label of its own later.
    ("LOOP_SET_CAPACITY", &[0x4c07, 0x4c08]),
    ("LOOP_SET_BLOCK_SIZE", &[0x4c09]),
    ("RTC_IRQP_SET", &[0x4008_700c]),
    ("RTC_PIE_ON", &[0x7005]),
    ("PPS_SETPARAMS", &[0x4008_70a2]),
    ("PPS_KC_BIND", &[0x4008_70a5]),
    ("NVME_IOCTL_RESET", &[0x4e44]),
    ("NVME_IOCTL_SUBSYS_RESET", &[0x4e45]),
    ("NVME_IOCTL_RESCAN", &[0x4e46]),
    // BLKFRASET
    ("BLKRASET", &[0x1262, 0x1264]),
    ("BLKRRPART", &[0x125f]),
    ("FS_IOC_SETFLAGS", &[0x4008_6602]),
    ("FS_IOC_FSSETXATTR", &[0x401c_5820]),
    // EXT4_IOC_SETVERSION_OLD
    ("EXT4_IOC_SETVERSION", &[0x4008_7602, 0x4008_6604]),
    ("EXT4_IOC_MIGRATE", &[0x6609]),
    ("EXT4_IOC_ALLOC_DA_BLKS", &[0x660c]),
    ("EXT4_IOC_CLEAR_ES_CACHE", &[0x6628]),
    ("EXT2_IOC_SETFLAGS", &[0x4008_6602]),
    ("EXT2_IOC_SETVERSION", &[0x4008_7602]),
    ("EXT2_IOC_SETRSVSZ", &[0x4008_6606]),
];

/// Requests of ioctl(2) that stand for many: SIOCGIFBR, SIOCSIFBR, SIOCETHTOOL, SIOCWANDEV,
/// SIOCGIFVLAN, SIOCSIFVLAN, SIOCDEVPRIVATE and the fifteen after it, TIOCLINUX
/// (include/uapi/linux/sockios.h and include/uapi/asm-generic/ioctls.h, 6.12).
const IN_MEMORY: &[u32] = &[
    0x8940, 0x8941, 0x8946, 0x894a, 0x8982, 0x8983, 0x89f0, 0x89f1, 0x89f2, 0x89f3, 0x89f4, 0x89f5,
    0x89f6, 0x89f7, 0x89f8, 0x89f9, 0x89fa, 0x89fb, 0x89fc, 0x89fd, 0x89fe, 0x89ff, 0x541c,
];

/// Bits, and the system calls that have them in an argument.
#[expect(clippy::type_complexity, reason = "a table that is read by eye")]
const FLAGS: &[(&str, u32, &[(&str, usize)])] = &[
    (
        "S_ISGID",
        0o2000,
        &[
            ("chmod", 1),
            ("fchmod", 1),
            ("fchmodat", 2),
            ("fchmodat2", 2),
        ],
    ),
    ("FAN_MARK_MOUNT", 0x10, &[("fanotify_mark", 1)]),
    ("FAN_MARK_FILESYSTEM", 0x100, &[("fanotify_mark", 1)]),
];

/// Bits that must not be set, and the system calls that have them in an argument.
#[expect(clippy::type_complexity, reason = "a table that is read by eye")]
const NO_FLAGS: &[(&str, u32, &[(&str, usize)])] = &[(
    "opens_file",
    libc::O_DIRECTORY as u32,
    &[("open", 1), ("openat", 2)],
)];

/// Kinds of system calls: those that are of the kind, and those that ask at the same places and are
/// not.
const KINDS: &[(&str, &[&str], &[&str])] = &[
    (
        "chown",
        &["chown", "lchown", "fchown", "fchownat"],
        &[
            "chmod",
            "fchmod",
            "fchmodat",
            "fchmodat2",
            "utime",
            "utimes",
            "futimesat",
            "utimensat",
        ],
    ),
    (
        "opens_file",
        &[],
        &[
            "stat",
            "lstat",
            "newfstatat",
            "statx",
            "chdir",
            "readlink",
            "readlinkat",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn says(call: &str, arguments: &[u64], name: &str) -> Option<bool> {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        let call = Call {
            name: call,
            arguments: &all,
        };
        call.says(name)
    }

    #[test]
    fn an_argument_chooses_a_case() {
        let mark = [3, libc::SOL_SOCKET as u64, libc::SO_MARK as u64];
        assert_eq!(says("setsockopt", &mark, "SO_MARK"), Some(true));
        assert_eq!(says("setsockopt", &mark, "SO_PRIORITY"), Some(false));
        assert_eq!(says("setsockopt", &mark, "SO_OF_A_NEWER_KERNEL"), None);
        assert_eq!(says("io_uring_enter", &mark, "SO_MARK"), None);
        let rename = [3, 0x8923];
        assert_eq!(says("ioctl", &rename, "SIOCGMIIPHY"), Some(true));
        assert_eq!(says("ioctl", &rename, "SIOCSIFFLAGS"), Some(false));
    }

    #[test]
    fn a_mode_is_an_int_and_asks_for_a_bit_or_does_not() {
        assert_eq!(says("fchmod", &[3, 0o2755], "S_ISGID"), Some(true));
        assert_eq!(
            says("chmod", &[0, 0xdead_0000_0000 | 0o755], "S_ISGID"),
            Some(false)
        );
        assert_eq!(says("fchmodat", &[3, 0, 0o6711], "S_ISGID"), Some(true));
        assert_eq!(says("write", &[3, 0o2755], "S_ISGID"), None);
    }

    #[test]
    fn a_kind_of_call_is_told_from_those_that_ask_at_the_same_place() {
        assert_eq!(says("fchownat", &[], "chown"), Some(true));
        assert_eq!(says("utimensat", &[], "chown"), Some(false));
        assert_eq!(says("setxattr", &[], "chown"), None);
    }

    #[test]
    fn a_folder_that_is_opened_and_what_is_only_looked_at_is_no_file_that_is_opened() {
        let open = |flags: i32| says("openat", &[0, 0, flags as u64], "opens_file");
        assert_eq!(open(libc::O_RDONLY), Some(true));
        assert_eq!(open(libc::O_RDONLY | libc::O_DIRECTORY), Some(false));
        assert_eq!(says("newfstatat", &[], "opens_file"), Some(false));
        assert_eq!(says("openat2", &[], "opens_file"), None);
    }

    #[test]
    fn the_numbers_of_socket_options_and_prctl_are_those_of_the_c_library() {
        let option = |name| SOCKET_OPTIONS.iter().find(|(known, _)| *known == name);
        for (name, value) in [
            ("SO_PRIORITY", libc::SO_PRIORITY),
            ("SO_RCVBUFFORCE", libc::SO_RCVBUFFORCE),
            ("SO_TXTIME", libc::SO_TXTIME),
            ("IP_TRANSPARENT", libc::IP_TRANSPARENT),
            ("IPV6_TRANSPARENT", libc::IPV6_TRANSPARENT),
            ("TCP_REPAIR", libc::TCP_REPAIR),
            ("NETLINK_LISTEN_ALL_NSID", libc::NETLINK_LISTEN_ALL_NSID),
        ] {
            assert_eq!(option(name).unwrap().1, [value as u32], "{name}");
        }
        assert_eq!(
            says("prctl", &[libc::PR_CAP_AMBIENT as u64], "PR_CAP_AMBIENT"),
            Some(true)
        );
    }
}
