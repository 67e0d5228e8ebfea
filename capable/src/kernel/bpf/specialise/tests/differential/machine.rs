//! A program run by rbpf, in a world that is made from a seed.

use super::{
    helpers, lower,
    world::{Call, Setting, place, with_world},
};
use crate::kernel::bpf::instruction::Instruction;

/// What a program did.
#[derive(Debug, PartialEq, Eq)]
pub struct Execution {
    /// What it returned; an error if it left its memory.
    pub returned: Result<u64, ()>,
    /// The helpers that it called.
    pub calls: Vec<Call>,
    /// The memory without the stack, when it ended.
    pub memory: Vec<u64>,
}

/// A program that is ready to run.
pub struct Machine<'a>(rbpf::EbpfVmNoData<'a>);

impl<'a> Machine<'a> {
    /// Takes a program that [`prepare`] made.
    pub fn new(program: &'a [u8]) -> Self {
        let mut machine = rbpf::EbpfVmNoData::new(None).unwrap();
        // rbpf's own verifier forbids writing to r10, which is how the frames are placed in our
        // memory.
        machine.set_verifier(|_| Ok(())).unwrap();
        machine
            .set_stack_usage_calculator(|_, _, _| lower::FRAME, Box::new(()))
            .unwrap();
        machine.set_program(program).unwrap();
        let start = with_world(|world| world.start);
        machine.register_allowed_memory(start..start + place::END as u64);
        for (number, helper) in helpers::ALL {
            machine.register_helper(*number, *helper).unwrap();
        }
        Self(machine)
    }

    /// Runs it.
    pub fn run(&self, setting: &Setting<'_>) -> Execution {
        with_world(|world| world.renew(setting));
        let returned = self.0.execute_program().map_err(drop);
        with_world(|world| Execution {
            returned,
            calls: std::mem::take(&mut world.calls),
            memory: world.memory[place::STACK.end / 8..].to_vec(),
        })
    }
}

/// A program in the form that [`Machine`] takes, with its settings in the map of this number.
pub fn prepare(code: &[Instruction], settings: i32) -> Vec<u8> {
    lower::lower(code, settings, with_world(|world| world.start))
}
