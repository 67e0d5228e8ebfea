//! What is asked for looking into the running system.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static OBSERVE: &[(Capability, Explanation)] = &[
    (
        Capability::SYSLOG,
        Explanation {
            summary: "read and clear the kernel log, see kernel addresses",
            allows: "Read the kernel log where dmesg_restrict is set, read it destructively, clear it, \
             change what reaches the console. See kernel addresses in /proc/kallsyms and \
             elsewhere while kptr_restrict is 1.",
            scope: Scope::Host,
            programs: &[
                "dmesg",
                "rsyslogd (imklog), klogd, systemd-journald",
                "perf, bpftrace and tracers that resolve kernel symbols",
                "monitoring agents that watch the kernel log",
            ],
            syscalls: &[
                "syslog",
                "open of /proc/kmsg",
                "open of /dev/kmsg with dmesg_restrict",
                "read of /proc/kallsyms and /proc/modules",
            ],
            functions: &[
                "check_syslog_permissions",
                "kallsyms_show_value",
                "restricted_pointer",
            ],
            danger: Danger::Limited,
            holding: "Kernel addresses and messages help whoever attacks the kernel: they undo address \
             randomisation. Clearing the log hides traces.",
            alternatives: &[
                "journalctl -k, for members of systemd-journal or adm.",
                "sysctl kernel.dmesg_restrict=0, where every user may read the log.",
                "Kernel symbols without addresses, or a System.map, for tools that only need \
                 names.",
                "It is itself the narrow form of CAP_SYS_ADMIN for the log, since 2.6.37.",
            ],
            see: &["syslog(2)", "dmesg(1)", "proc(5), kptr_restrict"],
        },
    ),
    (
        Capability::PERFMON,
        Explanation {
            summary: "measure and trace the whole system",
            allows: "Use perf_event_open on every process, every CPU and the kernel, whatever \
             perf_event_paranoid says; read GPU counters. With CAP_BPF, load tracing BPF programs \
             and let BPF read kernel memory.",
            scope: Scope::Host,
            programs: &[
                "perf, and profilers built on it",
                "bcc, bpftrace, capable and other eBPF tracers, with CAP_BPF",
                "eBPF agents: Cilium, Falco, Parca, Pixie",
                "intel_gpu_top",
                "turbostat",
            ],
            syscalls: &[
                "perf_event_open",
                "bpf",
                "ioctl of i915 and Xe observation streams",
                "user_events registration that persists",
            ],
            functions: &[
                "__x64_sys_perf_event_open",
                "perf_check_permission",
                "perf_allow_kernel",
                "bpf_token_capable",
            ],
            danger: Danger::Serious,
            holding: "Sees what every process does, down to addresses and, with BPF, memory: keys and \
             passwords can be read off. It changes little.",
            alternatives: &[
                "sysctl kernel.perf_event_paranoid: 2 and less allow a user's own processes, 1 \
                 the kernel in them, 0 whole CPUs; -1 everything.",
                "Own processes in user space need nothing at the default level. Debian and Ubuntu \
                 add levels above 2 that forbid even these.",
                "It is itself the narrow form of CAP_SYS_ADMIN, since 5.8. Debian and Ubuntu at \
                 level 3 and more still ask for CAP_SYS_ADMIN in perf_event_open.",
                "A service that profiles for others, so that only it holds the capability.",
            ],
            see: &[
                "perf_event_open(2)",
                "the kernel's documentation: admin-guide/perf-security",
                "bpf(2)",
            ],
        },
    ),
    (
        Capability::BPF,
        Explanation {
            summary: "load BPF programs and create BPF maps",
            allows: "Use the bpf system call where it is closed to users: all kinds of maps, BTF, \
             verifier freedoms such as loops and larger programs, dumps of compiled programs. \
             Tracing programs need CAP_PERFMON besides, networking programs CAP_NET_ADMIN.",
            scope: Scope::Host,
            programs: &[
                "bpftrace, bcc, bpftool, capable",
                "Cilium, Calico, Falco, Tetragon, Pixie",
                "systemd, for IPAddressAllow=, DeviceAllow= and RestrictFileSystems=",
                "container runtimes on cgroup v2 (device programs)",
            ],
            syscalls: &["bpf"],
            functions: &[
                "bpf_token_capable",
                "bpf_prog_load",
                "map_create",
                "bpf_check",
            ],
            danger: Danger::Serious,
            holding: "Alone it loads programs that see little. With CAP_PERFMON they read kernel memory, \
             with CAP_NET_ADMIN all traffic. The verifier is large and has had flaws that gave \
             the kernel away.",
            alternatives: &[
                "It is itself the narrow form of CAP_SYS_ADMIN, since 5.8. Walking all programs \
                 and maps by id, and writing to user memory, still take CAP_SYS_ADMIN.",
                "A BPF token (6.9) hands chosen rights to a process in a user namespace.",
                "Pin programs and maps in a bpffs from a privileged loader; users then only open \
                 what is pinned.",
                "sysctl kernel.unprivileged_bpf_disabled=0 opens socket filters and a few maps to \
                 everyone, which most distributions advise against.",
                "Classic socket filters (SO_ATTACH_FILTER) and seccomp need none.",
            ],
            see: &["bpf(2)", "bpf-helpers(7)"],
        },
    ),
];
