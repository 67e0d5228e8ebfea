//! What is asked of one process about another: signals, tracing, roots, snapshots.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static PROCESS: &[(Capability, Explanation)] = &[
    (
        Capability::KILL,
        Explanation {
            summary: "signal any process",
            allows: "Send any signal to any process. Without it the user ids must match.",
            scope: Scope::Namespace,
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
            holding: "Ends or stops every process of every user, the ones that guard the host included. It \
             reads and changes nothing.",
            alternatives: &[
                "Run the sender as the receivers' user.",
                "A parent needs nothing to signal children that run as its own user.",
                "Let the service manager do it: systemctl kill, with a polkit rule.",
                "SIGCONT within a session needs nothing. A signal with number 0 only asks whether \
                 the process is there: look for /proc/PID instead.",
            ],
            see: &["kill(2)", "pidfd_send_signal(2)", "signal(7)"],
        },
    ),
    (
        Capability::SYS_PTRACE,
        Explanation {
            summary: "look into and control any process",
            allows: "Trace any process; read and write its memory; see what /proc hides of it: memory \
             maps, environment, open files, auxiliary vector, kernel stack; take copies of its \
             file descriptors; compare its kernel objects. Also, let a userfaultfd handle the \
             kernel's own faults.",
            scope: Scope::Namespace,
            programs: &[
                "strace, ltrace, gdb and crash handlers on others' processes",
                "ps, lsof, ss -p, fuser, top: they read /proc of others",
                "monitoring agents that map sockets to processes",
                "CRIU",
                "user space tracers that read /proc/PID/root and maps",
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
            holding: "Writes its own code into a process of root. Whoever holds it is root, and in a \
             container that shares the host's pid namespace, root of the host.",
            alternatives: &[
                "Run the tool as the target's user; its own children can always be traced (mind \
                 /proc/sys/kernel/yama/ptrace_scope).",
                "PR_SET_PTRACER lets one process be traced by one other under Yama.",
                "ps, lsof and ss still work without it, only with less to show for others.",
                "CAP_PERFMON, where measuring others with perf_event_open is what it is for.",
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
            allows: "Call chroot, and enter another mount namespace (that one needs CAP_SYS_ADMIN too).",
            scope: Scope::Namespace,
            programs: &[
                "sshd, vsftpd, Postfix, BIND: daemons that lock themselves in",
                "chroot, debootstrap, package build tools",
                "nsenter and docker exec",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &["chroot", "setns of a mount namespace"],
            functions: &["__x64_sys_chroot", "mntns_install"],
            danger: Danger::Serious,
            holding: "Leaves a chroot it is in. It can start a set-user-ID program below a root with its \
             own /etc/passwd and libraries, where such a program can be had there (hard link \
             protection usually prevents that).",
            alternatives: &[
                "RootDirectory= or RootImage= in a unit: systemd does it before the program \
                 starts.",
                "An unprivileged user namespace (unshare -r, bubblewrap) holds the capability for \
                 itself only.",
                "Landlock, or ProtectSystem= and InaccessiblePaths=, restrict files without a new \
                 root.",
                "With no_new_privs the danger with set-user-ID programs is gone.",
            ],
            see: &["chroot(2)", "mount_namespaces(7)", "setns(2)"],
        },
    ),
    (
        Capability::CHECKPOINT_RESTORE,
        Explanation {
            summary: "save and restore processes",
            allows: "Choose the pid of a new process, follow the links in /proc/PID/map_files, set the \
             link /proc/PID/exe of its own, and save and restore the locked settings of a \
             terminal and the state of some devices.",
            scope: Scope::Mixed,
            programs: &[
                "CRIU, and podman checkpoint and docker checkpoint with it",
                "JVMs with fast start from a snapshot (CRaC)",
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
            holding: "Little alone: a chosen pid or a false /proc/PID/exe fools programs that trust them. \
             map_files reaches files past their directories' permissions, but only for processes \
             that may be traced anyway.",
            alternatives: &[
                "It is itself the narrow form of CAP_SYS_ADMIN, since 5.9. CRIU uses it with \
                 --unprivileged.",
                "In a user namespace of its own the process has it there.",
            ],
            see: &["clone(2)", "proc(5)", "prctl(2), PR_SET_MM"],
        },
    ),
];
