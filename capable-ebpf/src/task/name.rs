//! The current task's name.

use aya_ebpf::helpers::generated;
use capable_common::COMM_LENGTH;

use crate::{config, memory::read, typed};

/// The name of a task whose type the verifier knows.
#[inline(always)]
pub(super) fn typed(task: u64) -> [u64; COMM_LENGTH / 8] {
    let name = config!(offsets.task_comm);
    [typed::word(task, name), typed::word(task, name + 8)]
}

/// The current task's name in two words, with zeros after its end: leftover bytes there would make
/// equal names differ in the keys of tables.
#[inline(always)]
pub fn name_words(task: u64) -> [u64; COMM_LENGTH / 8] {
    let name = if config!(typed_task) != 0 {
        Some(typed(task))
    } else {
        read::<[u64; COMM_LENGTH / 8]>(task, config!(offsets.task_comm))
    };
    let [first, second] = name.unwrap_or_else(|| {
        // Two words: bytes would be zeroed in a loop of a hundred instructions. Not every kernel
        // writes the bytes after the name's end (seen on 6.1: bpf_get_current_comm,
        // kernel/bpf/helpers.c, calls strscpy there).
        let mut name = [0u64; COMM_LENGTH / 8];
        // SAFETY: the buffer holds as many bytes as its size says.
        unsafe {
            generated::bpf_get_current_comm(name.as_mut_ptr().cast(), COMM_LENGTH as u32);
        }
        name
    });
    let (first, ended) = closed(first);
    [first, if ended { 0 } else { closed(second).0 }]
}

/// The same, byte by byte.
#[inline(always)]
pub fn name(task: u64) -> [u8; COMM_LENGTH] {
    // SAFETY: both are sixteen bytes, and every bit pattern is a value.
    unsafe { core::mem::transmute(name_words(task)) }
}

/// A word of a name with zeros after the first NUL, and whether there is one.
#[inline(always)]
fn closed(word: u64) -> (u64, bool) {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    // The highest bit of each byte that is 0, and perhaps of some bytes after the first of them.
    let ends = word.wrapping_sub(LOWEST) & !word & (LOWEST << 7);
    let before = (ends & ends.wrapping_neg()) >> 7;
    (word & before.wrapping_sub(1), ends != 0)
}
