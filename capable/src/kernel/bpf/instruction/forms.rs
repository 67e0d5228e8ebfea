//! New instructions, made from others and from what is known about their operands.

use super::{ARSH, DIV, Instruction, InstructionKind, LSH, MOD, REGISTER, RSH};

impl Instruction {
    /// A comparison of two registers with its operands swapped.
    pub fn mirrored(&self) -> Self {
        let operation = match self.operation() {
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

    /// Sets a register to a number, if that fits one instruction.
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

    /// The same instruction with a constant in place of the register that is its second operand, if
    /// the constant fits.
    pub fn with_constant(&self, number: u64) -> Option<Self> {
        let imm = number as u32 as i32;
        let whole = i64::from(imm) as u64 == number;
        // The verifier rejects division by a constant 0, and shifts by a constant that is too
        // large.
        let operation = self.operation();
        let is_alu = matches!(self.kind(), InstructionKind::Alu64 | InstructionKind::Alu32);
        if is_alu
            && (matches!(operation, DIV | MOD)
                || matches!(operation, LSH | RSH | ARSH) && number >= 32)
        {
            return None;
        }
        let code = match self.kind() {
            InstructionKind::Alu64 if whole => self.code & !REGISTER,
            InstructionKind::Alu32 => self.code & !REGISTER,
            InstructionKind::Branch { wide } if whole || !wide => self.code & !REGISTER,
            // `BPF_ST` in place of `BPF_STX`.
            InstructionKind::Store { size, .. } if whole || size < 8 => self.code & !7 | 2,
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
}
