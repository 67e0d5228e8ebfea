//! Processes: priorities, limits, signals, tracing, and their own capability sets.

use std::mem::zeroed;

use crate::guest::capabilities::{KILL, SETPCAP, SYS_ADMIN, SYS_NICE, SYS_PTRACE, SYS_RESOURCE};
use crate::guest::syscall::{Argument, call};
use crate::guest::trigger::Verdict::{Absent, Any, Denied, Granted};
use crate::guest::trigger::{Trigger, check};

const PTRACE_CALLERS: &[&str] = &[
    "ptrace_has_cap",
    "__ptrace_may_access",
    "ptrace_may_access",
    "ptrace_attach",
    "do_task_stat",
];

/// Triggers about processes.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "kill",
        "asks whether it may signal another user's process",
        &[check(
            KILL,
            [Granted, Denied, Denied],
            &["kill_ok_by_cred", "check_kill_permission"],
        )],
        |given| call!(SYS_kill, given.scene.others_process(), 0),
    ),
    Trigger::new(
        "nice",
        "raises its own priority",
        &[check(SYS_NICE, [Granted, Denied, Denied], &["can_nice"])],
        |_| call!(SYS_setpriority, libc::PRIO_PROCESS, 0, -5),
    ),
    Trigger::new(
        "scheduler",
        "asks for a real-time policy",
        &[check(
            SYS_NICE,
            [Granted, Denied, Denied],
            &["__sched_setscheduler", "user_check_sched_setscheduler"],
        )],
        |_| {
            let parameters = libc::sched_param { sched_priority: 1 };
            call!(
                SYS_sched_setscheduler,
                0,
                libc::SCHED_FIFO,
                Argument::read(&parameters)
            )
        },
    ),
    Trigger::new(
        "affinity",
        "moves another user's process to the first processor",
        &[check(
            SYS_NICE,
            [Granted, Denied, Denied],
            &["sched_setaffinity", "sys_sched_setaffinity"],
        )],
        |given| {
            call!(
                SYS_sched_setaffinity,
                given.scene.others_process(),
                8,
                Argument::read(&1_u64),
            )
        },
    ),
    Trigger::new(
        "rlimit",
        "raises a hard limit",
        &[check(
            SYS_RESOURCE,
            [Granted, Denied, Denied],
            &["do_prlimit", "sys_prlimit64", "sys_setrlimit"],
        )],
        |_| {
            let limit = libc::rlimit {
                rlim_cur: 4096,
                rlim_max: 1 << 30,
            };
            call!(SYS_setrlimit, libc::RLIMIT_MSGQUEUE, Argument::read(&limit))
        },
    ),
    Trigger::new(
        "ptrace",
        "attaches to another user's process",
        &[check(SYS_PTRACE, [Granted, Denied, Denied], PTRACE_CALLERS)],
        |given| {
            call!(
                SYS_ptrace,
                libc::PTRACE_SEIZE,
                given.scene.others_process(),
                0,
                0
            )
        },
    ),
    Trigger::new(
        "proc-stat",
        "reads another user's /proc/PID/stat, which hides addresses without a log",
        &[check(SYS_PTRACE, [Granted, Denied, Denied], PTRACE_CALLERS).unaudited()],
        |given| {
            let mut text = [0_u8; 64];
            call!(SYS_read, given.prepared, Argument::write(&mut text), 64)
        },
    )
    .staged(|scene| crate::guest::scene::open(&format!("/proc/{}/stat", scene.others_process()))),
    Trigger::new(
        "prctl-mm",
        "moves its own heap",
        &[check(
            SYS_RESOURCE,
            [Granted, Denied, Denied],
            &["prctl_set_mm", "sys_prctl"],
        )],
        // Address 0 is refused after the check.
        |_| {
            call!(
                SYS_prctl,
                libc::PR_SET_MM,
                libc::PR_SET_MM_START_BRK,
                0,
                0,
                0
            )
        },
    ),
    Trigger::new(
        "bounding-drop",
        "drops a capability from its bounding set",
        &[check(
            SETPCAP,
            [Granted, Denied, Granted],
            &["cap_prctl_drop", "cap_task_prctl"],
        )],
        |_| call!(SYS_prctl, libc::PR_CAPBSET_DROP, 35, 0, 0, 0),
    ),
    Trigger::new(
        "securebits",
        "sets its securebits as they are",
        &[check(
            SETPCAP,
            [Granted, Denied, Granted],
            &["cap_task_prctl"],
        )],
        |_| call!(SYS_prctl, libc::PR_SET_SECUREBITS, 0, 0, 0, 0),
    ),
    Trigger::new(
        "capset",
        "clears its capability sets",
        &[check(
            SETPCAP,
            [Granted, Denied, Granted],
            &["cap_capset", "cap_inh_is_capped"],
        )],
        |_| {
            // include/uapi/linux/capability.h, _LINUX_CAPABILITY_VERSION_3
            let header = [0x2008_0522_u32, 0];
            call!(
                SYS_capset,
                Argument::read(&header),
                Argument::read(&[0_u32; 6]),
            )
        },
    ),
    Trigger::new(
        "seccomp",
        "installs a filter without no_new_privs",
        &[check(
            SYS_ADMIN,
            [Granted, Denied, Granted],
            &[
                "seccomp_prepare_filter",
                "seccomp_prepare_user_filter",
                "seccomp_set_mode_filter",
                "do_seccomp",
                "prctl_set_seccomp",
            ],
        )
        .unaudited()],
        |_| {
            // BPF_RET | BPF_K, SECCOMP_RET_ALLOW
            let mut filter = [libc::sock_filter {
                code: 6,
                jt: 0,
                jf: 0,
                k: 0x7fff_0000,
            }];
            let program = libc::sock_fprog {
                len: 1,
                filter: filter.as_mut_ptr(),
            };
            call!(
                SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                0,
                Argument::read(&program)
            )
        },
    ),
    Trigger::new(
        "ioprio",
        "asks for a real-time class of input and output",
        &[
            // Kernels ask for one of the two first; the order has changed over time.
            check(
                SYS_NICE,
                [Any, Any, Any],
                &["ioprio_check_cap", "sys_ioprio_set"],
            ),
            check(
                SYS_ADMIN,
                [Any, Denied, Denied],
                &["ioprio_check_cap", "sys_ioprio_set"],
            ),
        ],
        // IOPRIO_WHO_PROCESS, this thread, IOPRIO_CLASS_RT << 13
        |_| call!(SYS_ioprio_set, 1, 0, 1 << 13),
    ),
    Trigger::new(
        "rlimit-get",
        "reads an own limit: no check at all",
        &[],
        |_| {
            // SAFETY: an all-zero rlimit is a valid value of plain integers.
            let mut limit: libc::rlimit = unsafe { zeroed() };
            call!(
                SYS_getrlimit,
                libc::RLIMIT_CORE,
                Argument::write(&mut limit)
            )
        },
    ),
    Trigger::new(
        "nice-down",
        "lowers its own priority: no check at all",
        &[check(SYS_NICE, [Absent, Absent, Absent], &[])],
        |_| call!(SYS_setpriority, libc::PRIO_PROCESS, 0, 5),
    ),
];
