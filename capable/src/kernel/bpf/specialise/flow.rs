//! Following all paths of a program.
//!
//! The state before an instruction is stored where paths meet, and joined there until it no longer
//! changes. An analysis defines its state, how an instruction changes it, and which branches it can
//! decide.

use super::{code::Code, obstacle::Obstacle};
use crate::kernel::bpf::instruction::{Instruction, InstructionKind};

/// The state before an instruction, if one is stored there.
pub type States<S> = Vec<Option<Box<S>>>;

/// An analysis of a program.
pub trait Analysis {
    /// What is known at a point of the program.
    type State: Clone;

    /// What is known where the program begins.
    fn start(&self) -> Self::State;

    /// What is known where a function begins.
    fn start_of_function(&self, caller: &Self::State) -> Self::State;

    /// Keeps what holds on both paths; true if that is less than before.
    fn join(&self, known: &mut Self::State, other: &Self::State) -> bool;

    /// What is known after an instruction.
    fn step(&mut self, at: usize, state: &mut Self::State) -> Result<(), Obstacle>;

    /// Whether a branch is taken, if that is known.
    fn decided(&self, one: &Instruction, state: &Self::State) -> Option<bool>;
}

/// Follows all paths that can be taken.
pub fn follow<A: Analysis>(code: &Code, analysis: &mut A) -> Result<States<A::State>, Obstacle> {
    let mut states: States<A::State> = code.instructions.iter().map(|_| None).collect();
    let mut open = vec![(0, analysis.start())];
    while let Some((mut at, mut state)) = open.pop() {
        let mut from = at;
        loop {
            let one = code.instructions.get(at).ok_or(Obstacle::Outside(from))?;
            if code.meets[at] {
                match &mut states[at] {
                    Some(known) => {
                        if !analysis.join(known, &state) {
                            break;
                        }
                        state.clone_from(known);
                    }
                    unknown => *unknown = Some(Box::new(state.clone())),
                }
            }
            from = at;
            let target = || one.target(at).ok_or(Obstacle::Outside(at));
            match one.kind() {
                InstructionKind::Unknown => return Err(Obstacle::Unknown(at)),
                InstructionKind::Branch { .. } => match analysis.decided(one, &state) {
                    Some(true) => at = target()?,
                    Some(false) => at += 1,
                    None => {
                        open.push((target()?, state.clone()));
                        at += 1;
                    }
                },
                kind => {
                    if kind == InstructionKind::Function {
                        let callee = one.callee(at).ok_or(Obstacle::Outside(at))?;
                        open.push((callee, analysis.start_of_function(&state)));
                    }
                    analysis.step(at, &mut state)?;
                    match kind {
                        InstructionKind::Exit => break,
                        InstructionKind::Jump => at = target()?,
                        _ => at += one.length(),
                    }
                }
            }
        }
    }
    Ok(states)
}
