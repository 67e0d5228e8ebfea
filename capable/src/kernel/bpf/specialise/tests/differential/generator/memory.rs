//! What a program does with memory: settings, stack, context and maps.

use super::{CONTEXT, Generator, OWN_STACK, Register, TABLE};
use crate::kernel::bpf::{
    instruction::Instruction,
    specialise::tests::{MAP, one},
};

/// Sizes in the code of loads and stores, and in bytes.
const SIZES: [(u8, i16); 4] = [(0x10, 1), (0x08, 2), (0x00, 4), (0x18, 8)];

/// Bytes of the context.
const CONTEXT_SIZE: i16 = 256;

/// Atomic operations.
const ATOMIC: [i32; 10] = [0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1];

impl Generator {
    /// Something that is stored: a number in a register, or a constant.
    fn store(&mut self, size: u8, base: u8, off: i16) {
        let code = match self.number() {
            Some(src) if self.random.u8(..3) > 0 => one(0x63 | size, base, src, off, 0),
            _ => one(0x62 | size, base, 0, off, self.constant()),
        };
        self.code.push(code);
    }

    fn load(&mut self, size: u8, base: u8, off: i16) {
        let dst = self.free();
        self.code.push(one(0x61 | size, dst, base, off, 0));
        self.set(dst, Register::Number);
    }

    fn load_or_store(&mut self, size: u8, base: u8, off: i16) {
        if self.random.bool() {
            self.load(size, base, off);
        } else {
            self.store(size, base, off);
        }
    }

    /// Loads a setting through an address that is computed in steps.
    pub(super) fn load_setting(&mut self) {
        let base = self.free();
        let (code, size) = self.pick(&SIZES);
        let at = self.random.i32(0..=self.settings - i32::from(size));
        let first = self.random.i32(0..self.settings);
        let second = match self.random.u8(..3) {
            0 => self.random.i32(-16..16),
            _ => 0,
        };
        self.code.push(one(0x18, base, 2, 0, MAP));
        self.code.push(one(0, 0, 0, 0, first));
        self.set(base, Register::Number);
        if second != 0 {
            self.code.push(one(0x07, base, 0, 0, second));
        }
        if self.random.u8(..8) == 0
            && let Some(index) = self.chosen(|register| register == Register::Number)
            && index != base
        {
            // base is at 0 then; of the first eight bytes, one that is not known.
            self.code.push(one(0x07, base, 0, 0, -first - second));
            self.code.push(one(0x57, index, 0, 0, 7));
            self.code.push(one(0x0f, base, index, 0, 0));
            self.load(0x10, base, 0);
        } else {
            self.load(code, base, (at - first - second) as i16);
        }
    }

    /// Places on the stack where words are spilled.
    fn spilled(&mut self) -> (u8, i16) {
        let (code, size) = self.pick(&SIZES);
        let (lowest, highest) = match (self.in_function, self.wild) {
            (true, _) => (-OWN_STACK, 0),
            (false, true) => (-160, 0),
            (false, false) => (-160, -80),
        };
        // Usually in two of them, so that spilled words are overwritten, also in part, and loaded
        // again.
        let highest = match self.random.u8(..4) {
            0 => highest,
            _ => lowest + 16,
        };
        let off = self.random.i16(lowest / size..highest / size) * size;
        (code, off)
    }

    pub(super) fn spill(&mut self) {
        let (size, off) = self.spilled();
        self.store(size, 10, off);
    }

    pub(super) fn reload(&mut self) {
        let (size, off) = self.spilled();
        self.load(size, 10, off);
    }

    /// The offsets that an address can have.
    fn reach(&self, address: Register) -> (i16, i16) {
        match address {
            Register::Lent(_) if self.wild => (-16, 32),
            Register::Lent(_) => (0, 32),
            _ if self.in_function => (-OWN_STACK, 0),
            _ if self.wild => (-160, 0),
            _ => (-80, 0),
        }
    }

    /// `r10 + offset`, in one way or another.
    pub(super) fn make_address(&mut self, register: u8, offset: i16) {
        let imm = i32::from(offset);
        let copy = one(0xbf, register, 10, 0, 0);
        let steps: &[Instruction] = match self.random.u8(..if self.wild { 4 } else { 2 }) {
            0 => &[copy, one(0x17, register, 0, 0, -imm)],
            1 => &[copy, one(0x07, register, 0, 0, imm)],
            2 => &[
                copy,
                one(0x07, register, 0, 0, -8),
                one(0x07, register, 0, 0, imm + 8),
            ],
            _ => &[
                one(0xb7, register, 0, 0, imm),
                one(0x0f, register, 10, 0, 0),
            ],
        };
        self.code.extend(steps);
        self.set(register, Register::Stack(offset));
    }

