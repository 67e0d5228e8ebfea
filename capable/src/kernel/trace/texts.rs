//! What the arguments of system calls point to, for calls that failed.

use aya::maps::{Array, MapData};
use capable_common::{CALLS, CallTexts};

use super::error::TracerError;
use crate::{arch, kernel::bpf::object::Object};

/// A path, and what it is relative to.
const fn path(argument: u32) -> CallTexts {
    CallTexts::NONE.first(argument).current_directory()
}

/// A path that is relative to the directory of a descriptor, which is the argument before it.
const fn path_at(argument: u32) -> CallTexts {
    CallTexts::NONE.first(argument).descriptor(argument - 1)
}

/// An open file.
const fn open_file(argument: u32) -> CallTexts {
    CallTexts::NONE.descriptor(argument)
}

/// The calls with something to read, by their names (the prototypes are in
/// include/linux/syscalls.h).
const TEXTS: &[(&[&str], CallTexts)] = &[
    (
        &[
            "access",
            "acct",
            "chdir",
            "chmod",
            "chown",
            "chroot",
            "creat",
            "execve",
            "getxattr",
            "lchown",
            "lgetxattr",
            "listxattr",
            "llistxattr",
            "lremovexattr",
            "lsetxattr",
            "lstat",
            "mkdir",
            "mknod",
            "open",
            "readlink",
            "removexattr",
            "rmdir",
            "setxattr",
            "stat",
            "statfs",
            "swapoff",
            "swapon",
            "truncate",
            "umount2",
            "unlink",
            "uselib",
            "utime",
            "utimes",
        ],
        path(0),
    ),
    (
        &[
            "execveat",
            "faccessat",
            "faccessat2",
            "fchmodat",
            "fchmodat2",
            "fchownat",
            "futimesat",
            "mkdirat",
            "mknodat",
            "name_to_handle_at",
            "newfstatat",
            "open_tree",
            "openat",
            "openat2",
            "readlinkat",
            "statx",
            "unlinkat",
            "utimensat",
        ],
        path_at(1),
    ),
    (&["link", "rename"], path(0).second(1)),
    (&["pivot_root"], path(0).second(1)),
    (&["symlink"], path(1).second(0)),
    (&["symlinkat"], path_at(2).second(0)),
    (&["linkat", "renameat", "renameat2"], path_at(1).second(3)),
    // The device and the type of the file system; the directory is the one that matters.
    (&["mount"], path(1).second(0)),
    (&["move_mount"], path_at(3).second(1)),
    (&["quotactl"], path(1)),
    (&["fanotify_mark"], path_at(4)),
    (&["inotify_add_watch"], path(1)),
    (
        &[
            "fallocate",
            "fchdir",
            "fchmod",
            "fchown",
            "fgetxattr",
            "finit_module",
            "flistxattr",
            "fremovexattr",
            "fsetxattr",
            "ftruncate",
            "getdents64",
            "ioctl",
            "mmap",
            "pread64",
            "pwrite64",
            "read",
            "readv",
            "recvfrom",
            "recvmsg",
            "sendmsg",
            "setsockopt",
            "sendto",
            "setns",
            "write",
            "writev",
        ],
        open_file(0),
    ),
    (
        &[
            "fcntl", "flock", "fsconfig", "fsmount", "listen", "shutdown",
        ],
        open_file(0),
    ),
    (
        &["bind", "connect"],
        CallTexts::NONE.address(1).descriptor(0),
    ),
    (
        &["memfd_create", "sethostname", "setdomainname", "fsopen"],
        CallTexts::NONE.first(0),
    ),
    (
        &["add_key", "request_key"],
        CallTexts::NONE.first(0).second(1),
    ),
    (&["mq_open", "mq_unlink"], CallTexts::NONE.first(0)),
];

/// Tells the kernel side.
///
/// # Errors
///
/// The table cannot be written.
pub(super) fn set(object: &mut Object) -> Result<(), TracerError> {
    let mut texts: Array<&mut MapData, u32> = object.map("CALL_TEXTS")?;
    for (number, call) in (0..).zip(table()) {
        if call != CallTexts::NONE {
            texts
                .set(number, call.bits(), 0)
                .map_err(|error| TracerError::Map("CALL_TEXTS", error))?;
        }
    }
    Ok(())
}

/// What each call's arguments point to, by its number.
pub(super) fn table() -> [CallTexts; CALLS] {
    std::array::from_fn(|number| {
        let name = i32::try_from(number)
            .ok()
            .and_then(|number| arch::syscall_name(number, false));
        let mut rows = TEXTS.iter();
        // The later ones are the more special ones.
        rows.rfind(|(names, _)| name.is_some_and(|name| names.contains(&name)))
            .map_or(CallTexts::NONE, |(_, texts)| *texts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_a_system_call() {
        let known: Vec<_> = (0..CALLS as i32)
            .filter_map(|number| arch::syscall_name(number, false))
            .collect();
        for name in TEXTS.iter().flat_map(|(names, _)| *names) {
            assert!(known.contains(name), "{name}");
        }
    }

    #[test]
    fn a_path_is_relative_to_a_directory_and_a_socket_has_an_address() {
        let of = |wanted: &str| {
            let mut numbers = 0..CALLS;
            let number =
                numbers.find(|&number| arch::syscall_name(number as i32, false) == Some(wanted));
            table()[number.unwrap()]
        };
        assert_eq!(of("openat").first_argument(), Some(1));
        assert_eq!(of("openat").descriptor_argument(), Some(0));
        assert!(of("open").is_in_current_directory());
        assert_eq!(of("bind").address_argument(), Some(1));
        assert_eq!(of("inotify_add_watch").first_argument(), Some(1));
        assert_eq!(of("getpid"), CallTexts::NONE);
    }
}
