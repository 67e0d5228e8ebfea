//! Files: their owners, who may read and write them, and how they may be changed.

use crate::guest::capabilities::{
    CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, LEASE, LINUX_IMMUTABLE, MKNOD, SETFCAP,
    SYS_CHROOT,
};
use crate::guest::identity::THIRD;
use crate::guest::scene::{
    CLOSED_FILE, NEW_NAME, OTHERS_FILE, OTHERS_READABLE, OWN_FILE, STICKY_FILE,
    set_file_capabilities,
};
use crate::guest::syscall::{Argument, call};
use crate::guest::trigger::Verdict::{Absent, Denied, Granted};
use crate::guest::trigger::{Trigger, check};

/// Triggers about files.
///
/// `capable_wrt_inode_uidgid` (kernel/capability.c) asks first and then looks whether the child
/// namespace maps the owner: the check is granted there, but the system call is refused.
/// `inode_owner_or_capable` (fs/inode.c) looks first and does not ask.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "chown",
        "gives away another user's file",
        &[check(
            CHOWN,
            [Granted, Denied, Absent],
            &["chown_ok", "setattr_prepare"],
        )],
        |_| call!(SYS_chown, OTHERS_FILE, THIRD, THIRD),
    ),
    Trigger::new(
        "chmod",
        "changes the mode of another user's file",
        &[check(
            FOWNER,
            [Granted, Denied, Absent],
            &["inode_owner_or_capable", "setattr_prepare"],
        )],
        |_| call!(SYS_chmod, OTHERS_FILE, 0o640),
    ),
    Trigger::new(
        "chmod-setgid",
        "sets the set-group-ID bit of a file of a foreign group",
        &[check(
            FSETID,
            [Granted, Denied, Granted],
            &["setattr_prepare", "in_group_or_capable", "setattr_copy"],
        )],
        |_| call!(SYS_chmod, OWN_FILE, 0o2755),
    ),
    Trigger::new(
        "write",
        "opens another user's file for writing",
        &[check(
            DAC_OVERRIDE,
            [Granted, Denied, Granted],
            &["generic_permission"],
        )],
        |_| call!(SYS_open, OTHERS_FILE, libc::O_WRONLY),
    ),
    Trigger::new(
        "read",
        "opens another user's file for reading",
        &[
            check(
                DAC_READ_SEARCH,
                [Granted, Denied, Granted],
                &["generic_permission"],
            ),
            check(
                DAC_OVERRIDE,
                [Absent, Denied, Granted],
                &["generic_permission"],
            ),
        ],
        |_| call!(SYS_open, OTHERS_FILE, libc::O_RDONLY),
    ),
    Trigger::new(
        "search",
        "opens a file below a folder that it may not enter",
        &[
            check(
                DAC_READ_SEARCH,
                [Granted, Denied, Granted],
                &["generic_permission"],
            ),
            check(
                DAC_OVERRIDE,
                [Absent, Denied, Granted],
                &["generic_permission"],
            ),
        ],
        |_| call!(SYS_open, CLOSED_FILE, libc::O_RDONLY),
    ),
    Trigger::new(
        "unlink-sticky",
        "removes another user's file from a sticky folder",
        &[check(
            FOWNER,
            [Granted, Denied, Granted],
            &["__check_sticky", "may_delete", "may_delete_dentry"],
        )],
        |_| call!(SYS_unlink, STICKY_FILE),
    ),
    Trigger::new(
        "handle",
        "opens a file by its handle",
        &[check(
            DAC_READ_SEARCH,
            [Granted, Denied, Denied],
            &[
                "handle_to_path",
                "may_decode_fh",
                "do_handle_open",
                "sys_open_by_handle_at",
            ],
        )],
        // struct file_handle: 8 bytes of a handle of a type that no file system has.
        |_| {
            call!(
                SYS_open_by_handle_at,
                libc::AT_FDCWD,
                &[8_u8, 0, 0, 0, 0xee, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
                0,
            )
        },
    ),
    Trigger::new(
        "mknod",
        "makes a device node",
        &[check(MKNOD, [Granted, Denied, Denied], &["vfs_mknod"])],
        // Device 1:3; 0:0 would be a whiteout, which anyone may create.
        |_| call!(SYS_mknod, NEW_NAME, libc::S_IFCHR | 0o600, 0x103),
    ),
    Trigger::new(
        "chroot",
        "changes its root",
        &[check(
            SYS_CHROOT,
            [Granted, Denied, Granted],
            &["sys_chroot", "path_chroot", "do_chroot"],
        )],
        |_| call!(SYS_chroot, c"."),
    ),
    Trigger::new(
        "setfcap",
        "gives an own file capabilities",
        &[
            check(
                SETFCAP,
                [Granted, Denied, Granted],
                &["cap_convert_nscap", "vfs_setxattr", "setxattr"],
            ),
            // Over the file system's own namespace, to decide between versions 2 and 3.
            check(
                SETFCAP,
                [Granted, Absent, Denied],
                &["cap_convert_nscap", "vfs_setxattr", "setxattr"],
            ),
        ],
        |_| set_file_capabilities(OWN_FILE, 1 << 13),
    )
    // The file's group must be mapped in the child namespace.
    .staged(|_| {
        let group = call!(SYS_getegid).unwrap_or_default();
        call!(SYS_chown, OWN_FILE, u32::MAX, group).map_err(std::io::Error::from_raw_os_error)?;
        Ok(-1)
    }),
    Trigger::new(
        "immutable",
        "makes an own file immutable, and mutable again",
        &[check(
            LINUX_IMMUTABLE,
            [Granted, Denied, Denied],
            &["fileattr_set_prepare", "vfs_fileattr_set", "ioctl_setflags"],
        )],
        |given| {
            // include/uapi/linux/fs.h
            const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
            const FS_IMMUTABLE_FL: i64 = 0x10;
            let set = call!(
                SYS_ioctl,
                given.prepared,
                FS_IOC_SETFLAGS,
                Argument::read(&FS_IMMUTABLE_FL),
            );
            if set.is_ok() {
                call!(
                    SYS_ioctl,
                    given.prepared,
                    FS_IOC_SETFLAGS,
                    Argument::read(&0_i64)
                )?;
            }
            set
        },
    )
    .staged(|_| crate::guest::scene::open("own")),
    Trigger::new(
        "lease",
        "takes a lease on another user's file",
        &[check(
            LEASE,
            [Granted, Denied, Denied],
            &[
                "generic_setlease",
                "vfs_setlease",
                "kernel_setlease",
                "fcntl_setlease",
            ],
        )],
        |given| call!(SYS_fcntl, given.prepared, libc::F_SETLEASE, libc::F_RDLCK),
    )
    .staged(|_| crate::guest::scene::open("readable")),
    Trigger::new(
        "access",
        "asks access(2), which checks as the real user and not as the effective one",
        &[
            check(
                DAC_READ_SEARCH,
                [Denied, Absent, Absent],
                &["generic_permission"],
            )
            .with(crate::guest::trigger::Whose::Overridden),
            check(
                DAC_OVERRIDE,
                [Denied, Absent, Absent],
                &["generic_permission"],
            )
            .with(crate::guest::trigger::Whose::Overridden),
        ],
        |_| call!(SYS_access, OTHERS_FILE, libc::R_OK),
    )
    .real_user(crate::guest::identity::USER)
    .only_as(&[crate::guest::identity::Identity::Root])
    // As in a set-user-ID program of root: real user 1000, effective user 0.
    .staged(|_| {
        call!(SYS_setresuid, crate::guest::identity::USER, 0, 0)
            .map_err(std::io::Error::from_raw_os_error)?;
        Ok(-1)
    }),
    Trigger::new(
        "open-readable",
        "opens a file that everybody may read: no check at all",
        &[],
        |_| call!(SYS_open, OTHERS_READABLE, libc::O_RDONLY),
    ),
];
