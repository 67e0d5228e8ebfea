//! System V objects and keys.

use std::mem::zeroed;

use crate::guest::capabilities::{IPC_OWNER, SYS_ADMIN};
use crate::guest::identity::OTHER;
use crate::guest::syscall::{Argument, call};
use crate::guest::trigger::Verdict::{Absent, Denied, Granted};
use crate::guest::trigger::{Trigger, check};

/// Triggers about objects that processes share. Their namespace is the initial one.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "ipc-stat",
        "looks at another user's message queue",
        &[check(IPC_OWNER, [Granted, Denied, Denied], &["ipcperms"])],
        |given| {
            // SAFETY: an all-zero msqid_ds is a valid value of plain integers.
            let mut state: libc::msqid_ds = unsafe { zeroed() };
            call!(
                SYS_msgctl,
                given.scene.others_queue,
                libc::IPC_STAT,
                Argument::write(&mut state),
            )
        },
    ),
    Trigger::new(
        "ipc-set",
        "changes another user's message queue",
        &[check(
            SYS_ADMIN,
            [Granted, Denied, Denied],
            &["ipcctl_obtain_check", "msgctl_down", "ksys_msgctl"],
        )],
        |given| {
            // SAFETY: an all-zero msqid_ds is a valid value of plain integers.
            let mut state: libc::msqid_ds = unsafe { zeroed() };
            state.msg_perm.uid = OTHER;
            state.msg_perm.gid = OTHER;
            state.msg_perm.mode = 0o600;
            state.msg_qbytes = 4096;
            call!(
                SYS_msgctl,
                given.scene.others_queue,
                libc::IPC_SET,
                Argument::read(&state),
            )
        },
    ),
    Trigger::new(
        "key-chown",
        "gives away a key",
        &[check(
            SYS_ADMIN,
            [Granted, Denied, Absent],
            &["keyctl_chown_key", "sys_keyctl"],
        )],
        |given| call!(SYS_keyctl, libc::KEYCTL_CHOWN, given.prepared, OTHER, -1),
    )
    .staged(|_| {
        let key = call!(
            SYS_add_key,
            c"user",
            c"trigger",
            c"secret",
            6,
            libc::KEY_SPEC_PROCESS_KEYRING,
        )
        .map_err(std::io::Error::from_raw_os_error)?;
        i32::try_from(key).map_err(std::io::Error::other)
    }),
];
