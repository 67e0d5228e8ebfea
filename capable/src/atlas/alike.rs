//! System calls that the kernel treats alike: a sentence names one of them, and holds for all.

/// Those that do the same to what they are given in another way.
const ALIKE: &[&[&str]] = &[
    &["open", "creat", "openat", "openat2"],
    &["access", "faccessat", "faccessat2"],
    &["stat", "lstat", "newfstatat", "fstatat", "statx"],
    &["statfs", "fstatfs"],
    &["chmod", "fchmod", "fchmodat", "fchmodat2"],
    &["chown", "lchown", "fchown", "fchownat"],
    &["utime", "utimes", "futimesat", "utimensat"],
    &["truncate", "ftruncate"],
    &["link", "linkat"],
    &["unlink", "unlinkat"],
    &["symlink", "symlinkat"],
    &["rename", "renameat", "renameat2"],
    &["mkdir", "mkdirat"],
    &["mknod", "mknodat"],
    &["readlink", "readlinkat"],
    &["getdents", "getdents64"],
    &["getxattr", "lgetxattr", "fgetxattr", "getxattrat"],
    &["setxattr", "lsetxattr", "fsetxattr", "setxattrat"],
    &["listxattr", "llistxattr", "flistxattr", "listxattrat"],
    &[
        "removexattr",
        "lremovexattr",
        "fremovexattr",
        "removexattrat",
    ],
    &["read", "readv", "pread64", "preadv", "preadv2"],
    &["write", "writev", "pwrite64", "pwritev", "pwritev2"],
    &["umount", "umount2"],
    &["execve", "execveat"],
    &["clone", "clone3", "fork", "vfork"],
    &[
        "kill",
        "tkill",
        "tgkill",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
        "pidfd_send_signal",
    ],
    &["setrlimit", "prlimit", "prlimit64"],
    &["sendto", "send", "sendmsg", "sendmmsg"],
    &["recvfrom", "recv", "recvmsg", "recvmmsg"],
    &["settimeofday", "clock_settime"],
    &["adjtimex", "clock_adjtime"],
    &["sched_setscheduler", "sched_setparam", "sched_setattr"],
    &["quotactl", "quotactl_fd"],
];

/// Those that are given a path, which the kernel walks.
const WALK: &[&str] = &[
    "access",
    "acct",
    "chdir",
    "chmod",
    "chown",
    "chroot",
    "execve",
    "fspick",
    "inotify_add_watch",
    "fanotify_mark",
    "getxattr",
    "link",
    "listxattr",
    "mkdir",
    "mknod",
    "mount",
    "move_mount",
    "name_to_handle_at",
    "open",
    "open_tree",
    "pivot_root",
    "quotactl",
    "readlink",
    "removexattr",
    "rename",
    "rmdir",
    "setxattr",
    "stat",
    "statfs",
    "swapoff",
    "swapon",
    "symlink",
    "truncate",
    "umount",
    "unlink",
    "utime",
];

/// The system calls like this one, itself included.
pub fn alike(name: &str) -> impl Iterator<Item = &str> {
    let group = ALIKE.iter().find(|group| group.contains(&name));
    let others = group.into_iter().flat_map(|group| group.iter().copied());
    std::iter::once(name).chain(others.filter(move |other| *other != name))
}

/// Whether a system call is given a path.
pub fn walks(name: &str) -> bool {
    alike(name).any(|name| WALK.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_alike_in_one_way_only_and_each_is_like_itself() {
        let mut all: Vec<_> = ALIKE.iter().copied().flatten().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(alike("chown").next(), Some("chown"));
        assert!(alike("fchownat").any(|name| name == "chown"));
        assert_eq!(alike("mount").collect::<Vec<_>>(), ["mount"]);
    }

    #[test]
    fn what_is_given_a_path_walks_it() {
        assert!(walks("openat2") && walks("mount") && walks("umount2"));
        assert!(!walks("setsockopt") && !walks("read"));
    }
}
