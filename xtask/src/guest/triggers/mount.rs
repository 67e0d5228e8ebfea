//! Mounts.

use crate::guest::capabilities::SYS_ADMIN;
use crate::guest::identity::Identity;
use crate::guest::scene::{MOUNT_POINT, Scene};
use crate::guest::syscall::{Answer, call};
use crate::guest::trigger::Verdict::{Absent, Denied, Granted};
use crate::guest::trigger::{Trigger, Whose, check};

const CALLERS: &[&str] = &[
    "may_mount",
    "path_mount",
    "do_mount",
    "sys_mount",
    "mount_capable",
    "do_new_mount",
    "vfs_get_tree",
    "can_umount",
    "path_umount",
    "sys_umount",
    "sys_fsopen",
    "sys_pivot_root",
    "path_pivot_root",
];

/// Triggers about mounts.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "mount",
        "mounts a tmpfs and unmounts it",
        &[check(SYS_ADMIN, [Granted, Denied, Denied], CALLERS).over_initial(true)],
        |_| mount_and_unmount(),
    )
    .harmful(),
    Trigger::new(
        "mount-own",
        "mounts a tmpfs in a mount namespace of its own",
        // Once over the namespace of the mounts, once over that of the file system.
        &[check(SYS_ADMIN, [Absent, Absent, Granted], CALLERS)
            .over_initial(false)
            .times(2)],
        |_| mount_and_unmount(),
    )
    .staged(own_mounts)
    .only_as(&[Identity::Userns]),
    Trigger::new(
        "pivot-root",
        "changes the root of all mounts to what it is",
        &[check(SYS_ADMIN, [Granted, Denied, Denied], CALLERS)],
        |_| call!(SYS_pivot_root, c"/", c"/"),
    ),
    Trigger::new(
        "fsopen",
        "prepares a file system to mount",
        &[check(SYS_ADMIN, [Granted, Denied, Denied], CALLERS)],
        |_| call!(SYS_fsopen, c"tmpfs", 0),
    ),
    Trigger::new(
        "copy-up",
        "writes to a file of an overlay, which copies it with the mounter's credentials",
        &[check(SYS_ADMIN, [Absent, Granted, Absent], &[]).with(Whose::Overridden)],
        |_| call!(SYS_open, c"mnt/all/file", libc::O_WRONLY),
    )
    .staged_as_root(overlay)
    .only_as(&[Identity::User])
    .harmful(),
];

fn mount_and_unmount() -> Answer {
    call!(SYS_mount, c"trigger", MOUNT_POINT, c"tmpfs", 0, 0)?;
    call!(SYS_umount2, MOUNT_POINT, 0)
}

/// A mount namespace of its own, whose mounts no other process sees.
fn own_mounts(_: &Scene) -> std::io::Result<i32> {
    let failed = std::io::Error::from_raw_os_error;
    call!(SYS_unshare, libc::CLONE_NEWNS).map_err(failed)?;
    call!(SYS_mount, 0, c"/", 0, libc::MS_REC | libc::MS_PRIVATE, 0).map_err(failed)?;
    Ok(-1)
}

/// An overlay over a file that everyone may write.
fn overlay(scene: &Scene) -> std::io::Result<i32> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = std::io::Error::from_raw_os_error;
    own_mounts(scene)?;
    call!(SYS_mount, c"trigger", MOUNT_POINT, c"tmpfs", 0, 0).map_err(failed)?;
    for folder in ["mnt/lower", "mnt/upper", "mnt/work", "mnt/all"] {
        std::fs::create_dir(folder)?;
    }
    std::fs::write("mnt/lower/file", "text")?;
    std::fs::set_permissions("mnt/lower/file", std::fs::Permissions::from_mode(0o666))?;
    for folder in ["mnt", "mnt/upper"] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    }
    call!(
        SYS_mount,
        c"trigger",
        c"mnt/all",
        c"overlay",
        0,
        c"lowerdir=mnt/lower,upperdir=mnt/upper,workdir=mnt/work",
    )
    .map_err(failed)?;
    Ok(-1)
}
