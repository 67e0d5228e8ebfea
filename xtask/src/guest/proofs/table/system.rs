//! The clock, the log, modules, rebooting, accounting, performance events and auditing.

use super::prelude::*;

const ADMIN: &str = "SYS_ADMIN";

/// struct timex with these modes and nothing else
fn adjust(modes: u32) -> Answer {
    // SAFETY: an all-zero timex is a valid value of plain integers.
    let mut adjustment: libc::timex = unsafe { std::mem::zeroed() };
    adjustment.modes = modes;
    call!(SYS_adjtimex, Argument::write(&mut adjustment))
}

const ALARM: i32 = libc::CLOCK_BOOTTIME_ALARM;

/// NETLINK_AUDIT
const AUDIT: i32 = 9;

/// struct perf_event_attr of version 1: kind and configuration, other bits
fn measure(kind: u64, config: u64, bits: u64, pid: i32, cpu: i32) -> Answer {
    let mut attributes = [0_u64; 9];
    attributes[0] = kind | 72 << 32;
    attributes[1] = config;
    attributes[5] = bits;
    call!(
        SYS_perf_event_open,
        Argument::read(&attributes),
        pid,
        cpu,
        -1,
        0
    )
}

/// A software event: PERF_COUNT_SW_CPU_CLOCK
fn clock(bits: u64, pid: i32, cpu: i32) -> Answer {
    measure(1, 0, bits, pid, cpu)
}

/// exclude_kernel and exclude_hv
const USER_ONLY: u64 = 1 << 5 | 1 << 6;
const PARANOID: &str = "/proc/sys/kernel/perf_event_paranoid";
const PERFMON: &str = "PERFMON/SYS_ADMIN";

