//! What a program can hold that the specialiser does not understand.

use thiserror::Error;

/// Why a program can only be loaded as it is. Instructions are counted from 0.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Obstacle {
    /// It holds an instruction that is not understood.
    #[error("instruction {0} is not one that the specialiser knows")]
    Unknown(usize),
    /// It goes on where it has no instruction.
    #[error("instruction {0} leads out of the program")]
    Outside(usize),
    /// It changes r10.
    #[error("instruction {0} writes the frame pointer")]
    FramePointer(usize),
    /// It reaches through r10 what is not a part of one word of the function's stack.
    #[error("instruction {0} reaches what is not one word of the stack")]
    Stack(usize),
    /// It uses an address on the stack of which nothing says how far down it can be.
    #[error("instruction {0} uses an address on the stack that can be anywhere")]
    Address(usize),
    /// It puts an address on the stack where it can no longer be followed.
    #[error("instruction {0} hides an address on the stack")]
    AddressInMemory(usize),
}
