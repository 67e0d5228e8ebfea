//! A function's part of the stack: which of its words are spilled ones.

use super::code::Code;
use crate::kernel::bpf::instruction::Kind;

/// Words of a program's stack (`MAX_BPF_STACK`, include/linux/filter.h).
pub const SLOTS: usize = 64;

/// The frame pointer.
const FRAME_POINTER: u8 = 10;

/// The part of the stack that belongs to a function.
#[derive(Clone, Copy)]
pub struct Frame {
    /// Offsets from r10 below this are spilled words: no address of them is ever taken.
    floor: i16,
}

impl Frame {
    /// The frame that all functions of a program have.
    pub fn of(code: &Code) -> Self {
        // An address on the stack is made of r10 by adding a negative number, and what lies there
        // is reached from it upwards.
        let floor = code
            .instructions
            .iter()
            .filter(|one| one.kind() == Kind::Alu64 && one.is_add_of_constant())
            .filter_map(|one| i16::try_from(one.imm).ok())
            .filter(|imm| (-512..0).contains(imm))
            .min()
            .unwrap_or(0);
        Self { floor }
    }

    /// The word of the stack that an access through a register is of, where it is a spilled one.
    pub fn slot(self, register: u8, offset: i16) -> Option<usize> {
        (register == FRAME_POINTER && offset < self.floor && offset >= -512)
            .then(|| (offset + 512) as usize / 8)
    }
}
