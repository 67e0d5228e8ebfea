//! Removes computations, loads, spills and jumps that have no effect.

use super::{helper::arguments, rewrite::Draft};
use crate::kernel::bpf::instruction::{Instruction, InstructionKind};

/// r0 to r5, which a call changes.
const CHANGED_BY_CALLS: u128 = 0b11_1111;

impl Draft {
    /// Removes computations, loads and spills whose result is unused; true if there were any.
    pub fn remove_unused(&mut self) -> bool {
        let mut removed = false;
        let kept = self.kept_in_order();
        for (&at, used) in kept.iter().zip(self.used_after(&kept)) {
            let one = self.code.instructions[at];
            let needed = match one.kind() {
                InstructionKind::Wide
                | InstructionKind::Load { .. }
                | InstructionKind::Alu64
                | InstructionKind::Alu32 => used >> one.dst & 1 != 0,
                InstructionKind::Store { .. } => match self.frame.slot(one.dst, one.off) {
                    Some(slot) => used >> (16 + slot) & 1 != 0,
                    None => true,
                },
                _ => true,
            };
            if !needed {
                self.kept[at..at + one.length()].fill(false);
                removed = true;
            }
        }
        removed
    }

    /// What is live after each kept instruction: registers in the lowest bits, and the words of the
    /// stack from bit 16 up.
    fn used_after(&self, kept: &[usize]) -> Vec<u128> {
        let code = &self.code.instructions;
        // For each instruction its number among those that are kept, or that of the next of them.
        let mut numbers = Vec::with_capacity(code.len() + 1);
        for (number, &at) in kept.iter().enumerate() {
            numbers.resize(at + 1, number);
        }
        numbers.resize(code.len() + 1, kept.len());
        let (mut before, mut after) = (vec![0u128; kept.len() + 1], vec![0u128; kept.len()]);
        loop {
            let mut changed = false;
            for (number, &at) in kept.iter().enumerate().rev() {
                let one = &code[at];
                let following = before[number + 1];
                let target = || one.target(at).map_or(0, |target| before[numbers[target]]);
                after[number] = match one.kind() {
                    InstructionKind::Exit => 0,
                    InstructionKind::Jump => target(),
                    InstructionKind::Branch { .. } => following | target(),
                    _ => following,
                };
                let now = self.used_before(one, after[number]);
                changed |= now != before[number];
                before[number] = now;
            }
            if !changed {
                return after;
            }
        }
    }

    /// The instructions that are kept. Most are not, and these are gone through many times.
    fn kept_in_order(&self) -> Vec<usize> {
        let all = 0..self.code.instructions.len();
        all.filter(|&at| self.kept[at] && !self.code.is_second_half(at))
            .collect()
    }

    fn used_before(&self, one: &Instruction, after: u128) -> u128 {
        let (dst, src) = (1u128 << one.dst, 1u128 << one.src);
        let second = if one.takes_register() { src } else { 0 };
        let slot = |register| {
            let slot = self.frame.slot(register, one.off);
            slot.map(|slot| 1u128 << (16 + slot))
        };
        match one.kind() {
            InstructionKind::Wide => after & !dst,
            InstructionKind::Load { .. } => after & !dst | src | slot(one.src).unwrap_or(0),
            InstructionKind::Alu64 | InstructionKind::Alu32 if one.is_move() => {
                after & !dst | second
            }
            InstructionKind::Alu64 | InstructionKind::Alu32 | InstructionKind::Branch { .. } => {
                after | dst | second
            }
            InstructionKind::Store { size, .. } => match slot(one.dst) {
                Some(word) if size == 8 && one.off % 8 == 0 => after & !word | dst | second,
                _ => after | dst | second,
            },
            InstructionKind::Atomic { .. } => after | dst | src | 1 | slot(one.dst).unwrap_or(0),
            InstructionKind::Helper => after & !CHANGED_BY_CALLS | arguments(one.imm),
            InstructionKind::Function => after & !CHANGED_BY_CALLS | 0b11_1110,
            InstructionKind::Exit => 1,
            InstructionKind::Jump | InstructionKind::Unknown => after,
        }
    }

    /// Removes jumps to the next instruction; true if there were any.
    pub fn remove_idle_jumps(&mut self) -> bool {
        let mut removed = false;
        for (at, one) in self.code.instructions.iter().enumerate() {
            if self.kept[at]
                && matches!(
                    one.kind(),
                    InstructionKind::Jump | InstructionKind::Branch { .. }
                )
                && !self.code.is_second_half(at)
                && let Some(target) = one.target(at)
                && target > at
                && !self.kept[at + 1..target].contains(&true)
            {
                self.kept[at] = false;
                removed = true;
            }
        }
        removed
    }
}
