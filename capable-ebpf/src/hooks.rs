//! What each hook gives, and the entry points that a transport's binary declares.

use aya_ebpf::{
    EbpfContext,
    programs::{BtfTracePointContext, FExitContext, ProbeContext, RawTracePointContext},
};
use capable_common::Flags;

use crate::{
    check::{self, Asked},
    config, filter, life,
    memory::read,
    task,
    transport::{Slot, Transport},
    verdict::Target,
};

/// `CAP_SETPCAP`, `CAP_SYS_RAWIO` and `CAP_SYS_ADMIN` (include/uapi/linux/capability.h).
const SETPCAP: i32 = 8;
const SYS_RAWIO: i32 = 17;
const SYS_ADMIN: i32 = 21;

/// `PR_SET_SECUREBITS` (include/uapi/linux/prctl.h).
const PR_SET_SECUREBITS: i32 = 28;

/// The locks among the securebits: every second bit (include/uapi/linux/securebits.h).
const SECURE_LOCKS: u64 = 0xAAAA_AAAA;

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
        frames: None,
        flags: 0,
        slot: Slot::Capable,
        exclusive: true,
    });
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
        frames: None,
        flags: 0,
        slot: Slot::Capable,
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
        frames: None,
        flags: 0,
        slot: Slot::Capable,
        exclusive: false,
    });
}

/// The entry of `cap_vm_enough_memory`, on kernels where `cap_capable` is inlined into it. It
/// always asks for `CAP_SYS_ADMIN` over the initial namespace, without audit
/// (security/commoncap.c).
#[inline(always)]
pub fn overcommit<T: Transport, C: EbpfContext>(context: &C) {
    let credentials = used_credentials().unwrap_or(0);
    inlined::<T, C>(
        context,
        credentials,
        Target::Initial,
        SYS_ADMIN,
        filter::NOAUDIT,
        Slot::Overcommit,
    );
}

/// The entry of `cap_capset`, on kernels where `cap_capable` is inlined into it. It first asks for
/// `CAP_SETPCAP` over the namespace of the current credentials (security/commoncap.c,
/// `cap_inh_is_capped`).
#[inline(always)]
pub fn capset<T: Transport, C: EbpfContext>(context: &C) {
    let credentials = used_credentials().unwrap_or(0);
    inlined::<T, C>(context, credentials, Target::Own, SETPCAP, 0, Slot::Capset);
}

/// The entry of `cap_task_prctl`, on kernels where `cap_capable` is inlined into it. To set the
/// securebits it asks for `CAP_SETPCAP` over the namespace of the current credentials, unless a
/// locked bit would change, a lock be taken away, or a bit is unknown (security/commoncap.c).
///
/// ```c
/// int cap_task_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
///                    unsigned long arg5);
/// ```
#[inline(always)]
pub fn prctl<T: Transport, C: EbpfContext>(context: &C, option: i32, wanted: u64) {
    if option != PR_SET_SECUREBITS {
        return;
    }
    let Some(credentials) = used_credentials() else {
        return;
    };
    let Some(bits) = read::<u32>(credentials, config!(offsets.cred_securebits)) else {
        return;
    };
    let (bits, known) = (u64::from(bits), u64::from(config!(securebits)));
    let locks = bits & known & SECURE_LOCKS;
    if (locks >> 1) & (bits ^ wanted) == 0 && locks & !wanted == 0 && wanted & !known == 0 {
        inlined::<T, C>(context, credentials, Target::Own, SETPCAP, 0, Slot::Prctl);
    }
}

/// The entry of `cap_mmap_addr`, on kernels where `cap_capable` is inlined into it. For an address
/// below `vm.mmap_min_addr` it asks for `CAP_SYS_RAWIO` over the initial namespace
/// (security/commoncap.c).
#[inline(always)]
pub fn low_mapping<T: Transport, C: EbpfContext>(context: &C, address: u64) {
    if address < config!(lowest_mapping) {
        let credentials = used_credentials().unwrap_or(0);
        inlined::<T, C>(
            context,
            credentials,
            Target::Initial,
            SYS_RAWIO,
            0,
            Slot::LowMapping,
        );
    }
}

/// The credentials that the current task uses: those that all functions with an inlined check ask
/// about.
#[inline(always)]
fn used_credentials() -> Option<u64> {
    read(task::current(), config!(offsets.task_cred))
}

/// A check that was inlined into its caller, which passes `options`.
#[inline(always)]
fn inlined<T: Transport, C: EbpfContext>(
    context: &C,
    credentials: u64,
    target: Target,
    capability: i32,
    options: u32,
    slot: Slot,
) {
    let audited = if options & filter::NOAUDIT == 0 {
        Flags::AUDITED
    } else {
        0
    };
    let asked = Asked {
        credentials,
        target,
        capability,
        options,
        result: None,
        frames: None,
        flags: Flags::INLINED | Flags::AUDIT_KNOWN | Flags::INSETID_KNOWN | audited,
        slot,
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
            macros::{btf_tracepoint, fentry, fexit, kprobe, kretprobe, raw_tracepoint},
            programs::{
                BtfTracePointContext, FEntryContext, FExitContext, ProbeContext,
                RawTracePointContext, RetProbeContext,
            },
        };
        use $crate::{hooks, life, pair};

        #[kprobe]
        fn check_entry(context: ProbeContext) -> u32 {
            hooks::entry::<$transport>(&context);
            0
        }

        #[kprobe]
        fn check_paired(context: ProbeContext) -> u32 {
            pair::entry(&context);
            0
        }

        #[kretprobe]
        fn check_return(context: RetProbeContext) -> u32 {
            pair::returned::<$transport>(&context);
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

        #[fentry(function = "cap_vm_enough_memory")]
        fn memory_call(context: FEntryContext) -> i32 {
            hooks::overcommit::<$transport, _>(&context);
            0
        }

        #[kprobe]
        fn capset_entry(context: ProbeContext) -> u32 {
            hooks::capset::<$transport, _>(&context);
            0
        }

        #[fentry(function = "cap_capset")]
        fn capset_call(context: FEntryContext) -> i32 {
            hooks::capset::<$transport, _>(&context);
            0
        }

        #[kprobe]
        fn prctl_entry(context: ProbeContext) -> u32 {
            if let (Some(option), Some(wanted)) = (context.arg(0), context.arg(1)) {
                hooks::prctl::<$transport, _>(&context, option, wanted);
            }
            0
        }

        #[fentry(function = "cap_task_prctl")]
        fn prctl_call(context: FEntryContext) -> i32 {
            hooks::prctl::<$transport, _>(&context, context.arg(0), context.arg(1));
            0
        }

        #[kprobe]
        fn mmap_entry(context: ProbeContext) -> u32 {
            if let Some(address) = context.arg(0) {
                hooks::low_mapping::<$transport, _>(&context, address);
            }
            0
        }

        #[fentry(function = "cap_mmap_addr")]
        fn mmap_call(context: FEntryContext) -> i32 {
            hooks::low_mapping::<$transport, _>(&context, context.arg(0));
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