/// Proofs about the machine.
pub const PROOFS: &[Proof] = &[
    proof("cap_settime", "SYS_TIME", |_| {
        let mut now = [0_i64; 2];
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
    }),
    // ADJ_OFFSET_SINGLESHOT
    proof("timekeeping_validate_timex", "SYS_TIME", |_| adjust(0x8001)),
    proof("timekeeping_validate_timex#2", "SYS_TIME", |_| {
        adjust(libc::ADJ_MAXERROR)
    }),
    proof("sys_timerfd_create", "WAKE_ALARM", |_| {
        call!(SYS_timerfd_create, ALARM, 0)
    }),
    proof("do_timerfd_settime", "WAKE_ALARM", |timer| {
        call!(
            SYS_timerfd_settime,
            timer,
            0,
            Argument::read(&[0_i64; 4]),
            0
        )
    })
    .staged(|_| number(call!(SYS_timerfd_create, ALARM, 0)?)),
    proof("alarm_timer_create", "WAKE_ALARM", |_| {
        call!(SYS_timer_create, ALARM, 0, Argument::write(&mut 0_u64))
    }),
    proof("alarm_timer_nsleep", "WAKE_ALARM", |_| {
        call!(
            SYS_clock_nanosleep,
            ALARM,
            0,
            Argument::read(&[0_i64, 1]),
            0
        )
    }),
    proof("check_syslog_permissions", "SYSLOG", |_| {
        call!(SYS_syslog, 9, 0, 0)
    }),
    proof("check_syslog_permissions", ADMIN, |_| {
        call!(SYS_syslog, 9, 0, 0)
    })
    .lacking(&["SYSLOG"]),
    proof("sys_reboot", "SYS_BOOT", |_| call!(SYS_reboot, 0, 0, 0, 0)),
    proof("sys_acct", "SYS_PACCT", |_| call!(SYS_acct, 0)),
    proof("sys_vhangup", "SYS_TTY_CONFIG", |_| call!(SYS_vhangup))
        .staged(|_| number(call!(SYS_setsid)?)),
    proof("may_init_module", "SYS_MODULE", |_| {
        call!(SYS_init_module, &[0_u8; 64][..], 64, c"")
    }),
    proof("sys_delete_module", "SYS_MODULE", |_| {
        call!(SYS_delete_module, c"nonexistent", libc::O_NONBLOCK)
    }),
    proof(
        "kexec_load_check or kexec_load_permitted",
        "SYS_BOOT",
        |_| call!(SYS_kexec_load, 0, 0, 0, 0),
    ),
    proof("sys_kexec_file_load", "SYS_BOOT", |_| {
        call!(SYS_kexec_file_load, -1, -1, 0, 0, 0)
    }),
    proof("do_lookup_dcookie", ADMIN, |_| {
        call!(SYS_lookup_dcookie, 0, 0, 0)
    }),
    proof("sys_iopl", "SYS_RAWIO", |_| call!(SYS_iopl, 3)),
    proof("ksys_ioperm", "SYS_RAWIO", |_| {
        call!(SYS_ioperm, 0x80, 1, 1)
    }),
    proof("sys_fanotify_init via capable", ADMIN, |_| {
        call!(SYS_fanotify_init, 0, 0)
    }),
    // FAN_ENABLE_AUDIT
    proof("sys_fanotify_init", "AUDIT_WRITE", |_| {
        call!(SYS_fanotify_init, 0x40 | 4, 0)
    }),
    // FAN_MARK_ADD | FAN_MARK_FILESYSTEM of a group that users may make
    proof("do_fanotify_mark", ADMIN, |group| {
        call!(
            SYS_fanotify_mark,
            group,
            0x101,
            libc::FAN_OPEN,
            libc::AT_FDCWD,
            c"."
        )
    })
    .staged(|_| number(call!(SYS_fanotify_init, 0x200, 0)?)),
    proof("io_uring_allowed", ADMIN, |_| {
        call!(SYS_io_uring_setup, 1, Argument::write(&mut [0_u64; 15]))
    })
    .while_set("/proc/sys/kernel/io_uring_disabled", "1"),
    proof("io_uring_create", "IPC_LOCK", |_| {
        call!(SYS_io_uring_setup, 1, Argument::write(&mut [0_u64; 15]))
    }),
    proof("audit_multicast_bind", "AUDIT_READ", |socket| {
        call!(SYS_bind, socket, Argument::read(&[16_u32, 0, 1]), 12)
    })
    .staged(|_| socket(libc::AF_NETLINK, libc::SOCK_RAW, AUDIT)),
    // AUDIT_GET and a message of a user
    proof("audit_netlink_ok@AUDIT_GET", "AUDIT_CONTROL", |_| {
        netlink(AUDIT, 1000, 0, &[])
    }),
    proof(
        "audit_netlink_ok@AUDIT_FIRST_USER_MSG2",
        "AUDIT_WRITE",
        |_| netlink(AUDIT, 2100, 0, b"proof\0\0\0"),
    ),
    proof("sys_perf_event_open via capable", ADMIN, |_| {
        clock(USER_ONLY, 0, -1)
    })
    .while_set(PARANOID, "3"),
    proof("perf_allow_kernel < sys_perf_event_open", PERFMON, |_| {
        clock(0, 0, -1)
    })
    .while_set(PARANOID, "2"),
    proof("perf_allow_kernel", PERFMON, |_| clock(0, 0, -1))
        .while_set(PARANOID, "2")
        .only_on("5.10-6.1", "later, there is a line about each caller"),
    proof("perf_allow_cpu", PERFMON, |_| clock(USER_ONLY, -1, 0)).while_set(PARANOID, "2"),
    proof("sys_perf_event_open via perfmon_capable", PERFMON, |_| {
        clock(USER_ONLY | 1 << 28, 0, -1)
    })
    .while_set(PARANOID, "1"),
    proof("perf_check_permission", PERFMON, |pid| {
        clock(USER_ONLY, pid, -1)
    })
    .staged(other)
    .lacking(&["SYS_PTRACE"])
    .while_set(PARANOID, "1"),
    proof("hw_breakpoint_parse", ADMIN, |_| {
        // A write of four bytes at an address of the kernel
        let mut attributes = [0_u64; 10];
        attributes[0] = 5 | 80 << 32;
        attributes[6] = 2 << 32;
        attributes[7] = 0xffff_ffff_8100_0000;
        attributes[8] = 4;
        call!(
            SYS_perf_event_open,
            Argument::read(&attributes),
            0,
            -1,
            -1,
            0
        )
    })
    .while_set(PARANOID, "1"),
];
