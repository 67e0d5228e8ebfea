//! What a transport does for the rest.

use aya_ebpf::EbpfContext;
use capable_common::Life;

/// The functions whose programs may run on one processor at once, where a task can be preempted in
/// one: each puts its records together in a place of its own.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Slot {
    /// `cap_capable`
    Capable,
    /// `cap_vm_enough_memory`
    Overcommit,
    /// `cap_capset`
    Capset,
    /// `cap_task_prctl`
    Prctl,
    /// `cap_mmap_addr`
    LowMapping,
}

impl Slot {
    /// How many there are.
    pub const COUNT: u32 = Self::LowMapping as u32 + 1;
}

/// Carries records to user space.
pub trait Transport {
    /// `size` bytes to write a record into, or null where there is no room. `size` is a constant
    /// to the verifier.
    fn reserve(size: u64, slot: Slot) -> *mut u8;

    /// Hands over a record of this time that [`Transport::reserve`] gave room for; false where it
    /// was lost.
    fn submit<C: EbpfContext>(context: &C, record: *mut u8, size: u64, time: u64) -> bool;

    /// Sends a step in a process's life; false where it was lost.
    fn send_life<C: EbpfContext>(context: &C, life: &Life) -> bool;

    /// Says in the program's log that a record was lost.
    fn log_lost<C: EbpfContext>(context: &C, capability: i32);

    /// Says in the program's log that a table is full.
    fn log_full<C: EbpfContext>(context: &C, table: &'static str);
}
