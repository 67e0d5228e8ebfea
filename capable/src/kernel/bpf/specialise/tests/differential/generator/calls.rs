//! What a program calls: helpers, and its function.

use super::{CONTEXT, Generator, Register, TABLE};
use crate::kernel::bpf::specialise::tests::one;

impl Generator {
    /// A number as an argument.
    fn argument(&mut self, register: u8) {
        let code = match self.number() {
            Some(number) => one(0xbf, register, number, 0, 0),
            None => one(0xb7, register, 0, 0, self.constant()),
        };
        self.code.push(code);
        self.set(register, Register::Number);
    }

    /// A size as an argument, and before it the address of that many bytes.
    fn memory(&mut self, register: u8) {
        let size = self.random.i16(1..=16);
        self.address(register, size);
        self.code
            .push(one(0xb7, register + 1, 0, 0, i32::from(size)));
        self.set(register + 1, Register::Number);
    }

    fn table(&mut self) {
        self.code.push(one(0x18, 1, 1, 0, TABLE));
        self.code.push(one(0, 0, 0, 0, 0));
        self.set(1, Register::Number);
    }

    /// Calls a helper whose arguments are already set.
    pub(super) fn call(&mut self, helper: i32) {
        self.code.push(one(0x85, 0, 0, 0, helper));
        self.registers[1..=5].fill(Register::Unset);
        self.set(0, Register::Number);
    }

    /// A helper with its arguments.
    pub(super) fn help(&mut self) {
        let helper = self.pick(&[2, 5, 8, 14, 16, 113, 130, 131, 134, 200]);
        match helper {
            16 => self.memory(1),
            113 => {
                self.memory(1);
                self.argument(3);
            }
            // The value is longer than what is written here.
            2 => {
                self.address(2, 8);
                self.address(3, 64);
                self.argument(4);
                self.table();
            }
            130 => {
                self.memory(2);
                self.argument(4);
                self.table();
            }
            131 => return self.reserve(),
            134 => {
                self.argument(2);
                self.table();
            }
            200 => (1..=5).for_each(|register| self.argument(register)),
            _ => {}
        }
        self.call(helper);
    }

    /// A record that is reserved, written and submitted.
    fn reserve(&mut self) {
        self.code.push(one(0xb7, 2, 0, 0, 32));
        self.set(2, Register::Number);
        self.argument(3);
        self.table();
        self.call(131);
        let branch = self.code.len();
        self.code.push(one(0x15, 0, 0, 0, 0));
        for word in 0..4 {
            let code = match self.chosen(|register| register == Register::Number) {
                Some(number) => one(0x7b, 0, number, word * 8, 0),
                None => one(0x7a, 0, 0, word * 8, self.constant()),
            };
            self.code.push(code);
        }
        let submit = [one(0xbf, 1, 0, 0, 0), one(0xb7, 2, 0, 0, 0)];
        self.code.extend(submit);
        self.call(132);
        self.lead_here(branch);
    }

    /// Calls the function, which takes an address, three numbers and the context.
    pub(super) fn call_function(&mut self) {
        let offset = self.random.i16(-8..=-4) * 8;
        self.make_address(1, offset);
        for register in 2..=4 {
            self.argument(register);
        }
        self.code.push(one(0xbf, 5, CONTEXT, 0, 0));
        self.calls.push(self.code.len());
        self.code.push(one(0x85, 0, 1, 0, 0));
        self.registers[1..=5].fill(Register::Unset);
        self.set(0, Register::Number);
    }
}
