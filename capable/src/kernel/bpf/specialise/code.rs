//! The instructions of a program, and where its paths meet.

use aya_obj::generated::bpf_insn;

use super::obstacle::Obstacle;
use crate::kernel::bpf::instruction::{Instruction, InstructionKind};

/// A program whose register numbers are valid and whose 16-byte instructions are complete.
#[derive(Clone)]
pub struct Code {
    /// Its instructions; one of 16 bytes takes two slots.
    pub instructions: Vec<Instruction>,
    /// Whether paths can meet before the instruction: it is the target of a jump or a call.
    pub meets: Vec<bool>,
}

impl Code {
    /// Reads a program.
    pub fn read(program: &[bpf_insn]) -> Result<Self, Obstacle> {
        Self::of(program.iter().map(Instruction::from).collect())
    }

    /// The program that these instructions are.
    pub fn of(instructions: Vec<Instruction>) -> Result<Self, Obstacle> {
        let mut meets = vec![false; instructions.len()];
        let mut at = 0;
        while let Some(one) = instructions.get(at) {
            if one.dst > 10 || one.src > 10 {
                return Err(Obstacle::Unknown(at));
            }
            let target = match one.kind() {
                InstructionKind::Jump | InstructionKind::Branch { .. } => one.target(at),
                InstructionKind::Function => one.callee(at),
                _ => None,
            };
            if let Some(meets) = target.and_then(|target| meets.get_mut(target)) {
                *meets = true;
            }
            at += one.length();
        }
        if at > instructions.len() {
            return Err(Obstacle::Outside(at - 2));
        }
        if let Some(first) = meets.first_mut() {
            *first = true;
        }
        Ok(Self {
            instructions,
            meets,
        })
    }

    /// Whether this slot holds the second half of a 16-byte instruction.
    pub fn is_second_half(&self, at: usize) -> bool {
        at > 0 && self.instructions[at - 1].kind() == InstructionKind::Wide
    }
}
