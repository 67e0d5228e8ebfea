//! The pair of kprobe and kretprobe, for kernels without BTF, on which the result cannot be
//! evaluated and must be taken from the return.

use aya_ebpf::programs::{ProbeContext, RetProbeContext};

use crate::{
    audit, check, filter,
    hooked::HookedCheck,
    maps::{self, Pending, add, subtract},
    own,
    stack::EntryStack,
    task,
    transport::Transport,
};

/// The entry of `cap_capable`: keeps the arguments for its return, and the stack, which unwinders
/// before 5.15 cannot follow through the trampoline of a kretprobe (arch/x86/kernel/unwind_orc.c).
#[inline(always)]
pub fn entry(context: &ProbeContext) {
    let (Some(credentials), Some(target), Some(capability), Some(options)) = (
        context.arg(0),
        context.arg(1),
        context.arg(2),
        context.arg::<u32>(3),
    ) else {
        return;
    };
    let (pid, tid) = task::ids();
    if own::is_tracer(pid) {
        return own::remember(capability, options);
    }
    // What is dropped anyway is not kept for its return.
    if !filter::keeps_process(pid) || !audit::keeps_options(0, options) {
        return maps::count_one(|counters| &mut counters.filtered);
    }
    let pending = Pending {
        credentials,
        target,
        capability,
        options,
        bytes: EntryStack::keep(context, tid),
    };
    // SAFETY: the value is not used.
    let unreturned = unsafe { maps::PENDING.get(&tid) }.is_some();
    let lost = maps::PENDING.insert(&tid, &pending, 0).is_err() || unreturned;
    if let Some(counters) = maps::counters() {
        add(&mut counters.unreturned);
        if lost {
            add(&mut counters.lost_pairs);
        }
    }
}

/// The return of `cap_capable`.
#[inline(always)]
pub fn returned<T: Transport>(context: &RetProbeContext) {
    let (_, tid) = task::ids();
    // SAFETY: the value is copied at once, and only this thread changes the entry.
    let Some(&Pending {
        credentials,
        target,
        capability,
        options,
        bytes,
    }) = (unsafe { maps::PENDING.get(&tid) })
    else {
        return;
    };
    let _present = maps::PENDING.remove(&tid);
    if let Some(counters) = maps::counters() {
        subtract(&mut counters.unreturned);
    }
    let hooked = HookedCheck {
        result: Some(context.ret()),
        stack: EntryStack::kept(tid, bytes),
        ..HookedCheck::of_call(credentials, target, capability, options)
    };
    check::observe::<false, T, _>(context, || hooked);
}
