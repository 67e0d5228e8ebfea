//! What a transport does for the rest.

use aya_ebpf::EbpfContext;
use capable_common::Life;

use crate::hooked::HookedFunction;

/// Why a record did not get through.
#[derive(Clone, Copy)]
pub enum Lost {
    /// The buffer is full.
    Full,
    /// This processor has no buffer.
    NoBuffer,
}

/// Carries records to user space.
pub trait Transport {
    /// `size` bytes to write a record into, or null if there is no room. `size` must be a constant
    /// to the verifier.
    fn reserve(size: u64, function: HookedFunction) -> *mut u8;

    /// Submits a record with this time, for which [`Transport::reserve`] gave room.
    fn submit<C: EbpfContext>(
        context: &C,
        record: *mut u8,
        size: u64,
        time: u64,
    ) -> Result<(), Lost>;

    /// Sends a step in a process's life.
    fn send_life<C: EbpfContext>(context: &C, life: &Life) -> Result<(), Lost>;

    /// Says in the program's log that a record was lost.
    fn log_lost<C: EbpfContext>(context: &C, capability: i32);

    /// Says in the program's log that a table is full.
    fn log_full<C: EbpfContext>(context: &C, table: &'static str);
}
