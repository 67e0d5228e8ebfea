//! One eBPF instruction, as far as [`super::specialise`] must understand it
//! (Documentation/bpf/standardization/instruction-set.rst).

use aya_obj::generated::bpf_insn;

/// The second operand is a register (`BPF_X`).
const REGISTER: u8 = 0x08;

/// Operations of `BPF_ALU` and `BPF_ALU64`.
const ADD: u8 = 0x00;
const SUB: u8 = 0x10;
const MUL: u8 = 0x20;
const DIV: u8 = 0x30;
const OR: u8 = 0x40;
const AND: u8 = 0x50;
const LSH: u8 = 0x60;
const RSH: u8 = 0x70;
const MOD: u8 = 0x90;
const XOR: u8 = 0xa0;
const MOV: u8 = 0xb0;
const ARSH: u8 = 0xc0;

/// An instruction; what is 16 bytes long is two of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub code: u8,
    pub dst: u8,
    pub src: u8,
    pub off: i16,
    pub imm: i32,
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Loads 64 bits that stand in the instruction, which is two long.
    Wide,
    /// Loads so many bytes from memory.
    Load { size: usize },
    /// Stores so many bytes, from a register or a constant.
    Store { size: usize, register: bool },
    /// Changes memory atomically.
    Atomic,
    /// Computes with 64 bits.
    Alu64,
    /// Computes with 32 bits, and zeroes the others.
    Alu32,
    /// Jumps.
    Jump,
    /// Jumps where a comparison holds.
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

impl Instruction {
    /// What it does.
    pub fn kind(&self) -> Kind {
        let size = match self.code & 0x18 {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        };
        let is_memory = self.code & 0xe0 == 0x60;
        match (self.code & 7, self.code) {
            (0, 0x18) if self.src <= 2 => Kind::Wide,
            (1, _) if is_memory => Kind::Load { size },
            (2, _) if is_memory => Kind::Store {
                size,
                register: false,
            },
            (3, _) if is_memory => Kind::Store {
                size,
                register: true,
            },
            (3, 0xc3 | 0xdb) => Kind::Atomic,
            // With an offset these extend a sign or divide with one.
            (4, _) if self.off == 0 && self.code & 0xf0 <= 0xd0 => Kind::Alu32,
            (7, _) if self.off == 0 && self.code & 0xf0 <= 0xd0 => Kind::Alu64,
            (5, 0x05) => Kind::Jump,
            (5, 0x85) if self.src == 0 => Kind::Helper,
            (5, 0x85) if self.src == 1 => Kind::Function,
            (5, 0x95) => Kind::Exit,
            (5 | 6, code) if (0x10..=0x70).contains(&(code & 0xf0)) => Kind::Branch {
                wide: self.code & 7 == 5,
            },
            (5 | 6, code) if (0xa0..=0xd0).contains(&(code & 0xf0)) => Kind::Branch {
                wide: self.code & 7 == 5,
            },
            _ => Kind::Unknown,
        }
    }

    /// How many places it takes.
    pub fn length(&self) -> usize {
        if self.kind() == Kind::Wide { 2 } else { 1 }
    }

    /// Where a jump at this place goes.
    pub fn target(&self, at: usize) -> Option<usize> {
        (at + 1).checked_add_signed(isize::from(self.off))
    }

    /// Where the function begins that a call at this place calls.
    pub fn callee(&self, at: usize) -> Option<usize> {
        (at + 1).checked_add_signed(self.imm as isize)
    }

    /// The second operand is the register `src`.
    pub fn takes_register(&self) -> bool {
        match self.kind() {
            // Of these, negation and the change of byte order have no second operand.
            Kind::Alu64 | Kind::Alu32 => {
                self.code & REGISTER != 0 && !matches!(self.code & 0xf0, 0x80 | 0xd0)
            }
            Kind::Branch { .. } => self.code & REGISTER != 0,
            Kind::Store { register, .. } => register,
            Kind::Load { .. } => true,
            _ => false,
        }
    }

    /// It copies its second operand.
    pub fn is_move(&self) -> bool {
        self.code & 0xf0 == MOV
    }

    /// It adds.
    pub fn is_add(&self) -> bool {
        self.code & 0xf0 == ADD
    }

    /// It adds a constant.
    pub fn is_add_of_constant(&self) -> bool {
        self.is_add() && self.code & REGISTER == 0
    }

    /// The result of a computation; `None` for operations that settings do not need.
    pub fn calculate(&self, left: u64, right: u64) -> Option<u64> {
        let wide = self.kind() == Kind::Alu64;
        let (left, right) = if wide {
            (left, right)
        } else {
            (left & 0xffff_ffff, right & 0xffff_ffff)
        };
        let shift = right as u32 & if wide { 63 } else { 31 };
        let result = match self.code & 0xf0 {
            ADD => left.wrapping_add(right),
            SUB => left.wrapping_sub(right),
            MUL => left.wrapping_mul(right),
            OR => left | right,
            AND => left & right,
            LSH => left << shift,
            RSH => left >> shift,
            XOR => left ^ right,
            MOV => right,
            ARSH if wide => (left as i64 >> shift) as u64,
            ARSH => (left as i32 >> shift) as u64,
            _ => return None,
        };
        Some(if wide { result } else { result & 0xffff_ffff })
    }

