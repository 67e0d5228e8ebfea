//! What each hook gives, and the entry points that a transport's binary declares.

use aya_ebpf::{
    EbpfContext,
    helpers::bpf_get_current_pid_tgid,
    programs::{
        BtfTracePointContext, FExitContext, ProbeContext, RawTracePointContext, RetProbeContext,
    },
};
use capable_common::Flags;

use crate::{
    check::{self, Asked},
    config, filter, life,
    maps::{self, Pending, add},
    memory::read,
    task,
    transport::Transport,
    verdict::Target,
};

/// `CAP_SYS_ADMIN` (include/uapi/linux/capability.h).
const SYS_ADMIN: i32 = 21;

/// The entry of `cap_capable`. The result is evaluated. Its four arguments are in registers, which are
/// always known.
///
/// ```c
/// int cap_capable(const struct cred *cred, struct user_namespace *ns, int cap, int audit); // to 5.0
/// int cap_capable(const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts);
/// ```
#[inline(always)]
pub fn entry<T: Transport>(context: &ProbeContext) {
    check::observe::<false, T, _>(context, || Asked {
        credentials: context.arg(0).unwrap_or(0),
        target: Target::Namespace(context.arg(1).unwrap_or(0)),
        capability: context.arg(2).unwrap_or(0),
        options: context.arg(3).unwrap_or(0),
        result: None,
        flags: 0,
        slot: 0,
        exclusive: true,
    });
}

/// The entry of `cap_capable` where the result must be awaited: without BTF it cannot be
/// evaluated.
#[inline(always)]
pub fn paired_entry(context: &ProbeContext) {
    let (Some(credentials), Some(target), Some(capability), Some(options)) = (
        context.arg(0),
        context.arg(1),
        context.arg(2),
        context.arg::<u32>(3),
    ) else {
        return;
    };
    let ids = bpf_get_current_pid_tgid();
    if check::is_own((ids >> 32) as u32, capability, options) {
        return;
    }
    let tid = ids as u32;
    let pending = Pending {
        credentials,
        target,
        capability,
        options,
    };
    // SAFETY: the value is not used.
    let unreturned = unsafe { maps::PENDING.get(&tid) }.is_some();
    if (maps::PENDING.insert(&tid, &pending, 0).is_err() || unreturned)
        && let Some(counters) = maps::counters()
    {
        add(&mut counters.passed);
        add(&mut counters.lost_pairs);
    }
}

/// The return of `cap_capable`, for [`paired_entry`].
#[inline(always)]
pub fn paired_return<T: Transport>(context: &RetProbeContext) {
    let tid = bpf_get_current_pid_tgid() as u32;
    // SAFETY: the value is copied at once, and only this thread changes the entry.
    let Some(&Pending {
        credentials,
        target,
        capability,
        options,
    }) = (unsafe { maps::PENDING.get(&tid) })
    else {
        return;
    };
    let _present = maps::PENDING.remove(&tid);
    let asked = Asked {
        credentials,
        target: Target::Namespace(target),
        capability,
        options,
        result: Some(context.ret()),
        flags: 0,
        slot: 0,
        exclusive: false,
    };
    check::observe::<false, T, _>(context, || asked);
}

/// The exit of `cap_capable`: its arguments, and in the slot after them its result.
#[inline(always)]
pub fn exit<T: Transport>(context: &FExitContext) {
    check::observe::<false, T, _>(context, || Asked {
        credentials: context.arg(0),
        target: Target::Namespace(context.arg(1)),
        capability: context.arg(2),
        options: context.arg(3),
        result: Some(context.arg(4)),
        flags: 0,
        slot: 0,
        exclusive: false,
    });
}

/// The tracepoint `capability:cap_capable` (6.14 and later, include/trace/events/capability.h).
///
/// ```c
/// TP_PROTO(const struct cred *cred, struct user_namespace *target_ns,
///          const struct user_namespace *capable_ns, int cap, int ret)
/// ```
#[inline(always)]
pub fn tracepoint<T: Transport>(context: &BtfTracePointContext) {
    check::observe::<true, T, _>(context, || Asked {
        credentials: context.arg(0),
        target: Target::Namespace(context.arg(1)),
        capability: context.arg(3),
        options: 0,
        result: Some(context.arg(4)),
        flags: 0,
        slot: 0,
        exclusive: false,
    });
}

