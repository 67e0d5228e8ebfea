//! What a program does, one thing at a time.

use super::{COUNTER, Generator, Register, Registers};
use crate::kernel::bpf::{
    instruction::{ARSH, DIV, Instruction, LSH, MOD, RSH},
    specialise::tests::{EXIT, one},
};

/// Conditions of branches.
const CONDITIONS: [u8; 11] = [
    0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0,
];

/// Operations with two operands, copying among them.
const OPERATIONS: [u8; 12] = [
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xb0, 0xc0,
];

impl Generator {
    pub(super) fn statement(&mut self, depth: u8) {
        match self.random.u8(..32) {
            0..=3 => self.set_number(),
            4..=8 => self.compute(),
            9 => self.negate_or_swap(),
            10..=13 => self.load_setting(),
            14..=16 => self.spill(),
            17..=18 => self.reload(),
            19..=20 => self.use_address(),
            21..=22 => self.use_context(),
            23 => self.change_atomically(),
            24..=25 => self.help(),
            26 if !self.in_function => self.call_function(),
            27..=29 if depth > 0 => self.branch(depth - 1),
            30 if depth > 0 && !self.in_loop => self.repeat(depth - 1),
            31 if depth > 0 => self.jump_over(depth - 1),
            _ => self.look_up(),
        }
    }

    /// A constant in a register.
    fn set_number(&mut self) {
        let (dst, constant) = (self.free(), self.constant());
        match self.random.u8(..4) {
            0 => {
                let high = self.constant();
                self.code.push(one(0x18, dst, 0, 0, constant));
                self.code.push(one(0, 0, 0, 0, high));
            }
            1 => self.code.push(one(0xb4, dst, 0, 0, constant)),
            _ => self.code.push(one(0xb7, dst, 0, 0, constant)),
        }
        self.set(dst, Register::Number);
    }

    /// Arithmetic, of 32 or 64 bits, with a constant or a register.
    fn compute(&mut self) {
        let Some(dst) = self.number() else { return };
        let (operation, class) = (self.pick(&OPERATIONS), self.pick(&[0x04, 0x07]));
        let code = match self.number() {
            Some(src) if self.random.bool() => one(operation | class | 0x08, dst, src, 0, 0),
            _ => {
                let bits = if class == 0x07 { 64 } else { 32 };
                // The verifier rejects others.
                let constant = match operation {
                    LSH | RSH | ARSH => self.random.i32(0..bits),
                    DIV | MOD => self.constant().max(1),
                    _ => self.constant(),
                };
                one(operation | class, dst, 0, 0, constant)
            }
        };
        self.code.push(code);
        self.set(dst, Register::Number);
    }

    /// Negation, or another order of bytes.
    fn negate_or_swap(&mut self) {
        let Some(dst) = self.number() else { return };
        let code = self.pick(&[0x84, 0x87, 0xd4, 0xdc]);
        let bits = match code {
            0xd4 | 0xdc => self.pick(&[16, 32, 64]),
            _ => 0,
        };
        self.code.push(one(code, dst, 0, 0, bits));
        self.set(dst, Register::Number);
    }

    /// A comparison of a register with a constant or a register; the jump has no target yet.
    fn condition(&mut self) -> Option<Instruction> {
        let dst = self.number()?;
        let (condition, class) = (self.pick(&CONDITIONS), self.pick(&[0x05, 0x06]));
        Some(match self.number() {
            Some(src) if self.random.bool() => one(condition | class | 0x08, dst, src, 0, 0),
            _ => one(condition | class, dst, 0, 0, self.constant()),
        })
    }

    /// Something that is done on one branch, and perhaps something else on the other.
    fn branch(&mut self, depth: u8) {
        let Some(condition) = self.condition() else {
            return;
        };
        let branch = self.code.len();
        self.code.push(condition);
        let before = self.registers;
        let statements = self.random.usize(..4);
        self.block(statements, depth);
        match self.random.u8(..4) {
            0 => {
                self.end();
                self.registers = before;
                self.lead_here(branch);
            }
            1 => {
                let jump = self.code.len();
                self.code.push(one(0x05, 0, 0, 0, 0));
                self.lead_here(branch);
                let first = std::mem::replace(&mut self.registers, before);
                let statements = self.random.usize(..4);
                self.block(statements, depth);
                self.meet(&first);
                self.lead_here(jump);
            }
            _ => {
                self.meet(&before);
                self.lead_here(branch);
            }
        }
    }

    /// A loop of a few iterations. After each iteration, registers can be used as before it.
    fn repeat(&mut self, depth: u8) {
        let turns = self.random.i32(1..5);
        self.code.push(one(0xb7, COUNTER, 0, 0, 0));
        for register in &mut self.registers {
            if let Register::Lent(_) = register {
                // It could not be restored after an iteration.
                *register = Register::Either;
            }
        }
        let (start, before) = (self.code.len(), self.registers);
        self.in_loop = true;
        let statements = self.random.usize(1..5);
        self.block(statements, depth);
        self.in_loop = false;
        for register in 0..10 {
            let holds = before[usize::from(register)];
            if holds == self.registers[usize::from(register)] {
                continue;
            }
            match holds {
                Register::Unset => {}
                Register::Stack(offset) => self.make_address(register, offset),
                Register::Number | Register::Lent(_) | Register::Either => {
                    self.code.push(one(0xb7, register, 0, 0, turns));
                    self.set(register, Register::Number);
                }
            }
        }
        self.code.push(one(0x07, COUNTER, 0, 0, 1));
        let back = start as isize - self.code.len() as isize - 1;
        let code = self.pick(&[0xa5, 0xc5, 0xa6, 0x55]);
        self.code.push(one(code, COUNTER, 0, back as i16, turns));
    }

    /// Unreachable code.
    fn jump_over(&mut self, depth: u8) {
        let (jump, before) = (self.code.len(), self.registers);
        self.code.push(one(0x05, 0, 0, 0, 0));
        let statements = self.random.usize(..3);
        self.block(statements, depth);
        if self.random.bool() {
            self.code.push(EXIT);
        }
        self.registers = before;
        self.lead_here(jump);
    }

    /// Points a jump at the next instruction.
    pub(super) fn lead_here(&mut self, jump: usize) {
        self.code[jump].off = (self.code.len() - jump - 1) as i16;
    }

    /// Joins two paths.
    pub(super) fn meet(&mut self, other: &Registers) {
        for (mine, other) in self.registers.iter_mut().zip(other) {
            *mine = match (*mine, *other) {
                (one, other) if one == other => one,
                (Register::Unset, _) | (_, Register::Unset) => Register::Unset,
                _ => Register::Either,
            };
        }
    }
}
