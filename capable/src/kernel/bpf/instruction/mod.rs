//! One eBPF instruction: the parts of the format that [`super::specialise`] must understand
//! (Documentation/bpf/standardization/instruction-set.rst).

mod evaluate;
mod forms;

use aya_obj::generated::bpf_insn;

/// The second operand is a register (`BPF_X`).
const REGISTER: u8 = 0x08;

/// Operations of `BPF_ALU` and `BPF_ALU64`.
pub const ADD: u8 = 0x00;
pub const SUB: u8 = 0x10;
pub const MUL: u8 = 0x20;
pub const DIV: u8 = 0x30;
pub const OR: u8 = 0x40;
pub const AND: u8 = 0x50;
pub const LSH: u8 = 0x60;
pub const RSH: u8 = 0x70;
pub const MOD: u8 = 0x90;
pub const XOR: u8 = 0xa0;
pub const MOV: u8 = 0xb0;
pub const ARSH: u8 = 0xc0;
/// Byte swap.
pub const END: u8 = 0xd0;
/// Negation.
pub const NEG: u8 = 0x80;

/// An instruction of eight bytes; one of 16 bytes takes two of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub code: u8,
    pub dst: u8,
    pub src: u8,
    pub off: i16,
    pub imm: i32,
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstructionKind {
    /// Loads a 64-bit constant that is part of the instruction, which takes two slots.
    Wide,
    /// Loads this many bytes from memory.
    Load { size: usize },
    /// Stores this many bytes, from a register or a constant.
    Store { size: usize, register: bool },
    /// Changes this many bytes of memory atomically.
    Atomic { size: usize },
    /// Computes with 64 bits.
    Alu64,
    /// Computes with 32 bits, and zeroes the others.
    Alu32,
    /// Jumps.
    Jump,
    /// Jumps if a comparison holds.
    Branch { wide: bool },
    /// Calls a function of the kernel.
    Helper,
    /// Calls a function of the program.
    Function,
    /// Returns.
    Exit,
    /// Something else.
    Unknown,
}

impl From<&bpf_insn> for Instruction {
    fn from(one: &bpf_insn) -> Self {
        Self {
            code: one.code,
            dst: one.dst_reg(),
            src: one.src_reg(),
            off: one.off,
            imm: one.imm,
        }
    }
}

impl From<&Instruction> for bpf_insn {
    fn from(one: &Instruction) -> Self {
        Self {
            code: one.code,
            _bitfield_align_1: [],
            _bitfield_1: Self::new_bitfield_1(one.dst, one.src),
            off: one.off,
            imm: one.imm,
        }
    }
}

/// Whether the operation of an atomic instruction both reads and writes. Later kernels also have
/// atomic loads and stores.
fn is_atomic_change(operation: i32) -> bool {
    const FETCH: i32 = 0x01;
    const EXCHANGE: i32 = 0xe0 | FETCH;
    const COMPARE_AND_EXCHANGE: i32 = 0xf0 | FETCH;
    let arithmetic = [ADD, OR, AND, XOR].map(i32::from);
    arithmetic.contains(&(operation & !FETCH))
        || matches!(operation, EXCHANGE | COMPARE_AND_EXCHANGE)
}

impl Instruction {
    /// What it does.
    pub fn kind(&self) -> InstructionKind {
        let size = match self.code & 0x18 {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        };
        let is_memory = self.code & 0xe0 == 0x60;
        match (self.code & 7, self.code) {
            (0, 0x18) if self.src <= 2 => InstructionKind::Wide,
            (1, _) if is_memory => InstructionKind::Load { size },
            (2, _) if is_memory => InstructionKind::Store {
                size,
                register: false,
            },
            (3, _) if is_memory => InstructionKind::Store {
                size,
                register: true,
            },
            (3, 0xc3 | 0xdb) if is_atomic_change(self.imm) => InstructionKind::Atomic { size },
            // With an offset these are sign-extending moves and signed divisions.
            (4, _) if self.off == 0 && self.code & 0xf0 <= 0xd0 => InstructionKind::Alu32,
            (7, _) if self.off == 0 && self.code & 0xf0 <= 0xd0 => InstructionKind::Alu64,
            (5, 0x05) => InstructionKind::Jump,
            (5, 0x85) if self.src == 0 => InstructionKind::Helper,
            (5, 0x85) if self.src == 1 => InstructionKind::Function,
            (5, 0x95) => InstructionKind::Exit,
            (5 | 6, code) if (0x10..=0x70).contains(&(code & 0xf0)) => InstructionKind::Branch {
                wide: self.code & 7 == 5,
            },
            (5 | 6, code) if (0xa0..=0xd0).contains(&(code & 0xf0)) => InstructionKind::Branch {
                wide: self.code & 7 == 5,
            },
            _ => InstructionKind::Unknown,
        }
    }

    /// What it computes: [`ADD`] and others.
    pub fn operation(&self) -> u8 {
        self.code & 0xf0
    }

    /// How many slots it takes.
    pub fn length(&self) -> usize {
        if self.kind() == InstructionKind::Wide {
            2
        } else {
            1
        }
    }

    /// Where a jump in this slot goes.
    pub fn target(&self, at: usize) -> Option<usize> {
        (at + 1).checked_add_signed(isize::from(self.off))
    }

    /// Where the function begins that is called from this slot.
    pub fn callee(&self, at: usize) -> Option<usize> {
        (at + 1).checked_add_signed(self.imm as isize)
    }

    /// The second operand is the register `src`.
    pub fn takes_register(&self) -> bool {
        match self.kind() {
            // Negation and byte swaps have no second operand.
            InstructionKind::Alu64 | InstructionKind::Alu32 => {
                self.code & REGISTER != 0 && !matches!(self.operation(), NEG | END)
            }
            InstructionKind::Branch { .. } => self.code & REGISTER != 0,
            InstructionKind::Store { register, .. } => register,
            InstructionKind::Load { .. } => true,
            _ => false,
        }
    }

    /// It copies its second operand.
    pub fn is_move(&self) -> bool {
        self.operation() == MOV
    }

    /// It adds.
    pub fn is_add(&self) -> bool {
        self.operation() == ADD
    }
}
