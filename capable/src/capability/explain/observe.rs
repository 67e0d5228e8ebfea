//! Capabilities to observe the running system.

use super::{Danger, Explanation, Scope};
use crate::{arch::entry, capability::Capability};

pub(super) static OBSERVE: &[(Capability, Explanation)] = &[
    (
        Capability::SYSLOG,
        Explanation {
            summary: "read and clear the kernel log, see kernel addresses",
            allows: "Read the kernel log although dmesg_restrict is set, read it destructively, \
             clear it, and change which messages reach the console. See kernel addresses in \
             /proc/kallsyms and elsewhere while kptr_restrict is 1, and in /proc/kallsyms and \
             /proc/modules also while it is 0, unless perf_event_paranoid is 1 or less.",
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
            holding: "Kernel addresses and messages help an attacker of the kernel, because they \
             undo address randomisation. Clearing the log hides traces.",
            alternatives: &[
                "journalctl -k, for members of systemd-journal or adm.",
                "sysctl kernel.dmesg_restrict=0, if every user may read the log.",
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
             perf_event_paranoid says; read GPU counters. With CAP_BPF, load BPF programs for \
             tracing, which can read kernel memory.",
            scope: Scope::Mixed,
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
                entry!("perf_event_open"),
                "perf_check_permission",
                "perf_allow_kernel",
                "bpf_token_capable",
            ],
            danger: Danger::Serious,
            holding: "The holder can see what every process does, down to addresses and, with BPF, \
             memory, including keys and passwords. It can change little.",
            alternatives: &[
                "sysctl kernel.perf_event_paranoid: 2 allows a user to measure its own processes, \
                 1 the kernel on their behalf as well, 0 whole CPUs, and -1 everything.",
                "At level 2, the kernel's own default, measuring own processes in user space needs \
                 no capability. Debian's default is 3 and Ubuntu's is 4, which forbid even this.",
                "It is itself the narrow form of CAP_SYS_ADMIN, since 5.8. At level 3 and above, \
                 Debian and Ubuntu still ask for CAP_SYS_ADMIN in perf_event_open.",
                "A service that profiles on behalf of others, so that only this service holds the \
                 capability.",
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
            allows: "Use the parts of the bpf system call that are closed to ordinary users: all \
             kinds of maps, BTF, a less strict verifier (loops, larger programs), dumps of \
             compiled programs. Tracing programs also need CAP_PERFMON, networking programs \
             CAP_NET_ADMIN.",
            scope: Scope::Mixed,
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
            holding: "Alone, it loads programs that see little. With CAP_PERFMON they can read \
             kernel memory, with CAP_NET_ADMIN all traffic. The verifier is large and has had \
             flaws that allowed control of the kernel.",
            alternatives: &[
                "It is itself the narrow form of CAP_SYS_ADMIN, since 5.8. Listing all programs \
                 and maps by id, and writing to user memory, still require CAP_SYS_ADMIN.",
                "A BPF token (6.9) delegates chosen rights to a process in a user namespace.",
                "Let a privileged loader pin programs and maps in a bpffs; others then only open \
                 what is pinned.",
                "sysctl kernel.unprivileged_bpf_disabled=0 allows socket filters and a few kinds \
                 of map to everyone; most distributions advise against it.",
                "Classic socket filters (SO_ATTACH_FILTER) and seccomp do not need it.",
            ],
            see: &["bpf(2)", "bpf-helpers(7)"],
        },
    ),
];
