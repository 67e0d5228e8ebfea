//! Priorities, limits, signals, tracing and what one process may do to another.

use super::prelude::*;

/// PTRACE_SECCOMP_GET_FILTER
const GET_FILTER: i32 = 0x420c;
/// PTRACE_SECCOMP_GET_METADATA
const GET_METADATA: i32 = 0x420d;

/// SECCOMP_SET_MODE_FILTER with BPF_RET | BPF_K, SECCOMP_RET_ALLOW
fn filter(_: i32) -> Answer {
    let filter = 6_u64 | 0x7fff_0000 << 32;
    let program = [1, std::ptr::from_ref(&filter).expose_provenance()];
    call!(SYS_seccomp, 1, 0, Argument::read(&program))
}

/// clone3(2) with set_tid
fn choose_pid(_: i32) -> Answer {
    let chosen = 31_000;
    let mut arguments = [0_u64; 10];
    arguments[4] = libc::SIGCHLD as u64;
    arguments[8] = std::ptr::from_ref(&chosen).expose_provenance() as u64;
    arguments[9] = 1;
    forked(call!(
        SYS_clone3,
        Argument::read(&arguments),
        size_of_val(&arguments)
    )?)
}

/// struct sched_attr: size, policy, flags, nice
fn set_nice(policy: u64, nice: i32) -> Answer {
    let mut attributes = [0_u64; 6];
    attributes[0] = 48 | policy << 32;
    attributes[2] = u64::from(nice.cast_unsigned());
    call!(SYS_sched_setattr, 0, Argument::read(&attributes), 0)
}

fn fork_at_limit(_: i32) -> Answer {
    limit(libc::RLIMIT_NPROC, 0)?;
    forked(call!(SYS_clone, libc::SIGCHLD, 0, 0, 0, 0)?)
}

const NICE: &str = "SYS_NICE";
const USERNS: &str = "/proc/sys/kernel/unprivileged_userns_clone";

