//! Rewrites instructions with what is known.

use super::{
    code::Code,
    flow::Analysis as _,
    frame::Frame,
    known::{Known, State, Value},
    obstacle::Obstacle,
};
use crate::kernel::bpf::instruction::{Instruction, InstructionKind};

/// A program in which some instructions have changed and some will be removed.
pub struct Draft {
    pub code: Code,
    pub frame: Frame,
    /// Whether the instruction stays.
    pub kept: Vec<bool>,
}

impl Draft {
    /// Puts known values into the instructions, and resolves the branches that are decided. Code
    /// that cannot be reached is not kept.
    pub fn of(known: &Known<'_>) -> Self {
        let code = known.code;
        let mut draft = Self {
            code: code.clone(),
            frame: known.frame,
            kept: vec![false; code.instructions.len()],
        };
        let mut current: Option<State> = None;
        let mut at = 0;
        while let Some(one) = code.instructions.get(at) {
            if code.meets[at] {
                current = known.at(at).cloned();
            }
            if let Some(before) = current.take()
                && draft.take(known, at, &before)
            {
                let mut after = before;
                known.after(at, &mut after);
                current = Some(after);
            }
            at += one.length();
        }
        draft
    }

    /// The program so far. Its instructions are where they were; what is not kept does nothing.
    pub fn into_code(self) -> Result<Code, Obstacle> {
        let mut instructions = self.code.instructions;
        for (one, _) in instructions
            .iter_mut()
            .zip(self.kept)
            .filter(|(_, kept)| !kept)
        {
            *one = Instruction::jump(0);
        }
        Code::of(instructions)
    }

    /// Keeps an instruction that is reached; true if the next one is reached too.
    fn take(&mut self, known: &Known<'_>, at: usize, state: &State) -> bool {
        let one = self.code.instructions[at];
        self.kept[at..at + one.length()].fill(true);
        match one.kind() {
            InstructionKind::Exit | InstructionKind::Jump => return false,
            InstructionKind::Branch { .. } => match known.decided(&one, state) {
                Some(true) => {
                    self.code.instructions[at] = Instruction::jump(one.off);
                    return false;
                }
                Some(false) => self.kept[at] = false,
                None => self.take_constant(at, state),
            },
            InstructionKind::Load { .. } | InstructionKind::Alu64 | InstructionKind::Alu32 => {
                match known.result(at, state) {
                    Value::Number(number) => {
                        self.code.instructions[at] =
                            Instruction::set(one.dst, number).unwrap_or(one);
                    }
                    _ => self.take_constant(at, state),
                }
            }
            InstructionKind::Store { .. } if one.dst != 10 => self.take_constant(at, state),
            _ => {}
        }
        true
    }

    /// Replaces a register operand whose number is known with a constant in the instruction.
    fn take_constant(&mut self, at: usize, state: &State) {
        let mut one = self.code.instructions[at];
        if matches!(one.kind(), InstructionKind::Branch { .. })
            && one.takes_register()
            && let Value::Number(_) = state.registers[usize::from(one.dst)]
        {
            one = one.mirrored();
        }
        if one.takes_register()
            && let Value::Number(number) = state.registers[usize::from(one.src)]
            && let Some(shorter) = one.with_constant(number)
        {
            self.code.instructions[at] = shorter;
        }
    }

    /// If a constant was just added to a copy of an address, moves it into the offsets of the
    /// loads.
    pub fn shorten_addresses(&mut self) {
        let kept: Vec<usize> = (0..self.kept.len()).filter(|&at| self.kept[at]).collect();
        for places in kept.windows(3) {
            let &[first, second, load] = places else {
                continue;
            };
            if self.code.meets[first + 1..=load].contains(&true) {
                continue;
            }
            let code = &mut self.code.instructions;
            let (first, second) = (code[first], code[second]);
            if let InstructionKind::Load { .. } = code[load].kind()
                && let Some((base, distance)) = sum(&first, &second)
                && code[load].src == second.dst
                && let Some(off) = i16::try_from(distance)
                    .ok()
                    .and_then(|distance| code[load].off.checked_add(distance))
            {
                code[load].src = base;
                code[load].off = off;
            }
        }
    }
}

/// The register and the number that two instructions add, if they do nothing else and leave that
/// register unchanged.
fn sum(first: &Instruction, second: &Instruction) -> Option<(u8, i32)> {
    let both = first.kind() == InstructionKind::Alu64
        && second.kind() == InstructionKind::Alu64
        && first.is_move()
        && second.is_add()
        && first.dst == second.dst;
    let (base, distance) = match (first.takes_register(), second.takes_register()) {
        (true, false) => (first.src, second.imm),
        (false, true) => (second.src, first.imm),
        _ => return None,
    };
    (both && base != first.dst).then_some((base, distance))
}
