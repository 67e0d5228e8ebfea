//! Stacks: captured into a record, kept from the entry of a function to its return, or told apart
//! by a number.

use aya_ebpf::{
    EbpfContext,
    helpers::{bpf_get_stackid, generated},
};
use capable_common::{MAX_FRAMES, STACK_FAILED};

use crate::{config, maps};

/// `BPF_F_USER_STACK` (include/uapi/linux/bpf.h).
const USER_STACK: u64 = 1 << 8;

/// A kernel stack that was captured at the entry of `cap_capable`.
#[derive(Clone, Copy)]
pub struct EntryStack {
    /// The address of its frames.
    address: u64,
    /// What capturing them answered: their bytes, or a negative errno.
    bytes: i64,
}

impl EntryStack {
    /// Captures the kernel stack of a thread, if it is asked for, and keeps it for the return.
    /// Returns its size in bytes, or a negative errno.
    #[inline(always)]
    pub fn keep<C: EbpfContext>(context: &C, tid: u32) -> i64 {
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

    /// What was kept for a thread, if a stack is asked for; `bytes` is its size in bytes, or a
    /// negative errno.
    #[inline(always)]
    pub fn kept(tid: u32, bytes: i64) -> Option<Self> {
        if config!(kernel_frames) == 0 {
            return None;
        }
        let kept = maps::PENDING_FRAMES.get_ptr(&tid);
        Some(Self {
            address: kept.map_or(0, |frames: *const [u64; MAX_FRAMES]| frames as u64),
            bytes,
        })
    }

    /// Copies the frames to where the record has room for this many; returns how many there are.
    #[inline(always)]
    fn copy(self, place: *mut u8, frames: u32) -> u16 {
        // SAFETY: the record has room for this many frames; the helper checks the source.
        let error = unsafe {
            generated::bpf_probe_read_kernel(place.cast(), frames * 8, self.address as *const _)
        };
        frames_in(if error < 0 { error } else { self.bytes })
    }
}

/// Puts the kernel stack where the record has room for the frames that are asked for; returns how
/// many there are, or [`STACK_FAILED`].
#[inline(always)]
pub fn kernel<C: EbpfContext>(context: &C, entry: Option<EntryStack>, place: *mut u8) -> u16 {
    let frames = config!(kernel_frames);
    match entry {
        Some(kept) => kept.copy(place, frames),
        None => capture(context, place, frames, 0),
    }
}

/// Puts the user stack there.
#[inline(always)]
pub fn user<C: EbpfContext>(context: &C, place: *mut u8) -> u16 {
    capture(context, place, config!(user_frames), USER_STACK)
}

#[inline(always)]
fn capture<C: EbpfContext>(context: &C, place: *mut u8, frames: u32, flags: u64) -> u16 {
    if frames == 0 {
        return 0;
    }
    // SAFETY: the record has room for this many frames.
    let bytes =
        unsafe { generated::bpf_get_stack(context.as_ptr(), place.cast(), frames * 8, flags) };
    frames_in(bytes)
}

/// How many frames this many bytes hold; a negative errno is counted as a loss.
#[inline(always)]
fn frames_in(bytes: i64) -> u16 {
    if bytes < 0 {
        maps::count_one(|counters| &mut counters.lost_stacks);
        return STACK_FAILED;
    }
    (bytes / 8) as u16
}

/// A number for the kernel stack, or `u64::MAX` if it could not be captured.
#[inline(always)]
pub fn number<C: EbpfContext>(context: &C) -> u64 {
    let stacks = (&raw const maps::STACKS).cast_mut().cast();
    // SAFETY: the map is a stack map.
    let id = unsafe { bpf_get_stackid(context.as_ptr(), stacks, 0) };
    if id < 0 { u64::MAX } else { id as u64 }
}