    /// The address of this many bytes on the stack, in a register.
    pub(super) fn address(&mut self, register: u8, size: i16) {
        let (lowest, highest) = self.reach(Register::Stack(0));
        let offset = self.random.i16(lowest..=highest - size);
        self.make_address(register, offset);
    }

    /// Makes an address on the stack, moves, spills or uses one.
    pub(super) fn use_address(&mut self) {
        let held = |register| matches!(register, Register::Stack(_) | Register::Lent(_));
        let Some(register) = self.chosen(held) else {
            let register = self.free();
            return self.address(register, 8);
        };
        let holds = self.registers[usize::from(register)];
        let (Register::Stack(offset) | Register::Lent(offset)) = holds else {
            return;
        };
        let (lowest, highest) = self.reach(holds);
        // Well-behaved programs reach upwards only.
        let lowest = if self.wild {
            lowest
        } else {
            offset.max(lowest)
        };
        let (code, size) = self.pick(&SIZES);
        match self.random.u8(..6) {
            0 if lowest < highest - 8 => {
                let to = self.random.i16(lowest..highest - 8);
                self.code
                    .push(one(0x07, register, 0, 0, i32::from(to - offset)));
                self.set(
                    register,
                    match holds {
                        Register::Lent(_) => Register::Lent(to),
                        _ => Register::Stack(to),
                    },
                );
            }
            1 if !self.in_function => {
                // Spilled, and loaded into another register.
                let off = self.random.i16(-20..-10) * 8;
                let other = self.free();
                self.code.push(one(0x7b, 10, register, off, 0));
                self.code.push(one(0x79, other, 10, off, 0));
                self.set(other, holds);
            }
            2 if offset + 8 <= highest => {
                // Moved by a number that is not known.
                let Some(index) = self.chosen(|register| register == Register::Number) else {
                    return;
                };
                self.code.push(one(0x57, index, 0, 0, 7));
                self.code.push(one(0x0f, register, index, 0, 0));
                self.load_or_store(0x10, register, 0);
                self.set(register, Register::Either);
            }
            _ if lowest + size <= highest => {
                let to = self.random.i16(lowest..=highest - size);
                self.load_or_store(code, register, to - offset);
            }
            _ => {}
        }
    }

    pub(super) fn use_context(&mut self) {
        let (code, size) = self.pick(&SIZES);
        let off = self.random.i16(0..CONTEXT_SIZE / size) * size;
        self.load_or_store(code, CONTEXT, off);
    }

    /// An atomic change of a word on the stack or in the context.
    pub(super) fn change_atomically(&mut self) {
        let operation = self.pick(&ATOMIC);
        let Some(src) = self.number() else { return };
        if operation == 0xf1 && self.registers[0] != Register::Number {
            return;
        }
        let (base, off) = match self.random.bool() {
            true => (CONTEXT, self.random.i16(0..CONTEXT_SIZE / 8) * 8),
            false => (10, self.spilled().1 & !7),
        };
        let code = self.pick(&[0xc3, 0xdb]);
        self.code.push(one(code, base, src, off, operation));
        if operation & 1 != 0 {
            self.set(src, Register::Number);
        }
    }

    /// Looks up an entry in the map, and reads or writes it.
    pub(super) fn look_up(&mut self) {
        self.address(2, 8);
        self.code.push(one(0x18, 1, 1, 0, TABLE));
        self.code.push(one(0, 0, 0, 0, 0));
        self.call(1);
        let branch = self.code.len();
        self.code.push(one(0x15, 0, 0, 0, 0));
        let before = self.registers;
        for _ in 0..self.random.u8(1..4) {
            let (code, size) = self.pick(&SIZES);
            let off = self.random.i16(0..64 / size) * size;
            self.load_or_store(code, 0, off);
            let last = self.code.last();
            if last.is_some_and(|last| last.code & 7 == 1 && last.dst == 0) {
                // What was found is lost.
                break;
            }
        }
        self.meet(&before);
        self.lead_here(branch);
    }
}
