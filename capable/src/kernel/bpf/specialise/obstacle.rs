//! What in a program the specialiser cannot handle.

use thiserror::Error;

/// Why a program can only be loaded as it is. Instructions are counted from 0.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Obstacle {
    /// It holds an instruction that is not understood.
    #[error("instruction {0} is not one that the specialiser knows")]
    Unknown(usize),
    /// It continues where it has no instruction.
    #[error("instruction {0} leads out of the program")]
    Outside(usize),
    /// It changes r10.
    #[error("instruction {0} writes the frame pointer")]
    FramePointer(usize),
    /// It makes an access through r10 that does not lie within one word of the function's stack.
    #[error("instruction {0} reaches what is not one word of the stack")]
    Stack(usize),
    /// It uses an address on the stack that has no known lower bound.
    #[error("instruction {0} uses an address on the stack that can be anywhere")]
    Address(usize),
    /// It puts a stack address where it can no longer be tracked.
    #[error("instruction {0} hides an address on the stack")]
    AddressInMemory(usize),
}
