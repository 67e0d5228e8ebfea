//! Closes the gaps left by removed instructions.

use super::{obstacle::Obstacle, rewrite::Draft};
use crate::kernel::bpf::instruction::{Instruction, InstructionKind};

impl Draft {
    /// The instructions that are kept, with the offsets of jumps and calls corrected.
    pub fn pack(&self) -> Result<Vec<Instruction>, Obstacle> {
        // How many instructions are kept before each one.
        let mut places = vec![0i64];
        for &kept in &self.kept {
            places.push(places[places.len() - 1] + i64::from(kept));
        }
        let distance = |at: usize, to: Option<usize>| {
            let to = to.and_then(|to| places.get(to));
            to.map(|to| to - places[at] - 1)
                .ok_or(Obstacle::Outside(at))
        };
        let mut packed = Vec::new();
        for (at, one) in self.code.instructions.iter().enumerate() {
            if !self.kept[at] {
                continue;
            }
            let mut one = *one;
            match one.kind() {
                _ if self.code.is_second_half(at) => {}
                InstructionKind::Jump | InstructionKind::Branch { .. } => {
                    let distance = distance(at, one.target(at))?;
                    one.off = i16::try_from(distance).map_err(|_| Obstacle::Outside(at))?;
                }
                InstructionKind::Function => {
                    let distance = distance(at, one.callee(at))?;
                    one.imm = i32::try_from(distance).map_err(|_| Obstacle::Outside(at))?;
                }
                _ => {}
            }
            packed.push(one);
        }
        Ok(packed)
    }
}
