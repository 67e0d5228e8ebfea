//! The pair of kprobe and kretprobe, for kernels without BTF: there the result cannot be evaluated and
//! must be awaited.

use aya_ebpf::{
    EbpfContext as _,
    helpers::{bpf_get_current_pid_tgid, generated},
    programs::{ProbeContext, RetProbeContext},
};
use capable_common::MAX_FRAMES;

use crate::{
    check::{self, Asked},
    config, filter,
    maps::{self, Pending, add, subtract},
    transport::{Slot, Transport},
    verdict::Target,
};

/// A kernel stack that was captured at the entry of `cap_capable`.
#[derive(Clone, Copy)]
pub struct Frames {
    /// The address of the frames.
    pub address: u64,
    /// What capturing them answered: their bytes, or a negative errno.
    pub bytes: i64,
}

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
    let ids = bpf_get_current_pid_tgid();
    let (pid, tid) = ((ids >> 32) as u32, ids as u32);
    if check::is_own(pid, capability, options) {
        return;
    }
    // What is dropped anyway is not kept for its return.
    if !filter::keeps_process(pid) || !filter::keeps_audit(filter::audit_from_argument(options)) {
        maps::count_one(|counters| &mut counters.filtered);
        return;
    }
    let pending = Pending {
        credentials,
        target,
        capability,
        options,
        bytes: capture(context, tid),
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

/// Captures the kernel stack of a thread, where it is asked for, and keeps it for its return.
#[inline(always)]
fn capture(context: &ProbeContext, tid: u32) -> i64 {
    let frames = config!(kernel_frames);
    if frames == 0 {
        return 0;
    }
    let Some(scratch) = maps::ENTRY_FRAMES.get_ptr_mut(0) else {
        return -1;
    };
    // SAFETY: the scratch memory has room for the most frames that can be asked for.
    let bytes =
        unsafe { generated::bpf_get_stack(context.as_ptr(), scratch.cast(), frames * 8, 0) };
    // SAFETY: the scratch memory is this processor's, and a kprobe runs with preemption off.
    let kept = maps::PENDING_FRAMES.insert(&tid, unsafe { &*scratch }, 0);
    if kept.is_err() { -1 } else { bytes }
}

/// The return of `cap_capable`.
#[inline(always)]
pub fn returned<T: Transport>(context: &RetProbeContext) {
    let tid = bpf_get_current_pid_tgid() as u32;
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
    let frames = if config!(kernel_frames) == 0 {
        None
    } else {
        let kept = maps::PENDING_FRAMES.get_ptr(&tid);
        Some(Frames {
            address: kept.map_or(0, |frames: *const [u64; MAX_FRAMES]| frames as u64),
            bytes,
        })
    };
    let asked = Asked {
        credentials,
        target: Target::Namespace(target),
        capability,
        options,
        result: Some(context.ret()),
        frames,
        flags: 0,
        slot: Slot::Capable,
        exclusive: false,
    };
    check::observe::<false, T, _>(context, || asked);
}
