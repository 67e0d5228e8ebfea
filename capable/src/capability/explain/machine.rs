//! Capabilities over the machine's clock, consoles, sleep and process accounting.

use super::{Danger, Explanation, Scope};
use crate::{arch::entry, capability::Capability};

pub(super) static MACHINE: &[(Capability, Explanation)] = &[
    (
        Capability::SYS_PACCT,
        Explanation {
            summary: "switch process accounting on and off",
            allows: "Start and stop process accounting: the kernel's record of every process that \
             ends (acct).",
            scope: Scope::Host,
            programs: &["accton, of the acct and psacct packages"],
            syscalls: &["acct"],
            functions: &[entry!("acct")],
            danger: Danger::Limited,
            holding: "The holder can stop accounting to hide its traces, or fill up a file that it \
             may write to.",
            alternatives: &[
                "Start accounting at boot by a unit, and give the capability to nothing else.",
                "The audit system or an eBPF tracer of exec records more.",
            ],
            see: &["acct(2)", "acct(5)"],
        },
    ),
    (
        Capability::SYS_TIME,
        Explanation {
            summary: "set the clock",
            allows: "Set and adjust the system clock and the hardware clock, control PPS and PTP clocks, \
             and set the offsets of time namespaces.",
            scope: Scope::Mixed,
            programs: &[
                "chronyd, ntpd, systemd-timesyncd, ptp4l and phc2sys",
                "hwclock, date -s",
                "guest agents of hypervisors",
                "gpsd",
            ],
            syscalls: &[
                "clock_settime",
                "settimeofday",
                "adjtimex",
                "clock_adjtime",
                "ioctl RTC_SET_TIME",
                "ioctl PPS_SETPARAMS",
            ],
            functions: &["cap_settime", "timekeeping_validate_timex", "rtc_dev_ioctl"],
            danger: Danger::Serious,
            holding: "The holder can make expired certificates, tickets and one-time passwords \
             valid again, corrupt logs and databases, and upset everything that depends on the \
             clock. The whole host shares the clock, including containers.",
            alternatives: &[
                "One time daemon for the host: containers and other services then need none.",
                "A time namespace (unshare -T; setting it up takes the capability in its user \
                 namespace) shifts the monotonic and boot clocks for the processes in it.",
                "timedatectl over D-Bus, with a polkit rule. Reading the clock's state (adjtimex \
                 with modes 0) needs no capability.",
            ],
            see: &[
                "clock_settime(2)",
                "adjtimex(2)",
                "rtc(4)",
                "time_namespaces(7)",
            ],
        },
    ),
    (
        Capability::SYS_TTY_CONFIG,
        Explanation {
            summary: "configure terminals and virtual consoles",
            allows: "Control a virtual console that is not the process's own: switch, lock, change \
             mode, fonts and keyboard; change the key map and the strings of function keys; hang \
             up a terminal (vhangup).",
            scope: Scope::Host,
            programs: &[
                "display servers and systemd-logind",
                "loadkeys, setfont, openvt, chvt",
                "getty and login (vhangup)",
                "kmscon, plymouth",
            ],
            syscalls: &[
                "vhangup",
                "ioctl VT_*",
                "ioctl KDSETMODE",
                "ioctl KDSKBENT",
                "ioctl KDSKBSENT",
            ],
            functions: &[
                "vt_ioctl",
                "vt_do_kdsk_ioctl",
                "vt_do_kdgkb_ioctl",
                entry!("vhangup"),
            ],
            danger: Danger::Serious,
            holding: "All consoles share one key map, so the holder can make a key type a command \
             the next time root presses it. It can also disturb and lock the console.",
            alternatives: &[
                "systemd-logind hands the devices of a session to its leader, who then needs no \
                 capability.",
                "systemd-vconsole-setup, to set the key map and the font at boot.",
                "TTYVHangup= and TTYReset= in a unit: systemd hangs up the terminal before the \
                 program starts.",
            ],
            see: &["ioctl_console(2)", "vhangup(2)"],
        },
    ),
    (
        Capability::WAKE_ALARM,
        Explanation {
            summary: "set timers that wake the machine",
            allows: "Use the clocks that wake a suspended machine (CLOCK_REALTIME_ALARM, \
             CLOCK_BOOTTIME_ALARM).",
            scope: Scope::Host,
            programs: &[
                "systemd, for WakeSystem= in timers",
                "desktop alarm clocks",
                "Android's alarm manager",
            ],
            syscalls: &[
                "timer_create",
                "clock_nanosleep",
                "timerfd_create",
                "timerfd_settime",
            ],
            functions: &[
                "alarm_timer_create",
                "alarm_timer_nsleep",
                entry!("timerfd_create"),
                "do_timerfd_settime",
            ],
            danger: Danger::Limited,
            holding: "The holder can wake the machine when it should sleep, and so drain its \
             battery.",
            alternatives: &[
                "WakeSystem=true in a systemd timer, so that systemd holds it.",
                "A timer on an ordinary clock (CLOCK_BOOTTIME) also counts the time asleep, and \
                 expires right after the machine wakes.",
                "rtcwake(8), run by the administrator.",
            ],
            see: &["timer_create(2)", "timerfd_create(2)"],
        },
    ),
    (
        Capability::BLOCK_SUSPEND,
        Explanation {
            summary: "keep the machine awake",
            allows: "Prevent suspend while an epoll event is handled (EPOLLWAKEUP), or by \
             /sys/power/wake_lock.",
            scope: Scope::Host,
            programs: &[
                "programs whose event loop sets EPOLLWAKEUP",
                "Android's power manager",
            ],
            syscalls: &[
                "epoll_ctl with EPOLLWAKEUP",
                "a write to /sys/power/wake_lock",
            ],
            functions: &[
                "ep_take_care_of_epollwakeup",
                "pm_wake_lock",
                "pm_wake_unlock",
            ],
            danger: Danger::Limited,
            holding: "The holder can keep the machine from sleeping, and so drain its battery.",
            alternatives: &[
                "Often none is needed: without it EPOLLWAKEUP is silently ignored, and most \
                 programs lose nothing.",
                "An inhibitor lock of systemd-logind (systemd-inhibit) does the same with a \
                 polkit rule.",
            ],
            see: &["epoll_ctl(2)", "systemd-inhibit(1)"],
        },
    ),
];
