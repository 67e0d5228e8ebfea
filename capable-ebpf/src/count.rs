//! Counting in the kernel, and `--unique`.

use aya_ebpf::{EbpfContext, helpers::generated::bpf_ktime_get_ns};
use capable_common::{COMM_LENGTH, Count, CountKey, Flags, SYSCALL_NONE, UniqueBy};

use crate::{
    check::Known,
    config, filter,
    maps::{self, UniqueKey},
    task,
    verdict::INITIAL_USER_NAMESPACE,
};

/// `BPF_NOEXIST` (include/uapi/linux/bpf.h).
const NOEXIST: u64 = 1;
/// `EEXIST` (include/uapi/asm-generic/errno-base.h).
const EEXIST: i32 = 17;

/// What became of a check that `--unique` looked at.
pub enum Novelty {
    /// Its like was not seen before.
    New,
    /// Its like was seen before.
    Repeated,
    /// The table is full: it may or may not be new.
    CouldNotTell,
}

/// Whether a check is the first of its like; remembers it.
#[inline(always)]
pub fn novelty<C: EbpfContext>(context: &C, known: &Known) -> Novelty {
    let by = config!(unique);
    if by == UniqueBy::Off as u8 {
        return Novelty::New;
    }
    let subject = if by == UniqueBy::Comm as u8 {
        // SAFETY: both are sixteen bytes without meaning to the compiler.
        unsafe { core::mem::transmute::<[u8; COMM_LENGTH], [u64; 2]>(filter::current_comm()) }
    } else if by == UniqueBy::Process as u8 {
        [u64::from(known.pid), 0]
    } else if by == UniqueBy::Cgroup as u8 {
        [filter::current_cgroup(), 0]
    } else {
        [stack(context), 0]
    };
    let key = UniqueKey {
        subject,
        capability: known.capability,
        result: if known.has_result() {
            known.result()
        } else {
            1
        },
    };
    // SAFETY: the value is not used.
    if unsafe { maps::UNIQUE.get(&key) }.is_some() {
        return Novelty::Repeated;
    }
    match maps::UNIQUE.insert(&key, &1, NOEXIST) {
        Ok(()) => Novelty::New,
        Err(error) if error == -EEXIST => Novelty::Repeated,
        Err(_) => Novelty::CouldNotTell,
    }
}

/// Counts a check; false where the table is full. `credentials` are those that were checked.
#[inline(always)]
pub fn count<C: EbpfContext>(context: &C, known: &Known, credentials: u64, syscall: i32) -> bool {
    let origin = config!(count_origin) != 0;
    let mut flags = known.flags();
    if origin {
        // What a record would say: the process may have ended when the table is read.
        let task = task::current();
        flags |= task::identity(task).owner(credentials) | task::kind(task);
        if known.subject.target_namespace == INITIAL_USER_NAMESPACE {
            flags |= Flags::NAMESPACE_INITIAL;
        }
    }
    let subject = config!(count_subject);
    let key = CountKey {
        subject: match subject {
            0 => u64::from(known.pid),
            1 => filter::current_cgroup(),
            _ => 0,
        },
        caller: if origin { stack(context) } else { 0 },
        flags,
        capability: known.capability,
        result: known.result(),
        syscall: if origin { syscall } else { SYSCALL_NONE },
        comm: if subject == 0 {
            filter::current_comm()
        } else {
            [0; COMM_LENGTH]
        },
    };
    if let Some(count) = maps::COUNTS.get_ptr_mut(&key) {
        // SAFETY: the entry is this processor's and is not freed while the program runs.
        maps::add(unsafe { &mut (*count).checks });
        return true;
    }
    // SAFETY: the helper takes nothing.
    let first = unsafe { bpf_ktime_get_ns() };
    maps::COUNTS
        .insert(&key, &Count { checks: 1, first }, 0)
        .is_ok()
}

/// A number for the kernel stack, or `u64::MAX` where it could not be captured.
#[inline(always)]
fn stack<C: EbpfContext>(context: &C) -> u64 {
    // SAFETY: the map is a stack map.
    let id = unsafe {
        aya_ebpf::helpers::bpf_get_stackid(
            context.as_ptr(),
            (&raw const maps::STACKS).cast_mut().cast(),
            0,
        )
    };
    if id < 0 { u64::MAX } else { id as u64 }
}
