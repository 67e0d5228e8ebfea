//! `--unique`: whether an equal check was seen before.

use aya_ebpf::EbpfContext;
use capable_common::{UniqueBy, process_word};

use crate::{
    config,
    maps::{self, UniqueKey},
    settled::SettledCheck,
    stack, task,
};

/// `BPF_NOEXIST` (include/uapi/linux/bpf.h).
const NOEXIST: u64 = 1;
/// `EEXIST` (include/uapi/asm-generic/errno-base.h).
const EEXIST: i32 = 17;

/// What became of a check that `--unique` looked at.
pub enum Novelty {
    /// No equal check was seen before.
    New,
    /// An equal check was seen before.
    Repeated,
    /// The table is full: it may or may not be new.
    CouldNotTell,
}

/// Whether a check is the first of its kind; remembers it.
#[inline(always)]
pub fn novelty<C: EbpfContext>(context: &C, settled: &SettledCheck) -> Novelty {
    let by = config!(unique);
    if by == UniqueBy::Off as u8 {
        return Novelty::New;
    }
    let subject = if by == UniqueBy::Comm as u8 {
        task::name_words(settled.task)
    } else if by == UniqueBy::Process as u8 {
        [process_word(settled.pid, task::process_started()), 0]
    } else if by == UniqueBy::Cgroup as u8 {
        [task::cgroup(), 0]
    } else {
        [stack::number(context), 0]
    };
    let key = UniqueKey {
        subject,
        capability: settled.capability,
        result: if settled.has_result() {
            settled.result()
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