/// Proofs about processes.
pub const PROOFS: &[Proof] = &[
    proof("set_one_prio via can_nice", NICE, |_| {
        call!(SYS_setpriority, libc::PRIO_PROCESS, 0, -5)
    }),
    proof("set_one_prio via set_one_prio_perm", NICE, |pid| {
        call!(SYS_setpriority, libc::PRIO_PROCESS, pid, 5)
    })
    .staged(other),
    proof("cap_safe_nice", NICE, |pid| {
        call!(SYS_setpriority, libc::PRIO_PROCESS, pid, 5)
    })
    .lacking(&["WAKE_ALARM"])
    .staged(able),
    proof("sched_setaffinity", NICE, |pid| {
        call!(SYS_sched_setaffinity, pid, 8, Argument::read(&1_u64))
    })
    .staged(other),
    proof(
        "user_check_sched_setscheduler or __sched_setscheduler via capable",
        NICE,
        |_| {
            call!(
                SYS_sched_setscheduler,
                0,
                libc::SCHED_FIFO,
                Argument::read(&1)
            )
        },
    ),
    proof("__sched_setscheduler", NICE, |_| set_nice(0, -5)),
    proof("__sched_setscheduler#2", NICE, |_| {
        call!(
            SYS_sched_setscheduler,
            0,
            libc::SCHED_IDLE,
            Argument::read(&0)
        )?;
        call!(
            SYS_sched_setscheduler,
            0,
            libc::SCHED_OTHER,
            Argument::read(&0)
        )
    }),
    proof("proc_sched_autogroup_set_nice", NICE, |_| {
        write(c"/proc/self/autogroup", "-5")
    })
    .staged(|_| number(call!(SYS_setsid)?)),
    proof("proc_sched_autogroup_set_nice", "SYS_ADMIN", |_| {
        write(c"/proc/self/autogroup", "1")?;
        write(c"/proc/self/autogroup", "1")
    })
    .staged(|_| number(call!(SYS_setsid)?)),
    proof(
        "ioprio_check_cap@IOPRIO_CLASS_RT < sys_ioprio_set",
        NICE,
        |_| call!(SYS_ioprio_set, 1, 0, 1 << 13),
    )
    .lacking(&["SYS_ADMIN"]),
    proof(
        "ioprio_check_cap@IOPRIO_CLASS_RT < sys_ioprio_set",
        "SYS_ADMIN",
        |_| call!(SYS_ioprio_set, 1, 0, 1 << 13),
    ),
    proof("set_task_ioprio", NICE, |pid| {
        call!(SYS_ioprio_set, 1, pid, 2 << 13 | 4)
    })
    .staged(other),
    proof("timerslack_ns_show", NICE, |pid| {
        read_from(number(open_of(pid, "timerslack_ns", libc::O_RDONLY)?)?)
    })
    .staged(other),
    proof("timerslack_ns_write", NICE, |pid| {
        write(&path_of(pid, "timerslack_ns"), "50000")
    })
    .staged(other),
    proof("sys_process_madvise", NICE, |pid| {
        let vector = [4096_usize, 4096];
        call!(
            SYS_process_madvise,
            call!(SYS_pidfd_open, pid, 0)?,
            Argument::read(&vector),
            1,
            20,
            0
        )
    })
    .staged(other),
    proof("check_prlimit_permission", "SYS_RESOURCE", |pid| {
        call!(
            SYS_prlimit64,
            pid,
            libc::RLIMIT_CORE,
            0,
            Argument::write(&mut [0_u64; 2])
        )
    })
    .staged(other),
    proof("do_prlimit", "SYS_RESOURCE", |_| {
        limit(libc::RLIMIT_MSGQUEUE, 1 << 30)
    }),
    proof("prctl_set_mm", "SYS_RESOURCE", |_| {
        call!(
            SYS_prctl,
            libc::PR_SET_MM,
            libc::PR_SET_MM_START_BRK,
            0,
            0,
            0
        )
    }),
    proof("sys_prctl@PR_SET_IO_FLUSHER", "SYS_RESOURCE", |_| {
        call!(SYS_prctl, 57, 1, 0, 0, 0)
    }),
    proof("sys_prctl@PR_GET_IO_FLUSHER", "SYS_RESOURCE", |_| {
        call!(SYS_prctl, 58, 0, 0, 0, 0)
    }),
    proof("__set_oom_adj via capable", "SYS_RESOURCE", |_| {
        write(c"/proc/self/oom_adj", "-5")
    }),
    proof("__set_oom_adj#2 via capable", "SYS_RESOURCE", |_| {
        write(c"/proc/self/oom_score_adj", "-500")
    }),
    proof(
        "__set_oom_adj via has_capability_noaudit",
        "SYS_RESOURCE",
        |_| write(c"/proc/self/oom_score_adj", "100"),
    ),
    proof("check_kill_permission", "KILL", |pid| {
        call!(SYS_kill, pid, 0)
    })
    .staged(other),
    proof("seccomp_prepare_filter", "SYS_ADMIN", filter),
    proof("seccomp_get_filter", "SYS_ADMIN", |pid| {
        call!(SYS_ptrace, GET_FILTER, pid, 0, 0)
    })
    .staged(traced),
    proof("seccomp_get_metadata", "SYS_ADMIN", |pid| {
        call!(
            SYS_ptrace,
            GET_METADATA,
            pid,
            16,
            Argument::write(&mut [0_u64; 2])
        )
    })
    .staged(traced),
    proof("check_ptrace_options", "SYS_ADMIN", |pid| {
        call!(SYS_ptrace, libc::PTRACE_SETOPTIONS, pid, 0, 1 << 21)
    })
    .staged(traced),
    proof("proc_pid_stack", "SYS_ADMIN", |_| read(c"/proc/self/stack")),
    proof("copy_process", "SYS_RESOURCE", fork_at_limit).by_user(),
    proof("copy_process#2", "SYS_ADMIN", fork_at_limit)
        .by_user()
        .lacking(&["SYS_RESOURCE"]),
    proof("copy_process via capable", "SYS_ADMIN", |_| {
        forked(call!(
            SYS_clone,
            libc::CLONE_NEWUSER | libc::SIGCHLD,
            0,
            0,
            0,
            0
        )?)
    })
    .while_set(USERNS, "0"),
    proof("ksys_unshare", "SYS_ADMIN", |_| {
        call!(SYS_unshare, libc::CLONE_NEWUSER)
    })
    .while_set(USERNS, "0"),
    proof("alloc_pid", "CHECKPOINT_RESTORE/SYS_ADMIN", choose_pid),
    proof("pid_ns_ctl_handler", "CHECKPOINT_RESTORE/SYS_ADMIN", |_| {
        rewrite(c"/proc/sys/kernel/ns_last_pid")
    }),
    proof(
        "proc_map_files_get_link",
        "CHECKPOINT_RESTORE/SYS_ADMIN",
        |_| {
            let mut entries =
                std::fs::read_dir("/proc/self/map_files").map_err(|error| errno(&error))?;
            let entry = entries
                .next()
                .ok_or(libc::ENOENT)?
                .map_err(|error| errno(&error))?;
            open_of(
                std::process::id().cast_signed(),
                &format!("map_files/{}", entry.file_name().display()),
                libc::O_RDONLY,
            )
        },
    ),
];
