//! Random programs that contain everything the specialiser handles.
//!
//! They never read uninitialised memory or registers, and never leave their memory. Most keep
//! addressable variables above their spill slots, as a compiler does. Wild ones do not, and the
//! specialiser may refuse them.

use fastrand::Rng;

use super::world::Maps;
use crate::kernel::bpf::{
    instruction::Instruction,
    specialise::tests::{EXIT, MAP, one},
};

mod calls;
mod memory;
mod statement;

/// The map of the settings, and one for helpers to look up.
const TABLE: i32 = MAP + 1;

/// Bytes of its keys and of its values.
pub fn maps() -> Maps {
    Maps::from([(TABLE, (8, 64))])
}

/// A program with the settings that it reads.
pub struct Program {
    pub code: Vec<Instruction>,
    pub settings: Vec<u8>,
}

/// What a register holds: what the generator needs to know to use it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Register {
    /// Nothing that can be read.
    Unset,
    Number,
    /// An address on the stack, at this offset from r10.
    Stack(i16),
    /// The same, at this offset from what the function was passed.
    Lent(i16),
    /// A number or an address.
    Either,
}

/// r0 to r9. r6 always holds the address of the context, and r9 is the loop counter.
type Registers = [Register; 10];

/// The register that holds the context's address.
const CONTEXT: u8 = 6;

/// The register that counts the iterations of a loop.
const COUNTER: u8 = 9;

/// Bytes of the stack that a function uses.
const OWN_STACK: i16 = 64;

/// Registers that statements change.
const FREE: [u8; 8] = [0, 1, 2, 3, 4, 5, 7, 8];

struct Generator {
    random: Rng,
    code: Vec<Instruction>,
    registers: Registers,
    /// Addresses and spilled words lie anywhere.
    wild: bool,
    /// The settings' size.
    settings: i32,
    /// Calls to functions, which come after the rest.
    calls: Vec<usize>,
    in_function: bool,
    in_loop: bool,
}

/// The program made from a seed.
pub fn generate(seed: u64) -> Program {
    let mut random = Rng::with_seed(seed);
    let settings: Vec<u8> = (0..random.usize(1..6) * 8)
        .map(|_| match random.u8(..3) {
            0 => random.u8(..),
            1 => 1,
            _ => 0,
        })
        .collect();
    let mut generator = Generator {
        wild: random.u8(..4) == 0,
        random,
        code: vec![one(0xbf, CONTEXT, 1, 0, 0)],
        registers: [Register::Unset; 10],
        settings: settings.len() as i32,
        calls: Vec::new(),
        in_function: false,
        in_loop: false,
    };
    generator.registers[usize::from(CONTEXT)] = Register::Number;
    let statements = generator.random.usize(4..24);
    generator.block(statements, 3);
    generator.end();
    generator.function();
    Program {
        code: generator.code,
        settings,
    }
}

impl Generator {
    /// This many statements, with blocks nested at most this deep.
    fn block(&mut self, statements: usize, depth: u8) {
        for _ in 0..statements {
            self.statement(depth);
        }
    }

    /// Returns a number, and leaves some in the context.
    fn end(&mut self) {
        for register in FREE {
            if self.registers[usize::from(register)] == Register::Number && self.random.bool() {
                let off = self.random.i16(0..32) * 8;
                self.code.push(one(0x7b, CONTEXT, register, off, 0));
            }
        }
        let code = match self.number() {
            Some(register) => one(0xbf, 0, register, 0, 0),
            None => one(0xb7, 0, 0, 0, 1),
        };
        self.code.extend([code, EXIT]);
    }

    /// The function that all calls call. It writes its words of the stack before it reads them.
    fn function(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let start = self.code.len();
        for call in std::mem::take(&mut self.calls) {
            self.code[call].imm = (start - call - 1) as i32;
        }
        self.in_function = true;
        self.registers = [Register::Unset; 10];
        self.registers[1] = Register::Lent(0);
        self.registers[2..=5].fill(Register::Number);
        // The context comes in r5.
        self.code.push(one(0xbf, CONTEXT, 5, 0, 0));
        self.registers[usize::from(CONTEXT)] = Register::Number;
        for offset in (-OWN_STACK..0).step_by(8) {
            self.code.push(one(0x7a, 10, 0, offset, 1));
        }
        let statements = self.random.usize(1..8);
        self.block(statements, 1);
        self.end();
    }

    /// A register that holds a number.
    fn number(&mut self) -> Option<u8> {
        let wild = self.wild;
        self.chosen(|register| match register {
            Register::Number => true,
            Register::Unset => false,
            Register::Stack(_) | Register::Lent(_) | Register::Either => wild,
        })
    }

    /// A register that may be changed, and that holds what is wanted.
    fn chosen(&mut self, wanted: impl Fn(Register) -> bool) -> Option<u8> {
        let fit = FREE
            .into_iter()
            .filter(|&register| wanted(self.registers[usize::from(register)]));
        let fit: Vec<u8> = fit.collect();
        self.random.choice(fit)
    }

    /// A register that may be changed.
    fn free(&mut self) -> u8 {
        self.random.choice(FREE).unwrap_or_default()
    }

    fn set(&mut self, register: u8, holds: Register) {
        self.registers[usize::from(register)] = holds;
    }

    /// A constant, often an edge case.
    fn constant(&mut self) -> i32 {
        let edges = [
            0,
            0,
            1,
            1,
            2,
            7,
            8,
            31,
            32,
            33,
            63,
            -1,
            -2,
            -8,
            255,
            i32::MIN,
            i32::MAX,
        ];
        match self.random.u8(..4) {
            0 => self.random.i32(..),
            _ => self.random.choice(edges).unwrap_or_default(),
        }
    }

    /// One of these.
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.usize(..from.len())]
    }
}
