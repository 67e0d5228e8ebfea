//! The set*id family, whose checks carry `CAP_OPT_INSETID`.

use crate::guest::capabilities::{SETGID, SETUID};
use crate::guest::identity::OTHER;
use crate::guest::syscall::{Argument, call};
use crate::guest::trigger::Verdict::{Absent, Denied, Granted};
use crate::guest::trigger::{Trigger, check};

/// A user that the child namespace does not map is refused before the check: `Absent` there.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "setuid",
        "becomes root",
        &[check(
            SETUID,
            [Granted, Denied, Granted],
            &["__sys_setuid", "sys_setuid"],
        )
        .insetid()],
        |_| call!(SYS_setuid, 0),
    ),
    Trigger::new(
        "setgid",
        "takes the group of root",
        &[check(
            SETGID,
            [Granted, Denied, Granted],
            &["__sys_setgid", "sys_setgid"],
        )
        .insetid()],
        |_| call!(SYS_setgid, 0),
    ),
    Trigger::new(
        "setresuid",
        "becomes another user",
        &[check(
            SETUID,
            [Granted, Denied, Absent],
            &["__sys_setresuid", "sys_setresuid"],
        )
        .insetid()],
        |_| call!(SYS_setresuid, OTHER, OTHER, OTHER),
    ),
    Trigger::new(
        "setresgid",
        "takes another group",
        &[check(
            SETGID,
            [Granted, Denied, Absent],
            &["__sys_setresgid", "sys_setresgid"],
        )
        .insetid()],
        |_| call!(SYS_setresgid, OTHER, OTHER, OTHER),
    ),
    Trigger::new(
        "setfsuid",
        "touches files as another user",
        &[check(
            SETUID,
            [Granted, Denied, Absent],
            &["__sys_setfsuid", "sys_setfsuid"],
        )
        .insetid()],
        |_| call!(SYS_setfsuid, OTHER),
    ),
    Trigger::new(
        "setgroups",
        "gives up its supplementary groups",
        &[check(
            SETGID,
            [Granted, Denied, Granted],
            &["may_setgroups", "sys_setgroups"],
        )
        .insetid()],
        |_| call!(SYS_setgroups, 0, Argument::read(&0_u32)),
    ),
];
