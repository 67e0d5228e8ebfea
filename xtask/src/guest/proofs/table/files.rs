//! What only the owner of a file may do, and the bits and attributes of files.

use super::prelude::*;

/// A file of another group that has this mode.
fn with_mode(mode: u32) -> Staged {
    number(call!(SYS_chmod, OWN_FILE, mode)?)
}

fn after_write(_: i32) -> Answer {
    write(OWN_FILE, "more")?;
    mode(OWN_FILE)
}

/// An access ACL that says what the mode rw-r--r-- says.
fn set_acl(path: &std::ffi::CStr) -> Answer {
    const VALUE: &[u8] = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x04\0\x04\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";
    call!(
        SYS_setxattr,
        path,
        c"system.posix_acl_access",
        VALUE,
        VALUE.len(),
        0
    )
}

/// A handle of a type that no file system has.
const HANDLE: &[u8] = &[8, 0, 0, 0, 0xee, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn pipe() -> Staged {
    let mut ends = [0; 2];
    call!(SYS_pipe2, Argument::write(&mut ends), 0)?;
    Ok(ends[0])
}

fn pipe_size(_: i32) -> Answer {
    // The user has a pipe already.
    pipe()?;
    call!(SYS_fcntl, pipe()?, libc::F_GETPIPE_SZ)
}

fn grow_pipe(size: i32) -> Answer {
    call!(SYS_fcntl, pipe()?, libc::F_SETPIPE_SZ, size)
}

const SOFT: &str = "/proc/sys/fs/pipe-user-pages-soft";
const HARD: &str = "/proc/sys/fs/pipe-user-pages-hard";

fn sticky_folder(_: &Scene) -> Staged {
    call!(SYS_chmod, c"sticky", 0o1777)?;
    Ok(-1)
}

fn readable(_: &Scene) -> Staged {
    open(OTHERS_READABLE, libc::O_RDONLY)
}

/// Proofs about owners, modes, attributes and pipes.
pub const PROOFS: &[Proof] = &[
    proof("setattr_prepare via chown_ok", "CHOWN", |_| {
        call!(SYS_chown, OTHERS_FILE, THIRD, u32::MAX)
    }),
    proof("setattr_prepare via chgrp_ok", "CHOWN", |_| {
        call!(SYS_chown, OTHERS_FILE, u32::MAX, THIRD)
    }),
    proof(
        "setattr_prepare via inode_owner_or_capable",
        "FOWNER",
        |_| call!(SYS_chmod, OTHERS_FILE, 0o640),
    ),
    proof("setattr_prepare#2", "FOWNER", |_| {
        call!(
            SYS_utimensat,
            libc::AT_FDCWD,
            OTHERS_FILE,
            Argument::read(&[1_i64, 0, 1, 0]),
            0
        )
    }),
    proof("setattr_prepare", "FSETID", |_| {
        call!(SYS_chmod, OWN_FILE, 0o2755)?;
        mode(OWN_FILE)
    })
    .gets_less(),
    proof("setattr_copy", "FSETID", |_| {
        call!(SYS_chmod, OWN_FILE, 0o2755)?;
        mode(OWN_FILE)
    })
    .gets_less(),
    proof("setattr_should_drop_suidgid", "FSETID", after_write)
        .staged(|_| with_mode(0o4755))
        .gets_less(),
    proof("setattr_should_drop_sgid", "FSETID", after_write)
        .staged(|_| with_mode(0o2644))
        .gets_less(),
    proof("mode_strip_sgid", "FSETID", |_| {
        call!(SYS_mknod, c"sticky/one", libc::S_IFREG | 0o2755, 0)?;
        mode(c"sticky/one")
    })
    .staged(|_| number(call!(SYS_chmod, c"sticky", 0o2777)?))
    .gets_less(),
    proof("setfl", "FOWNER", |file| {
        call!(SYS_fcntl, file, libc::F_SETFL, libc::O_NOATIME)
    })
    .staged(readable),
    // F_SET_RW_HINT
    proof("fcntl_set_rw_hint", "FOWNER", |file| {
        call!(SYS_fcntl, file, 1036, Argument::read(&1_u64))
    })
    .staged(readable),
    proof(
        "handle_to_path or may_decode_fh via capable",
        "DAC_READ_SEARCH",
        |_| call!(SYS_open_by_handle_at, libc::AT_FDCWD, HANDLE, 0),
    ),
    proof("generic_setlease or vfs_setlease", "LEASE", |file| {
        call!(SYS_fcntl, file, libc::F_SETLEASE, libc::F_RDLCK)
    })
    .staged(readable),
    proof("do_linkat or path_init", "DAC_READ_SEARCH", |file| {
        call!(
            SYS_linkat,
            file,
            c"",
            libc::AT_FDCWD,
            NEW_NAME,
            libc::AT_EMPTY_PATH
        )
    })
    .staged(readable),
    proof("may_delete or may_delete_dentry", "FOWNER", |_| {
        call!(SYS_unlink, STICKY_FILE)
    })
    .staged(sticky_folder),
    proof("may_open", "FOWNER", |_| {
        call!(SYS_open, OTHERS_READABLE, libc::O_NOATIME)
    }),
    proof("vfs_mknod", "MKNOD", |_| {
        call!(SYS_mknod, NEW_NAME, libc::S_IFCHR | 0o600, 0x103)
    }),
    proof("set_posix_acl", "FOWNER", |_| set_acl(OTHERS_FILE)),
    proof("posix_acl_update_mode", "FSETID", |_| {
        set_acl(OWN_FILE)?;
        mode(OWN_FILE)
    })
    .staged(|_| with_mode(0o2755))
    .gets_less(),
    // FIBMAP, FIFREEZE and FITHAW
    proof("ioctl_fibmap", "SYS_RAWIO", |file| ioctl(file, 1, 0)).staged(readable),
    proof("ioctl_fsfreeze", "SYS_ADMIN", |file| {
        ioctl(file, 0xc004_5877, 0)
    })
    .staged(readable),
    proof("ioctl_fsthaw", "SYS_ADMIN", |file| {
        ioctl(file, 0xc004_5878, 0)
    })
    .staged(readable),
    proof("simple_xattr_list", "SYS_ADMIN", |_| {
        call!(SYS_listxattr, OWN_FILE, 0, 0)
    })
    .staged(|_| {
        number(call!(
            SYS_setxattr,
            OWN_FILE,
            c"trusted.name",
            c"value",
            5,
            0
        )?)
    })
    .gets_less(),
    proof("xattr_permission", "SYS_ADMIN", |_| {
        call!(SYS_setxattr, OWN_FILE, c"trusted.name", c"", 0, 0)
    })
    .fails(libc::EPERM),
    proof(
        "xattr_permission or xattr_permission@S_IFDIR",
        "FOWNER",
        |_| call!(SYS_setxattr, c"sticky", c"user.name", c"", 0, 0),
    ),
    proof(
        "cap_convert_nscap via capable_wrt_inode_uidgid",
        "SETFCAP",
        |_| crate::guest::scene::set_file_capabilities(OWN_FILE, 1),
    ),
    // While BPF is among the security modules of Linux 6.1, nothing is asked.
    proof("cap_inode_setxattr", "SYS_ADMIN", |_| {
        call!(SYS_setxattr, OWN_FILE, c"security.name", c"", 0, 0)
    })
    .only_on(
        "5.10,6.12+",
        "with BPF among its security modules, 6.1 does not ask",
    ),
    proof("cap_inode_removexattr", "SYS_ADMIN", |_| {
        call!(SYS_removexattr, OWN_FILE, c"security.name")
    })
    .only_on(
        "5.10,6.12+",
        "with BPF among its security modules, 6.1 does not ask",
    ),
    proof("cap_inode_removexattr", "SETFCAP", |_| {
        call!(SYS_removexattr, OWN_FILE, c"security.capability")
    })
    .only_on(
        "5.10,6.12+",
        "with BPF among its security modules, 6.1 does not ask",
    ),
    proof("pipe_set_size", "SYS_RESOURCE", |_| grow_pipe(2 << 20)),
    proof("pipe_set_size", "SYS_RESOURCE/SYS_ADMIN", |_| {
        grow_pipe(128 << 10)
    })
    .by_user()
    .while_set(SOFT, "1"),
    proof("alloc_pipe_info", "SYS_RESOURCE", pipe_size)
        .while_set("/proc/sys/fs/pipe-max-size", "4096")
        .gets_less(),
    proof("alloc_pipe_info", "SYS_RESOURCE/SYS_ADMIN", pipe_size)
        .by_user()
        .while_set(SOFT, "1")
        .gets_less(),
    proof("alloc_pipe_info#2", "SYS_RESOURCE/SYS_ADMIN", pipe_size)
        .by_user()
        .while_set(HARD, "1")
        .fails(libc::ENFILE),
    proof("alloc_empty_file", "SYS_ADMIN", |_| {
        call!(SYS_open, OWN_FILE, libc::O_RDONLY)
    })
    .while_set("/proc/sys/fs/file-max", "1"),
    // _IOW(0x8a, 1, struct epoll_params): a budget of 65
    proof("ep_eventpoll_bp_ioctl@EPIOCSPARAMS", "NET_ADMIN", |set| {
        ioctl(set, 0x4008_8a01, 65_u64 << 32)
    })
    .staged(|_| number(call!(SYS_epoll_create1, 0)?)),
];
