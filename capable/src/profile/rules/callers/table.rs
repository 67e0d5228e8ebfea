//! The table of kernel functions. Sources are of Linux 6.12 where no other version is named.

use super::Effect::{Choice, Gate, Sometimes};
use super::{Effect, Entry};
use crate::capability::Capability;

const fn entry(
    capability: Capability,
    callers: &'static [&'static str],
    effect: Effect,
    why: &'static str,
    source: &'static str,
) -> Entry {
    Entry {
        callers,
        syscalls: &[],
        capability: Some(capability),
        audited: None,
        effect,
        why,
        source,
    }
}

impl Entry {
    const fn unaudited(self) -> Self {
        Self {
            audited: Some(false),
            ..self
        }
    }

    const fn or_in(self, syscalls: &'static [&'static str]) -> Self {
        Self { syscalls, ..self }
    }
}

pub(super) const ENTRIES: &[Entry] = &[
    // Addresses and names that are shown or not.
    entry(
        Capability::SYSLOG,
        &["kallsyms_show_value", "restricted_pointer"],
        Choice,
        "decides whether kernel addresses are shown or printed as zeros",
        "kernel/ksyms_common.c kallsyms_show_value; lib/vsprintf.c restricted_pointer",
    ),
    entry(
        Capability::SYS_PTRACE,
        &["__ptrace_may_access", "ptrace_may_access", "do_task_stat"],
        Choice,
        "decides whether /proc/PID/stat shows addresses or zeros",
        "kernel/ptrace.c ptrace_has_cap with PTRACE_MODE_NOAUDIT; fs/proc/array.c do_task_stat",
    )
    .unaudited(),
    entry(
        Capability::SYS_ADMIN,
        &[
            "simple_xattr_list",
            "ext4_xattr_trusted_list",
            "ovl_can_list",
            "ovl_listxattr",
            "xfs_xattr_put_listent",
            "__xfs_xattr_put_listent",
        ],
        Choice,
        "decides whether a list of extended attributes includes the trusted.* ones",
        "fs/xattr.c simple_xattr_list; fs/ext4/xattr_trusted.c; fs/overlayfs/xattrs.c; \
         fs/xfs/xfs_xattr.c",
    ),
    entry(
        Capability::NET_ADMIN,
        &[
            "inet_diag_dump_icsk",
            "inet_diag_dump_one_icsk",
            "tcp_diag_dump",
            "udp_dump",
            "udp_dump_one",
            "raw_diag_dump",
            "raw_diag_dump_one",
            "mptcp_diag_dump",
            "mptcp_diag_dump_one",
            "inet_diag_bc_audit",
            "packet_diag_dump",
        ],
        Choice,
        "decides whether the list of sockets shows marks and filters",
        "net/ipv4/inet_diag.c, udp_diag.c, raw_diag.c; net/mptcp/mptcp_diag.c; net/packet/diag.c",
    ),
    entry(
        Capability::MAC_ADMIN,
        &[
            "has_cap_mac_admin",
            "selinux_inode_getsecurity",
            "selinux_inode_getxattr",
        ],
        Choice,
        "decides whether a label that the policy does not know is shown unchanged",
        "security/selinux/hooks.c selinux_inode_getsecurity",
    ),
    // Limits and accounting: asked whether or not the limit is reached.
    entry(
        Capability::IPC_LOCK,
        &["io_uring_create", "io_uring_setup"],
        Choice,
        "decides whether the ring's memory counts towards RLIMIT_MEMLOCK",
        "io_uring/io_uring.c io_uring_create",
    )
    .or_in(&["io_uring_setup"]),
    entry(
        Capability::IPC_LOCK,
        &[
            "account_locked_vm",
            "mm_account_pinned_pages",
            "xdp_umem_account_pages",
            "vfio_lock_acct",
        ],
        Choice,
        "decides whether pinned memory counts towards RLIMIT_MEMLOCK; only matters beyond that \
         limit",
        "mm/util.c account_locked_vm; net/core/skbuff.c mm_account_pinned_pages; \
         net/xdp/xdp_umem.c",
    ),
    entry(
        Capability::SYS_RESOURCE,
        &["__set_oom_adj", "oom_score_adj_write", "oom_adj_write"],
        Choice,
        "decides whether the written OOM score becomes the lowest that may be set later",
        "fs/proc/base.c __set_oom_adj",
    )
    .unaudited(),
    entry(
        Capability::SYS_RESOURCE,
        &["mqueue_get_inode", "mq_attr_ok"],
        Choice,
        "asked for each new message queue; only matters for one larger than /proc/sys/fs/mqueue/ \
         allows",
        "ipc/mqueue.c mqueue_get_inode",
    ),
    Entry {
        callers: &["alloc_pipe_info"],
        syscalls: &[],
        capability: None,
        audited: None,
        effect: Choice,
        why: "the pipes of the user exceed fs.pipe-user-pages-soft; without it, this pipe is \
         smaller",
        source: "fs/pipe.c alloc_pipe_info",
    },
    // Which way to take.
    entry(
        Capability::FSETID,
        &[],
        Choice,
        "nothing is refused: without it, chmod, chown and writing clear a file's set-user-ID and \
         set-group-ID bits; keep it if the program sets such bits",
        "fs/attr.c setattr_copy, setattr_should_drop_sgid; fs/inode.c inode_init_owner",
    ),
    entry(
        Capability::SETPCAP,
        &["cap_capset", "cap_inh_is_capped", "__do_sys_capset"],
        Choice,
        "asked by every capset(2); only matters for adding capabilities to the inheritable set \
         that are not permitted",
        "security/commoncap.c cap_capset, cap_inh_is_capped",
    )
    .or_in(&["capset"]),
    entry(
        Capability::BLOCK_SUSPEND,
        &["do_epoll_ctl"],
        Choice,
        "without it, EPOLLWAKEUP is ignored: the system may suspend while an event waits",
        "include/uapi/linux/eventpoll.h ep_take_care_of_epollwakeup; fs/eventpoll.c",
    )
    .or_in(&["epoll_ctl"]),
    Entry {
        callers: &["dev_load"],
        syscalls: &[],
        capability: None,
        audited: None,
        effect: Choice,
        why: "no network interface has the given name; with the capability, the kernel looks for a \
         module of that name",
        source: "net/core/dev_ioctl.c dev_load",
    },
    entry(
        Capability::NET_ADMIN,
        &["net_ctl_permissions"],
        Choice,
        "asked at every access to /proc/sys/net; only matters for writing there as a user other \
         than root",
        "net/sysctl_net.c net_ctl_permissions",
    ),
    entry(
        Capability::SYS_RESOURCE,
        &["set_permissions"],
        Choice,
        "asked at every access to /proc/sys/user; only matters for writing there",
        "kernel/ucount.c set_permissions",
    ),
    entry(
        Capability::SYS_ADMIN,
        &["drm_file_alloc"],
        Choice,
        "asked when a graphics device is opened; decides whether legacy calls need the consent of \
         the DRM master",
        "drivers/gpu/drm/drm_file.c drm_file_alloc",
    ),
    entry(
        Capability::NET_ADMIN,
        &["__vsock_create"],
        Choice,
        "decides whether a vsock socket may use a host's low ports and large buffers",
        "net/vmw_vsock/af_vsock.c __vsock_create",
    ),
    entry(
        Capability::SYS_ADMIN,
        &[
            "bpf_int_jit_compile",
            "do_jit",
            "build_bhb_mitigation",
            "emit_spectre_bhb_barrier",
        ],
        Choice,
        "decides whether a packet or seccomp filter is compiled without a barrier against \
         speculation",
        "arch/x86/net/bpf_jit_comp.c, arch/arm64/net/bpf_jit_comp.c (6.15 and stable)",
    ),
    // Gates that a reader might take for something else.
    entry(
        Capability::SYS_PTRACE,
        &["ptracer_capable"],
        Gate,
        "without it, the tracer may not see the memory, or the traced program does not get the \
         privileges of its file",
        "kernel/ptrace.c ptracer_capable; security/commoncap.c cap_bprm_creds_from_file",
    ),
    entry(
        Capability::SYS_ADMIN,
        &[
            "seccomp_prepare_filter",
            "seccomp_set_mode_filter",
            "do_seccomp",
        ],
        Gate,
        "a seccomp filter needs it unless no_new_privs is set; with no_new_privs it is not asked \
         for",
        "kernel/seccomp.c seccomp_prepare_filter",
    )
    .or_in(&["seccomp"]),
    entry(
        Capability::SYS_ADMIN,
        &["__do_sys_landlock_restrict_self", "landlock_restrict_self"],
        Gate,
        "a Landlock domain needs it unless no_new_privs is set; with no_new_privs it is not asked \
         for",
        "security/landlock/syscalls.c landlock_restrict_self",
    )
    .or_in(&["landlock_restrict_self"]),
    entry(
        Capability::SYS_RESOURCE,
        &["copy_process"],
        Gate,
        "the user has more processes than RLIMIT_NPROC allows; below that limit it is not asked \
         for",
        "kernel/fork.c copy_process",
    ),
    entry(
        Capability::SYS_NICE,
        &["can_nice"],
        Gate,
        "the priority is higher than RLIMIT_NICE allows; within that limit it is not asked for",
        "kernel/sched/syscalls.c can_nice",
    ),
    entry(
        Capability::SYS_RESOURCE,
        &["ext4_has_free_clusters", "ext4_claim_free_clusters"],
        Gate,
        "the file system has only its reserved blocks left; before that it is not asked for",
        "fs/ext4/balloc.c ext4_has_free_clusters",
    ),
    entry(
        Capability::SYS_RESOURCE,
        &["do_prlimit"],
        Gate,
        "a hard limit was raised; lowering one does not ask",
        "kernel/sys.c do_prlimit",
    ),
    // The check does not show which case it is.
    entry(
        Capability::PERFMON,
        &["bpf_check"],
        Sometimes,
        "with it, the verifier is less strict; many programs load without it",
        "kernel/bpf/verifier.c bpf_check",
    ),
    entry(
        Capability::SYS_ADMIN,
        &["__do_sys_fanotify_init", "do_fanotify_init"],
        Sometimes,
        "asked by every fanotify_init(2); groups that only report names and ids work without it",
        "fs/notify/fanotify/fanotify_user.c fanotify_init",
    )
    .or_in(&["fanotify_init"]),
    entry(
        Capability::SYS_TTY_CONFIG,
        &["vt_ioctl"],
        Sometimes,
        "asked by every ioctl on a virtual console that is not the process's own; only those \
         that change it need it",
        "drivers/tty/vt/vt_ioctl.c vt_ioctl",
    ),
    entry(
        Capability::NET_ADMIN,
        &["do_tcp_setsockopt"],
        Sometimes,
        "asked by TCP_CONGESTION for any algorithm; those in tcp_allowed_congestion_control need \
         no capability",
        "net/ipv4/tcp.c do_tcp_setsockopt; net/ipv4/tcp_cong.c tcp_set_congestion_control",
    ),
    entry(
        Capability::IPC_LOCK,
        &["shmctl_do_lock"],
        Sometimes,
        "asked before ownership is checked: the owner of the segment may lock it within \
         RLIMIT_MEMLOCK without it",
        "ipc/shm.c shmctl_do_lock",
    ),
    entry(
        Capability::SYS_RAWIO,
        &["scsi_cmd_allowed", "blk_verify_command"],
        Sometimes,
        "asked for every SCSI command; those in the kernel's list need no capability",
        "drivers/scsi/scsi_ioctl.c scsi_cmd_allowed",
    ),
    entry(
        Capability::SETUID,
        &["cap_bprm_creds_from_file", "cap_bprm_set_creds"],
        Sometimes,
        "a program with more privileges was executed while being traced or sharing its file-system \
         state; without it, the privileges are not gained",
        "security/commoncap.c cap_bprm_creds_from_file",
    ),
];
