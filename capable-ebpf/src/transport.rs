//! What a transport does for the rest.

use aya_ebpf::EbpfContext;
use capable_common::Life;

use crate::hooked::HookedFunction;

/// Carries records to user space.
pub trait Transport {
    /// `size` bytes to write a record into, or null where there is no room. `size` is a constant
    /// to the verifier.
    fn reserve(size: u64, function: HookedFunction) -> *mut u8;

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
