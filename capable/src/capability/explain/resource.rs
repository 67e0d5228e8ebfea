//! Capabilities over shares of the machine: priorities, limits, locked and shared memory.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static RESOURCE: &[(Capability, Explanation)] = &[
    (
        Capability::IPC_LOCK,
        Explanation {
            summary: "lock memory beyond the limit",
            allows: "Pin memory in RAM beyond RLIMIT_MEMLOCK: mlock, huge pages in shared memory, buffers \
             for perf, io_uring, RDMA, VFIO and XDP. Lock and unlock any System V shared memory.",
            scope: Scope::Mixed,
            programs: &[
                "databases with huge pages",
                "Vault and other programs that keep secrets",
                "DPDK, QEMU with device passthrough",
                "JACK and PipeWire",
                "tracers on kernels before 5.11, where BPF maps count as locked memory",
            ],
            syscalls: &[
                "mlock",
                "mlockall",
                "mmap with MAP_LOCKED",
                "shmget with SHM_HUGETLB",
                "shmctl SHM_LOCK",
                "io_uring_setup",
                "perf_event_open's mmap",
            ],
            functions: &[
                "can_do_mlock",
                "do_mlock",
                "mlock_future_ok",
                "account_locked_vm",
                "user_shm_lock",
                "can_do_hugetlb_shm",
                "shmctl_do_lock",
            ],
            danger: Danger::Limited,
            holding: "The holder can use up memory that cannot be swapped, until the host runs \
             short. It gives no access.",
            alternatives: &[
                "Raise the limit: LimitMEMLOCK= in a unit, memlock in limits.conf(5), --ulimit \
                 memlock of docker.",
                "/proc/sys/vm/hugetlb_shm_group allows one group to use huge pages in shared \
                 memory.",
                "memfd_secret(2) or MADV_DONTDUMP for secrets, if the limit is large enough.",
                "A kernel of 5.11 or later charges BPF maps to the memory cgroup instead.",
            ],
            see: &["mlock(2)", "shmctl(2)", "getrlimit(2)"],
        },
    ),
    (
        Capability::IPC_OWNER,
        Explanation {
            summary: "use System V IPC objects of other users",
            allows: "Read and write System V shared memory, semaphores and message queues of any \
             user, whatever their modes say.",
            scope: Scope::Namespace,
            programs: &[
                "old databases with several users",
                "ipcs and monitoring agents that read queues of other users",
            ],
            syscalls: &[
                "shmat",
                "shmctl IPC_STAT",
                "semop",
                "semctl",
                "msgsnd",
                "msgrcv",
            ],
            functions: &["ipcperms"],
            danger: Danger::Serious,
            holding: "The holder can read and change what other programs keep in shared memory, \
             such as secrets or data that a privileged program relies on; but only in ipc \
             namespaces of its user namespace.",
            alternatives: &[
                "A common group and mode 0660 on the object.",
                "POSIX shared memory or memfd_create(2), with descriptors passed over a socket.",
                "Run the programs that share the object as the same user.",
            ],
            see: &["sysvipc(7)", "shmget(2)"],
        },
    ),
    (
        Capability::SYS_NICE,
        Explanation {
            summary: "raise priorities",
            allows: "Lower nice values, choose real-time and deadline scheduling, set the \
             scheduling, affinity and I/O priority of other users' processes, use the real-time \
             I/O class, move their memory between NUMA nodes, and give advice on their memory.",
            scope: Scope::Mixed,
            programs: &[
                "PipeWire, JACK and other audio",
                "chronyd, ptp4l, corosync, keepalived",
                "libvirt and QEMU (NUMA, real-time guests)",
                "numad and migratepages, which move other users' memory between NUMA nodes",
                "renice, chrt, ionice and taskset run as root",
                "graphics compositors (high priority contexts)",
            ],
            syscalls: &[
                "setpriority",
                "nice",
                "sched_setscheduler",
                "sched_setattr",
                "sched_setaffinity",
                "ioprio_set",
                "mbind with MPOL_MF_MOVE_ALL",
                "move_pages with MPOL_MF_MOVE_ALL",
                "migrate_pages",
                "process_madvise",
            ],
            functions: &[
                "can_nice",
                "user_check_sched_setscheduler",
                "cap_safe_nice",
                "set_one_prio_perm",
                "ioprio_check_cap",
            ],
            danger: Danger::Limited,
            holding: "The holder can starve everything else on its CPUs with a real-time loop, up \
             to what real-time throttling leaves. It gives no access.",
            alternatives: &[
                "RLIMIT_NICE and RLIMIT_RTPRIO: LimitNICE= and LimitRTPRIO= in a unit, \
                 limits.conf(5).",
                "Let the manager set it: Nice=, CPUSchedulingPolicy=, CPUAffinity=, \
                 IOSchedulingClass=, CPUWeight= in a unit.",
                "rtkit grants real-time priority to desktop audio.",
                "Binding a process's own memory to NUMA nodes (set_mempolicy, mbind, numactl) needs \
                 no capability; only moving pages that others share does (MPOL_MF_MOVE_ALL).",
            ],
            see: &[
                "sched(7)",
                "setpriority(2)",
                "ioprio_set(2)",
                "getrlimit(2)",
            ],
        },
    ),
    (
        Capability::SYS_RESOURCE,
        Explanation {
            summary: "exceed limits and quotas",
            allows: "Raise hard resource limits of any process; exceed disk quotas and use the \
             blocks that file systems reserve for root; exceed the limits on processes, pipes, \
             message queues, key maps and interrupts of the hardware clock; change the limits on \
             namespaces in /proc/sys/user; lower OOM scores below their minimum; resize file systems; set the I/O flusher flag.",
            scope: Scope::Mixed,
            programs: &[
                "systemd, sshd, login and PAM (pam_limits)",
                "container runtimes",
                "databases that raise their file limit",
                "kubelet and others that lower oom_score_adj",
                "resize2fs",
                "tracers before kernel 5.11, which raise RLIMIT_MEMLOCK",
            ],
            syscalls: &[
                "setrlimit",
                "prlimit64",
                "a write to /proc/PID/oom_score_adj or below /proc/sys/user",
                "write to a nearly full file system",
                "fcntl F_SETPIPE_SZ",
                "clone and fork beyond RLIMIT_NPROC",
                "prctl PR_SET_MM",
                "mq_open",
                "msgctl IPC_SET",
            ],
            functions: &[
                "do_prlimit",
                "check_prlimit_permission",
                "__set_oom_adj",
                "ignore_hardlimit",
                "ext4_has_free_clusters",
                "pipe_set_size",
                "too_many_unix_fds",
                "copy_process",
            ],
            danger: Danger::Serious,
            holding: "The holder can use up what limits reserve for the rest of the host: \
             processes, disk blocks, memory. It can take the host down, and shield itself from the \
             OOM killer.",
            alternatives: &[
                "LimitNOFILE=, LimitNPROC=, LimitMEMLOCK= and OOMScoreAdjust= in a unit; \
                 limits.conf(5); --ulimit and --oom-score-adj of docker.",
                "Soft limits can be raised to the hard limit without it.",
                "A user or group that the file system allows to use its reserved blocks (tune2fs \
                 -u, -g).",
                "The sysctls fs.pipe-max-size, fs.mqueue.* and kernel.msg* raise a limit for all \
                 processes.",
            ],
            see: &["getrlimit(2)", "proc(5)", "quotactl(2)", "pipe(7)"],
        },
    ),
];