/// The entry of `cap_vm_enough_memory`, on kernels where `cap_capable` is inlined into it. It
/// always asks for `CAP_SYS_ADMIN` over the initial namespace, without audit
/// (security/commoncap.c).
#[inline(always)]
pub fn overcommit<T: Transport, C: EbpfContext>(context: &C) {
    let credentials = read::<u64>(task::current(), config!(offsets.task_cred)).unwrap_or(0);
    let asked = Asked {
        credentials,
        target: Target::Initial,
        capability: SYS_ADMIN,
        options: filter::NOAUDIT,
        result: None,
        flags: Flags::INLINED | Flags::AUDIT_KNOWN | Flags::INSETID_KNOWN,
        slot: 1,
        exclusive: false,
    };
    check::observe::<false, T, _>(context, || asked);
}

/// The raw tracepoint `sched_process_fork(struct task_struct *parent, struct task_struct *child)`
/// (include/trace/events/sched.h). It fires before the child first runs.
#[inline(always)]
pub fn fork<T: Transport>(context: &RawTracePointContext) {
    life::forked::<T, _>(context, context.arg(0), context.arg(1));
}

/// The raw tracepoint `sched_process_free(struct task_struct *p)`.
#[inline(always)]
pub fn free<T: Transport>(context: &RawTracePointContext) {
    life::freed::<T, _>(context, context.arg(0));
}

/// The raw tracepoint `sys_exit(struct pt_regs *regs, long ret)`
/// (include/trace/events/syscalls.h).
#[inline(always)]
pub fn syscall_exit<T: Transport>(context: &RawTracePointContext) {
    life::returned::<T, _>(context, context.arg(1));
}

/// Declares the programs of a transport. The names are those by which user space finds them.
#[macro_export]
macro_rules! programs {
    ($transport:ty) => {
        use ::aya_ebpf::{
            macros::{btf_tracepoint, fexit, kprobe, kretprobe, raw_tracepoint},
            programs::{
                BtfTracePointContext, FExitContext, ProbeContext, RawTracePointContext,
                RetProbeContext,
            },
        };
        use $crate::{hooks, life};

        #[kprobe]
        fn check_entry(context: ProbeContext) -> u32 {
            hooks::entry::<$transport>(&context);
            0
        }

        #[kprobe]
        fn check_paired(context: ProbeContext) -> u32 {
            hooks::paired_entry(&context);
            0
        }

        #[kretprobe]
        fn check_return(context: RetProbeContext) -> u32 {
            hooks::paired_return::<$transport>(&context);
            0
        }

        #[fexit(function = "cap_capable")]
        fn check_exit(context: FExitContext) -> i32 {
            hooks::exit::<$transport>(&context);
            0
        }

        #[btf_tracepoint(function = "cap_capable")]
        fn check_traced(context: BtfTracePointContext) -> i32 {
            hooks::tracepoint::<$transport>(&context);
            0
        }

        #[kprobe]
        fn memory_entry(context: ProbeContext) -> u32 {
            hooks::overcommit::<$transport, _>(&context);
            0
        }

        #[fexit(function = "cap_vm_enough_memory")]
        fn memory_exit(context: FExitContext) -> i32 {
            hooks::overcommit::<$transport, _>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "sched_process_fork")]
        fn process_fork(context: RawTracePointContext) -> i32 {
            hooks::fork::<$transport>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "sched_process_exec")]
        fn process_exec(context: RawTracePointContext) -> i32 {
            life::executed::<$transport, _>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "sched_process_free")]
        fn process_free(context: RawTracePointContext) -> i32 {
            hooks::free::<$transport>(&context);
            0
        }

        #[raw_tracepoint(tracepoint = "sys_exit")]
        fn syscall_exit(context: RawTracePointContext) -> i32 {
            hooks::syscall_exit::<$transport>(&context);
            0
        }
    };
}
