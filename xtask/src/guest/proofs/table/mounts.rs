//! Mounting, in the old way and in the new one.

use super::prelude::*;

const ADMIN: &str = "SYS_ADMIN";
/// FSCONFIG_CMD_CREATE
const CREATE: i32 = 6;
/// FSCONFIG_CMD_RECONFIGURE
const RECONFIGURE: i32 = 7;

/// A context of a new file system.
fn context(kind: &std::ffi::CStr) -> Staged {
    number(call!(SYS_fsopen, kind, 0)?)
}

fn created(_: &Scene) -> Staged {
    let context = context(c"tmpfs")?;
    call!(SYS_fsconfig, context, CREATE, 0, 0, 0)?;
    Ok(context)
}

/// A tmpfs on the empty folder.
fn mounted(_: &Scene) -> Staged {
    number(call!(SYS_mount, c"none", c"mnt", c"tmpfs", 0, 0)?)
}

/// struct mount_attr: set MOUNT_ATTR_NOSUID
const NOSUID: [u64; 4] = [2, 0, 0, 0];

/// Proofs about mounts.
pub const PROOFS: &[Proof] = &[
    proof("path_mount", ADMIN, |_| {
        call!(SYS_mount, c"none", c"mnt", c"tmpfs", 0, 0)
    }),
    proof("do_new_mount", ADMIN, |_| {
        call!(SYS_mount, c"none", c"mnt", c"debugfs", 0, 0)
    })
    .in_user_namespace(),
    proof("do_remount", ADMIN, |_| {
        call!(SYS_mount, 0, c"mnt", 0, libc::MS_REMOUNT, 0)
    })
    .staged(mounted)
    .in_user_namespace(),
    proof("can_umount via may_mount", ADMIN, |_| {
        call!(SYS_umount2, c"mnt", 0)
    })
    .staged(mounted),
    proof("can_umount via ns_capable", ADMIN, |_| {
        call!(SYS_mount, c".", c"mnt", 0, libc::MS_BIND, 0)?;
        call!(SYS_umount2, c"mnt", libc::MNT_FORCE)
    })
    .in_user_namespace(),
    proof("sys_pivot_root or path_pivot_root", ADMIN, |_| {
        call!(SYS_pivot_root, c"mnt", c"mnt")
    }),
    proof("sys_chroot", "SYS_CHROOT", |_| call!(SYS_chroot, c".")),
    proof("sys_fchroot#2", "SYS_CHROOT", |_| {
        by_number(472, &[open(c".", libc::O_PATH)?.into(), 0.into()])
    }),
    proof("sys_fsopen", ADMIN, |_| call!(SYS_fsopen, c"tmpfs", 0)),
    proof("sys_fspick", ADMIN, |_| {
        call!(SYS_fspick, libc::AT_FDCWD, c"mnt", 0)
    })
    .staged(mounted),
    proof("sys_fsmount", ADMIN, |context| {
        call!(SYS_fsmount, context, 0, 0)
    })
    .staged(created),
    proof("sys_open_tree or vfs_open_tree", ADMIN, |_| {
        call!(SYS_open_tree, libc::AT_FDCWD, c"mnt", 1)
    }),
    proof("sys_move_mount", ADMIN, |_| {
        call!(
            SYS_move_mount,
            libc::AT_FDCWD,
            c"mnt",
            libc::AT_FDCWD,
            c"mnt",
            0
        )
    }),
    proof("sys_mount_setattr or wants_mount_setattr", ADMIN, |_| {
        call!(
            SYS_mount_setattr,
            libc::AT_FDCWD,
            c"mnt",
            0,
            Argument::read(&NOSUID),
            32
        )
    })
    .staged(mounted),
    proof(
        "vfs_cmd_create or vfs_fsconfig_locked@FSCONFIG_CMD_CREATE",
        ADMIN,
        |context| call!(SYS_fsconfig, context, CREATE, 0, 0, 0),
    )
    .staged(|_| context(c"tmpfs")),
    proof(
        "vfs_cmd_reconfigure or vfs_fsconfig_locked@FSCONFIG_CMD_RECONFIGURE",
        ADMIN,
        |context| call!(SYS_fsconfig, context, RECONFIGURE, 0, 0, 0),
    )
    .staged(|scene| {
        mounted(scene)?;
        number(call!(SYS_fspick, libc::AT_FDCWD, c"mnt", 0)?)
    }),
    proof("shmem_parse_one@Opt_noswap", ADMIN, |context| {
        call!(SYS_fsconfig, context, 0, c"noswap", 0, 0)
    })
    .staged(|_| context(c"tmpfs")),
    proof("bpf_parse_param@OPT_DELEGATE_CMDS", ADMIN, |context| {
        call!(SYS_fsconfig, context, 1, c"delegate_cmds", c"0x1", 0)
    })
    .staged(|_| context(c"bpf")),
    proof("sys_swapon", ADMIN, |_| {
        call!(SYS_swapon, c"/nonexistent", 0)
    }),
    proof("sys_swapoff", ADMIN, |_| {
        call!(SYS_swapoff, c"/nonexistent")
    }),
];
