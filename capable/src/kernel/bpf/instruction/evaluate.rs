//! What an instruction computes, and whether its comparison holds.

use super::{ADD, AND, ARSH, Instruction, InstructionKind, LSH, MOV, MUL, OR, RSH, SUB, XOR};

impl Instruction {
    /// The result of a computation; `None` for operations that code on settings does not use.
    pub fn calculate(&self, left: u64, right: u64) -> Option<u64> {
        let wide = self.kind() == InstructionKind::Alu64;
        let (left, right) = if wide {
            (left, right)
        } else {
            (left & 0xffff_ffff, right & 0xffff_ffff)
        };
        let shift = right as u32 & if wide { 63 } else { 31 };
        let result = match self.operation() {
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
        let (left, right, signed) = if self.kind() == (InstructionKind::Branch { wide: true }) {
            (left, right, (left as i64, right as i64))
        } else {
            let signed = (i64::from(left as i32), i64::from(right as i32));
            (left & 0xffff_ffff, right & 0xffff_ffff, signed)
        };
        Some(match self.operation() {
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
