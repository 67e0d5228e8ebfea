//! Capabilities over other processes: signals, tracing, root directories, snapshots.

use super::{Danger, Explanation, Scope};
use crate::{arch::entry, capability::Capability};

pub(super) static PROCESS: &[(Capability, Explanation)] = &[
    (
        Capability::KILL,
        Explanation {
            summary: "signal any process",
            allows: "Send any signal to any process. Without it, the user ids must match. Also receive \
             the signal of a console key (KDSIGACCEPT).",
            scope: Scope::Mixed,
            programs: &[
                "kill, pkill and killall run as root",
                "service managers and supervisors",
                "OOM daemons such as earlyoom",
                "container runtimes",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &[
                "kill",
                "tgkill",
                "rt_sigqueueinfo",
                "pidfd_send_signal",
                "ioctl KDSIGACCEPT",
                "perf_event_open with sigtrap",
            ],
            functions: &["kill_ok_by_cred", "check_kill_permission"],
            danger: Danger::Serious,
            holding: "The holder can end or stop every process of every user, including those that \
             protect the host. It can read and change nothing.",
            alternatives: &[
                "Run the sender as the same user as the receivers.",
                "A parent needs no capability to signal children that run as its own user.",
                "Let the service manager do it: systemctl kill, with a polkit rule.",
                "SIGCONT within a session needs no capability. Signal 0 only tests whether the \
                 process exists: look for /proc/PID instead.",
            ],
            see: &["kill(2)", "pidfd_send_signal(2)", "signal(7)"],
        },
    ),
    (
        Capability::SYS_PTRACE,
        Explanation {
            summary: "inspect and control any process",
            allows: "Trace any process; read and write its memory; see what /proc otherwise hides: \
             memory maps, environment, open files, auxiliary vector; duplicate its \
             file descriptors; compare its kernel objects. Also let a userfaultfd handle faults of \
             the kernel itself, and change Yama's ptrace_scope. /proc/PID/stack takes CAP_SYS_ADMIN \
             instead.",
            scope: Scope::Mixed,
            programs: &[
                "strace, ltrace, gdb and crash handlers on processes of other users",
                "ps, lsof, ss -p, fuser, top, which read /proc of other users' processes",
                "monitoring agents that map sockets to processes",
                "CRIU",
                "tracers in user space that read /proc/PID/root and maps",
            ],
            syscalls: &[
                "ptrace",
                "process_vm_readv",
                "process_vm_writev",
                "pidfd_getfd",
                "kcmp",
                "get_robust_list",
                "userfaultfd",
                "readlink and open below /proc/PID: exe, fd, cwd, root, maps, environ, mem, ns",
            ],
            functions: &[
                "__ptrace_may_access",
                "cap_ptrace_access_check",
                "ptracer_capable",
                "yama_ptrace_access_check",
            ],
            danger: Danger::EqualsRoot,
            holding: "The holder can write code into a process of root, and so is equal to root; \
             in a container that shares the host's pid namespace, to root on the host.",
            alternatives: &[
                "Run the tool as the user of its target. A process can always trace its own \
                 children (up to the limits of /proc/sys/kernel/yama/ptrace_scope).",
                "Under Yama, PR_SET_PTRACER allows one process to be traced by one other.",
                "ps, lsof and ss work without it, and only show less of other users' processes.",
                "CAP_PERFMON, if the purpose is to measure other processes with perf_event_open.",
                "CAP_CHECKPOINT_RESTORE for parts of what CRIU does.",
            ],
            see: &[
                "ptrace(2), Ptrace access mode checking",
                "proc(5)",
                "process_vm_readv(2)",
                "userfaultfd(2)",
            ],
        },
    ),
    (
        Capability::SYS_CHROOT,
        Explanation {
            summary: "change the root directory",
            allows: "Call chroot, and enter another mount namespace (which also needs \
             CAP_SYS_ADMIN).",
            scope: Scope::Namespace,
            programs: &[
                "sshd, vsftpd, Postfix, BIND and other daemons that confine themselves",
                "chroot, debootstrap, package build tools",
                "nsenter and docker exec",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &["chroot", "setns of a mount namespace"],
            functions: &[entry!("chroot"), "mntns_install"],
            danger: Danger::Serious,
            holding: "The holder can leave a chroot. It can also run a set-user-ID program below a \
             root with its own /etc/passwd and libraries, if it can get such a program there (hard \
             link protection usually prevents this).",
            alternatives: &[
                "RootDirectory= or RootImage= in a unit: systemd changes the root before the \
                 program starts.",
                "An unprivileged user namespace (unshare -r, bubblewrap) provides the capability \
                 inside it only.",
                "Landlock, or ProtectSystem= and InaccessiblePaths=, restrict files without a new \
                 root.",
                "no_new_privs removes the danger of set-user-ID programs.",
            ],
            see: &["chroot(2)", "mount_namespaces(7)", "setns(2)"],
        },
    ),
    (
        Capability::CHECKPOINT_RESTORE,
        Explanation {
            summary: "save and restore processes",
            allows: "Choose the pid of a new process, follow the links in /proc/PID/map_files, set \
             the process's own /proc/PID/exe link, and save and restore the locked settings of a \
             terminal and the state of some devices.",
            scope: Scope::Mixed,
            programs: &[
                "CRIU, and podman checkpoint and docker checkpoint with it",
                "JVMs that start from a snapshot (CRaC)",
                "profilers and symbolisers that read /proc/PID/map_files",
            ],
            syscalls: &[
                "clone3 with set_tid",
                "a write to /proc/sys/kernel/ns_last_pid",
                "readlink of /proc/PID/map_files/*",
                "prctl PR_SET_MM",
                "ioctl TIOCSLCKTRMIOS",
            ],
            functions: &[
                "alloc_pid",
                "pid_ns_ctl_handler",
                "proc_map_files_get_link",
                "prctl_set_mm_map",
            ],
            danger: Danger::Limited,
            holding: "Alone, little: a chosen pid or a false /proc/PID/exe deceives programs that \
             trust them. map_files gives access to files despite the permissions of their \
             directories, but only for processes that may be traced anyway.",
            alternatives: &[
                "It is itself the narrow form of CAP_SYS_ADMIN, since 5.9. CRIU uses it with \
                 --unprivileged.",
                "A process in its own user namespace has it there.",
            ],
            see: &["clone(2)", "proc(5)", "prctl(2), PR_SET_MM"],
        },
    ),
];
