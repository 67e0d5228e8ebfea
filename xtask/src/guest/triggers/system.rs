//! What concerns the whole machine: time, modules, ports, accounting, swap, the log.

use std::mem::zeroed;

use crate::guest::capabilities::{
    BLOCK_SUSPEND, SYS_ADMIN, SYS_BOOT, SYS_MODULE, SYS_PACCT, SYS_RAWIO, SYS_TIME, SYS_TTY_CONFIG,
    SYSLOG, WAKE_ALARM,
};
use crate::guest::syscall::{Argument, call};
use crate::guest::trigger::Verdict::{Absent, Any, Denied, Granted};
use crate::guest::trigger::{Trigger, check};

/// Triggers about the machine. All of these checks are made over the initial user namespace, so
/// root of a child namespace is denied.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "settime",
        "sets the clock to what it shows",
        &[check(
            SYS_TIME,
            [Granted, Denied, Denied],
            &["cap_settime", "security_settime64", "do_sys_settimeofday64"],
        )],
        |_| {
            // SAFETY: an all-zero timespec is a valid value of plain integers.
            let mut now: libc::timespec = unsafe { zeroed() };
            call!(
                SYS_clock_gettime,
                libc::CLOCK_REALTIME,
                Argument::write(&mut now)
            )?;
            call!(
                SYS_clock_settime,
                libc::CLOCK_REALTIME,
                Argument::read(&now)
            )
        },
    )
    .harmful(),
    Trigger::new(
        "adjtimex",
        "adjusts the clock by nothing",
        &[check(
            SYS_TIME,
            [Granted, Denied, Denied],
            &[
                "timekeeping_validate_timex",
                "ntp_validate_timex",
                "do_adjtimex",
                "__do_adjtimex",
            ],
        )],
        |_| {
            // SAFETY: an all-zero timex is a valid value of plain integers.
            let mut adjustment: libc::timex = unsafe { zeroed() };
            adjustment.modes = libc::ADJ_MAXERROR;
            call!(SYS_adjtimex, Argument::write(&mut adjustment))
        },
    )
    .harmful(),
    Trigger::new(
        "init-module",
        "loads what is no module",
        &[check(
            SYS_MODULE,
            [Granted, Denied, Denied],
            &["may_init_module", "sys_init_module"],
        )],
        |_| call!(SYS_init_module, &[0_u8; 64][..], 64, c""),
    ),
    Trigger::new(
        "reboot",
        "reboots with a wrong magic number, which is refused after the check",
        &[check(SYS_BOOT, [Granted, Denied, Denied], &["sys_reboot"])],
        |_| call!(SYS_reboot, 0, 0, 0, 0),
    ),
    Trigger::new(
        "syslog",
        "asks how much of the kernel's log is unread",
        &[check(
            SYSLOG,
            [Granted, Denied, Denied],
            &["check_syslog_permissions", "do_syslog"],
        )],
        |_| call!(SYS_syslog, 9, 0, 0),
    ),
    Trigger::new(
        "kallsyms",
        "opens the kernel's symbol table, which hides addresses without a log",
        &[check(
            SYSLOG,
            [Granted, Denied, Denied],
            &["kallsyms_show_value", "kallsyms_open"],
        )
        .unaudited()],
        |_| call!(SYS_open, c"/proc/kallsyms", libc::O_RDONLY),
    ),
    Trigger::new(
        "iopl",
        "takes all ports",
        &[check(
            SYS_RAWIO,
            [Granted, Denied, Denied],
            &["sys_iopl", "ksys_iopl"],
        )],
        |_| call!(SYS_iopl, 3),
    ),
    Trigger::new(
        "ioperm",
        "takes one port",
        &[check(
            SYS_RAWIO,
            [Granted, Denied, Denied],
            &["ksys_ioperm", "sys_ioperm"],
        )],
        |_| call!(SYS_ioperm, 0x80, 1, 1),
    ),
    Trigger::new(
        "acct",
        "turns accounting off",
        &[check(SYS_PACCT, [Granted, Denied, Denied], &["sys_acct"])],
        |_| call!(SYS_acct, 0),
    )
    .harmful(),
    Trigger::new(
        "vhangup",
        "hangs up the terminal that it does not have",
        &[check(
            SYS_TTY_CONFIG,
            [Granted, Denied, Denied],
            &["sys_vhangup"],
        )],
        |_| call!(SYS_vhangup),
    )
    .staged(|_| {
        // A session of its own has no terminal.
        call!(SYS_setsid).map_err(std::io::Error::from_raw_os_error)?;
        Ok(-1)
    })
    .harmful(),
    Trigger::new(
        "swapon",
        "swaps to what does not exist",
        &[check(SYS_ADMIN, [Granted, Denied, Denied], &["sys_swapon"])],
        |_| call!(SYS_swapon, c"/nonexistent", 0),
    ),
    Trigger::new(
        "swapoff",
        "stops swapping to what does not exist",
        &[check(
            SYS_ADMIN,
            [Granted, Denied, Denied],
            &["sys_swapoff"],
        )],
        |_| call!(SYS_swapoff, c"/nonexistent"),
    ),
    Trigger::new(
        "wake-alarm",
        "makes a timer that wakes the machine",
        &[check(
            WAKE_ALARM,
            [Granted, Denied, Denied],
            &["sys_timerfd_create"],
        )],
        |_| call!(SYS_timerfd_create, libc::CLOCK_BOOTTIME_ALARM, 0),
    ),
    Trigger::new(
        "epoll-wakeup",
        "keeps the machine awake while an event waits",
        &[check(
            BLOCK_SUSPEND,
            [Granted, Denied, Denied],
            &[
                "sys_epoll_ctl",
                "do_epoll_ctl",
                "do_epoll_ctl_file",
                "ep_take_care_of_epollwakeup",
            ],
        )],
        |given| {
            let event = libc::epoll_event {
                events: (libc::EPOLLIN | libc::EPOLLWAKEUP) as u32,
                u64: 0,
            };
            let set = call!(SYS_epoll_create1, 0)?;
            call!(
                SYS_epoll_ctl,
                set,
                libc::EPOLL_CTL_ADD,
                given.prepared,
                Argument::read(&event),
            )
        },
    )
    .staged(|_| {
        let event = call!(SYS_eventfd2, 0, 0).map_err(std::io::Error::from_raw_os_error)?;
        i32::try_from(event).map_err(std::io::Error::other)
    }),
    Trigger::new(
        "fanotify",
        "watches all file systems",
        &[check(
            SYS_ADMIN,
            [Granted, Denied, Denied],
            &["sys_fanotify_init"],
        )],
        |_| call!(SYS_fanotify_init, 0, 0),
    ),
    Trigger::new(
        "clock-read",
        "reads the clock: no check at all",
        &[
            check(SYS_TIME, [Absent, Absent, Absent], &[]),
            check(SYS_ADMIN, [Any, Any, Any], &[]),
        ],
        |_| {
            // SAFETY: an all-zero timespec is a valid value of plain integers.
            let mut now: libc::timespec = unsafe { zeroed() };
            call!(
                SYS_clock_gettime,
                libc::CLOCK_REALTIME,
                Argument::write(&mut now)
            )
        },
    ),
];
