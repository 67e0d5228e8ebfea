//! Files against their mode (fs/namei.c, `generic_permission`).

use super::prelude::*;

const OVERRIDE: &str = "DAC_OVERRIDE";
const SEARCH: &str = "DAC_READ_SEARCH";

/// struct sockaddr_un
const ADDRESS: &[u8] = b"\x01\x00socket\0";

/// Another user's folder, which all may enter and nobody else may change.
fn open_folder(_: &Scene) -> Staged {
    number(call!(SYS_chmod, c"closed", 0o755)?)
}

fn inotify(_: &Scene) -> Staged {
    number(call!(SYS_inotify_init1, 0)?)
}

fn readable(_: &Scene) -> Staged {
    open(OTHERS_READABLE, libc::O_RDONLY)
}

/// A socket, beside one that another user listens on.
fn socket_of_other(_: &Scene) -> Staged {
    let _ = call!(SYS_unlink, c"socket");
    let theirs = socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0)?;
    call!(SYS_bind, theirs, ADDRESS, ADDRESS.len())?;
    call!(SYS_chown, c"socket", OTHER, u32::MAX)?;
    call!(SYS_chmod, c"socket", 0o600)?;
    socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0)
}

/// A file whose second page is a hole, and is not in memory.
fn hole(scene: &Scene) -> Staged {
    call!(SYS_truncate, OTHERS_READABLE, 8192)?;
    readable(scene)
}

fn resident(file: i32) -> Answer {
    let start = call!(
        SYS_mmap,
        0,
        8192,
        libc::PROT_READ,
        libc::MAP_SHARED,
        file,
        0
    )?;
    let mut pages = [0_u8; 2];
    call!(SYS_mincore, start, 8192, Argument::write(&mut pages))?;
    Ok(i64::from(pages[1] & 1))
}

/// cachestat(2), from 6.5
fn cached(file: i32) -> Answer {
    let mut statistics = [0_u64; 5];
    by_number(
        451,
        &[
            file.into(),
            Argument::read(&[0_u64; 2]),
            Argument::write(&mut statistics),
            0.into(),
        ],
    )
}

fn set_times(path: &std::ffi::CStr) -> Answer {
    call!(SYS_utimensat, libc::AT_FDCWD, path, 0, 0)
}

/// Proofs about what belongs to another user.
pub const PROOFS: &[Proof] = &[
    proof("generic_permission < do_faccessat", OVERRIDE, |_| {
        call!(SYS_access, c"closed", libc::W_OK)
    }),
    proof("generic_permission < do_faccessat", SEARCH, |_| {
        call!(SYS_access, c"closed", libc::R_OK)
    }),
    proof("generic_permission#2 < do_faccessat", OVERRIDE, |_| {
        call!(SYS_access, OTHERS_FILE, libc::W_OK)
    }),
    proof("generic_permission#2 < do_faccessat", SEARCH, |_| {
        call!(SYS_access, OTHERS_FILE, libc::R_OK)
    }),
    proof("generic_permission < inotify_find_inode", OVERRIDE, |set| {
        call!(SYS_inotify_add_watch, set, c"closed", libc::IN_MODIFY)
    })
    .staged(inotify),
    proof("generic_permission < inotify_find_inode", SEARCH, |set| {
        call!(SYS_inotify_add_watch, set, c"closed", libc::IN_MODIFY)
    })
    .staged(inotify),
    proof(
        "generic_permission#2 < inotify_find_inode",
        OVERRIDE,
        |set| call!(SYS_inotify_add_watch, set, OTHERS_FILE, libc::IN_MODIFY),
    )
    .staged(inotify),
    proof("generic_permission#2 < inotify_find_inode", SEARCH, |set| {
        call!(SYS_inotify_add_watch, set, OTHERS_FILE, libc::IN_MODIFY)
    })
    .staged(inotify),
    proof("generic_permission < link_path_walk", OVERRIDE, |_| {
        mode(CLOSED_FILE)
    }),
    proof("generic_permission < link_path_walk", SEARCH, |_| {
        mode(CLOSED_FILE)
    }),
    proof("generic_permission < lookup_open", OVERRIDE, |_| {
        call!(
            SYS_open,
            c"closed/new",
            libc::O_CREAT | libc::O_WRONLY,
            0o600
        )
    })
    .staged(open_folder)
    .only_on(
        "7.3+",
        "before, the compiler inlined lookup_open, so no stack names it",
    ),
    proof(
        "generic_permission < may_delete or generic_permission < may_delete_dentry",
        OVERRIDE,
        |_| call!(SYS_unlink, CLOSED_FILE),
    )
    .staged(open_folder),
    proof("generic_permission < may_open", OVERRIDE, |_| {
        call!(SYS_open, c"closed", libc::O_RDONLY)
    }),
    proof("generic_permission < may_open", SEARCH, |_| {
        call!(SYS_open, c"closed", libc::O_RDONLY)
    }),
    proof("generic_permission#2 < may_open", OVERRIDE, |_| {
        call!(SYS_open, OTHERS_FILE, libc::O_WRONLY)
    }),
    proof("generic_permission#2 < may_open", SEARCH, |_| {
        call!(SYS_open, OTHERS_FILE, libc::O_RDONLY)
    }),
    proof("generic_permission < notify_change", OVERRIDE, |_| {
        set_times(c"closed")
    }),
    proof("generic_permission#2 < notify_change", OVERRIDE, |_| {
        set_times(OTHERS_FILE)
    }),
    proof("may_setattr or notify_change", "FOWNER", |_| {
        set_times(OTHERS_FILE)
    }),
    proof("generic_permission < proc_fd_permission", OVERRIDE, |pid| {
        open_of(pid, "fd", libc::O_RDONLY)
    })
    .lacking(&[SEARCH])
    .staged(other),
    proof("generic_permission < proc_fd_permission", SEARCH, |pid| {
        open_of(pid, "fd", libc::O_RDONLY)
    })
    .staged(other),
    proof("generic_permission < sys_chdir", OVERRIDE, |_| {
        call!(SYS_chdir, c"closed")
    }),
    proof("generic_permission < sys_chdir", SEARCH, |_| {
        call!(SYS_chdir, c"closed")
    }),
    proof("generic_permission#2 < may_linkat", OVERRIDE, |_| {
        call!(SYS_link, OTHERS_FILE, NEW_NAME)
    })
    .while_set("/proc/sys/fs/protected_hardlinks", "1"),
    proof("may_linkat", "FOWNER", |_| {
        call!(SYS_link, OTHERS_FILE, NEW_NAME)
    })
    .lacking(&[OVERRIDE])
    .while_set("/proc/sys/fs/protected_hardlinks", "1"),
    proof("generic_permission#2 < sys_cachestat", OVERRIDE, cached)
        .lacking(&["FOWNER"])
        .staged(readable),
    proof("sys_cachestat", "FOWNER", cached)
        .lacking(&[OVERRIDE])
        .staged(readable),
    proof("generic_permission#2 < sys_mincore", OVERRIDE, resident)
        .lacking(&["FOWNER"])
        .staged(hole)
        .gets_less(),
    proof("do_mincore", "FOWNER", resident)
        .lacking(&[OVERRIDE])
        .staged(hole)
        .gets_less(),
    proof(
        "generic_permission#2 < unix_find_other",
        OVERRIDE,
        |socket| call!(SYS_connect, socket, ADDRESS, ADDRESS.len()),
    )
    .staged(socket_of_other),
    proof("generic_permission#2 < vfs_truncate", OVERRIDE, |_| {
        call!(SYS_truncate, OTHERS_FILE, 0)
    }),
];