    /// Whether a comparison holds.
    pub fn compare(&self, left: u64, right: u64) -> Option<bool> {
        let (left, right, signed) = if self.kind() == (Kind::Branch { wide: true }) {
            (left, right, (left as i64, right as i64))
        } else {
            let signed = (i64::from(left as i32), i64::from(right as i32));
            (left & 0xffff_ffff, right & 0xffff_ffff, signed)
        };
        Some(match self.code & 0xf0 {
            0x10 => left == right,
            0x20 => left > right,
            0x30 => left >= right,
            0x40 => left & right != 0,
            0x50 => left != right,
            0x60 => signed.0 > signed.1,
            0x70 => signed.0 >= signed.1,
            0xa0 => left < right,
            0xb0 => left <= right,
            0xc0 => signed.0 < signed.1,
            0xd0 => signed.0 <= signed.1,
            _ => return None,
        })
    }

    /// A comparison of two registers, the other way round.
    pub fn mirrored(&self) -> Self {
        let operation = match self.code & 0xf0 {
            0x20 => 0xa0,
            0x30 => 0xb0,
            0x60 => 0xc0,
            0x70 => 0xd0,
            0xa0 => 0x20,
            0xb0 => 0x30,
            0xc0 => 0x60,
            0xd0 => 0x70,
            symmetric => symmetric,
        };
        Self {
            code: self.code & 0x0f | operation,
            dst: self.src,
            src: self.dst,
            ..*self
        }
    }

    /// A jump.
    pub fn jump(off: i16) -> Self {
        Self {
            code: 0x05,
            dst: 0,
            src: 0,
            off,
            imm: 0,
        }
    }

    /// Sets a register to a number, where that fits one instruction.
    pub fn set(dst: u8, number: u64) -> Option<Self> {
        let (code, imm) = match (i32::try_from(number as i64), u32::try_from(number)) {
            (Ok(imm), _) => (0xb7, imm),
            (_, Ok(imm)) => (0xb4, imm as i32),
            _ => return None,
        };
        Some(Self {
            code,
            dst,
            src: 0,
            off: 0,
            imm,
        })
    }

    /// The same with a constant in place of the register that is the second operand, where the
    /// constant fits.
    pub fn with_constant(&self, number: u64) -> Option<Self> {
        let imm = number as u32 as i32;
        let whole = i64::from(imm) as u64 == number;
        // The verifier rejects divisions by 0 and shifts too far, where they are constants.
        let operation = self.code & 0xf0;
        let is_alu = matches!(self.kind(), Kind::Alu64 | Kind::Alu32);
        if is_alu
            && (matches!(operation, DIV | MOD)
                || matches!(operation, LSH | RSH | ARSH) && number >= 32)
        {
            return None;
        }
        let code = match self.kind() {
            Kind::Alu64 if whole => self.code & !REGISTER,
            Kind::Alu32 => self.code & !REGISTER,
            Kind::Branch { wide } if whole || !wide => self.code & !REGISTER,
            // `BPF_ST` in place of `BPF_STX`.
            Kind::Store { size, .. } if whole || size < 8 => self.code & !7 | 2,
            _ => return None,
        };
        Some(Self {
            code,
            src: 0,
            imm,
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_with_the_sign_that_the_kernel_extends() {
        let code = |number| Instruction::set(1, number).map(|one| (one.code, one.imm));
        assert_eq!(code(7), Some((0xb7, 7)));
        assert_eq!(code(u64::MAX), Some((0xb7, -1)));
        assert_eq!(code(0xffff_ffff), Some((0xb4, -1)));
        assert_eq!(code(1 << 32), None);
    }

    #[test]
    fn a_comparison_holds_for_its_mirror_image_too() {
        for operation in [1, 2, 3, 4, 5, 6, 7, 0xa, 0xb, 0xc, 0xd] {
            let one = Instruction {
                code: operation << 4 | 0x0d,
                dst: 1,
                src: 2,
                off: 3,
                imm: 0,
            };
            let mirrored = one.mirrored();
            assert_eq!((mirrored.dst, mirrored.src), (2, 1));
            for (left, right) in [(1, 2), (2, 1), (1, 1), (u64::MAX, 1), (1, u64::MAX)] {
                assert_eq!(one.compare(left, right), mirrored.compare(right, left));
            }
        }
    }

    #[test]
    fn halves_are_computed_and_compared_as_halves() {
        let one = |code| Instruction {
            code,
            dst: 1,
            src: 0,
            off: 0,
            imm: 0,
        };
        // w1 += -1 and r1 += -1, w1 s>>= 1
        assert_eq!(one(0x04).calculate(0, u64::MAX), Some(0xffff_ffff));
        assert_eq!(one(0x07).calculate(0, u64::MAX), Some(u64::MAX));
        assert_eq!(one(0xc4).calculate(0xffff_fffe, 1), Some(0xffff_ffff));
        // if w1 s< 0 and if r1 s< 0
        assert_eq!(one(0xc6).compare(0xffff_ffff, 0), Some(true));
        assert_eq!(one(0xc5).compare(0xffff_ffff, 0), Some(false));
    }
}
