//! A function's stack frame: which of its words are spill slots, which only loads and stores
//! through r10 can reach.
//!
//! The compiler keeps variables whose address is taken at the top, next to r10, and spills
//! registers below them. This module checks that: it tracks each address to find how far down it
//! can reach. A program may move an address by constants and by non-negative numbers, pass it to
//! helpers and functions that reach upwards from it, and spill it. A program that does anything
//! else with one is not specialised.

use super::{
    code::Code,
    flow::{self, Analysis},
    helper::arguments,
    obstacle::Obstacle,
};
use crate::kernel::bpf::instruction::{Instruction, InstructionKind};

mod held;

use held::{FRAME_POINTER, Held, STACK, State};

/// The part of the stack that belongs to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Offsets from r10 below this are spill slots: no address reaches down to them. A multiple of
    /// 8.
    floor: i32,
}

impl Frame {
    /// A frame of which nothing is known, and so without spill slots.
    pub const UNKNOWN: Self = Self { floor: i32::MIN };

    /// The frame, the same for all functions of a program.
    pub fn of(code: &Code) -> Result<Self, Obstacle> {
        let mut reached = Reached {
            code,
            lowest: 0,
            spilled: None,
        };
        flow::follow(code, &mut reached)?;
        let floor = reached.lowest & !7;
        match reached.spilled {
            Some((at, offset)) if offset >= floor => Err(Obstacle::AddressInMemory(at)),
            _ => Ok(Self { floor }),
        }
    }

    /// The stack word that is accessed through a register, if that is a spill slot.
    pub fn slot(self, register: u8, offset: i16) -> Option<usize> {
        (register == FRAME_POINTER && i32::from(offset) < self.floor).then(|| slot(offset))
    }
}

/// The index of the stack word at an offset from r10, counted from the lowest.
fn slot(offset: i16) -> usize {
    (i32::from(offset) + STACK) as usize / 8
}

/// How far down the addresses reach that a program derives from r10.
struct Reached<'a> {
    code: &'a Code,
    /// The lowest offset from r10.
    lowest: i32,
    /// The instruction that spills an address closest to r10, and its offset.
    spilled: Option<(usize, i32)>,
}

impl Reached<'_> {
    /// Accesses memory at an offset from what a register holds.
    fn reach(&mut self, at: usize, held: Held, offset: i16) -> Result<(), Obstacle> {
        match held {
            Held::Anything | Held::Forward => Ok(()),
            Held::Own(lowest) if lowest + i32::from(offset) >= -STACK => {
                self.lowest = self.lowest.min(lowest + i32::from(offset));
                Ok(())
            }
            Held::Lent(lowest) if lowest + i32::from(offset) >= 0 => Ok(()),
            _ => Err(Obstacle::Address(at)),
        }
    }

    /// Loads or stores. An access through r10 itself must lie within one word of the stack.
    fn access(
        &mut self,
        at: usize,
        state: &State,
        register: u8,
        size: usize,
    ) -> Result<(), Obstacle> {
        let offset = self.code.instructions[at].off;
        if register != FRAME_POINTER {
            return self.reach(at, state.register(register), offset);
        }
        let (size, offset) = (size as i32, i32::from(offset));
        let whole = (-STACK..=-size).contains(&offset) && offset % size == 0;
        whole.then_some(()).ok_or(Obstacle::Stack(at))
    }

    fn load(&mut self, at: usize, state: &mut State, size: usize) -> Result<(), Obstacle> {
        let one = &self.code.instructions[at];
        self.access(at, state, one.src, size)?;
        let loaded = match one.src {
            FRAME_POINTER => state.slots.get(slot(one.off)),
            _ => Held::Anything,
        };
        state.registers[usize::from(one.dst)] = match size {
            8 => loaded,
            _ if loaded.is_address() => Held::Lost,
            _ => Held::Forward,
        };
        Ok(())
    }

    fn store(
        &mut self,
        at: usize,
        state: &mut State,
        size: usize,
        register: bool,
    ) -> Result<(), Obstacle> {
        let one = &self.code.instructions[at];
        self.access(at, state, one.dst, size)?;
        let stored = match register {
            true => state.register(one.src),
            false => Held::Anything,
        };
        if stored.is_address() {
            if one.dst != FRAME_POINTER || size != 8 {
                return Err(Obstacle::AddressInMemory(at));
            }
            let offset = i32::from(one.off);
            if self.spilled.is_none_or(|(_, highest)| offset > highest) {
                self.spilled = Some((at, offset));
            }
        }
        if one.dst == FRAME_POINTER {
            let slot = slot(one.off);
            let left = match stored {
                _ if size < 8 && state.slots.get(slot).is_address() => Held::Lost,
                // Anything else there may be changed in other ways if it is not a spill slot.
                _ if !stored.is_address() => Held::Anything,
                address => address,
            };
            state.slots.set(slot, left);
        }
        Ok(())
    }

    fn atomic(&mut self, at: usize, state: &mut State, size: usize) -> Result<(), Obstacle> {
        let one = &self.code.instructions[at];
        self.access(at, state, one.dst, size)?;
        let slot = (one.dst == FRAME_POINTER).then(|| state.slots.get(slot(one.off)));
        // A compare-and-exchange compares with r0.
        let operands = [state.register(one.src), state.register(0)];
        if operands.into_iter().chain(slot).any(Held::is_address) {
            return Err(Obstacle::AddressInMemory(at));
        }
        state.registers[usize::from(one.src)] = Held::Anything;
        state.registers[0] = Held::Anything;
        Ok(())
    }

    /// Passes addresses to a helper, which reaches upwards from them.
    fn help(&mut self, at: usize, state: &State) -> Result<(), Obstacle> {
        let arguments = arguments(self.code.instructions[at].imm);
        for register in (1..=5).filter(|register| arguments >> register & 1 != 0) {
            self.reach(at, state.register(register), 0)?;
        }
        Ok(())
    }

    /// Passes addresses to a function. There they are tracked from offset 0.
    fn lend(&mut self, state: &State) {
        for register in 1..=5 {
            if let Held::Own(lowest) = state.register(register) {
                self.lowest = self.lowest.min(lowest);
            }
        }
    }
}

impl Analysis for Reached<'_> {
    type State = State;

    fn start(&self) -> State {
        State::START
    }

    fn start_of_function(&self, caller: &State) -> State {
        let mut state = State::START;
        for register in 1..=5 {
            state.registers[register] = caller.registers[register].lent();
        }
        state
    }

    fn join(&self, known: &mut State, other: &State) -> bool {
        known.join(other)
    }

    fn step(&mut self, at: usize, state: &mut State) -> Result<(), Obstacle> {
        let one = &self.code.instructions[at];
        let writes = matches!(
            one.kind(),
            InstructionKind::Wide
                | InstructionKind::Load { .. }
                | InstructionKind::Alu64
                | InstructionKind::Alu32
        );
        if writes && one.dst == FRAME_POINTER {
            return Err(Obstacle::FramePointer(at));
        }
        match one.kind() {
            InstructionKind::Wide => {
                let high = self.code.instructions[at + 1].imm;
                let forward = one.src == 0 && high == 0;
                state.registers[usize::from(one.dst)] = Held::number(forward);
            }
            InstructionKind::Load { size } => self.load(at, state, size)?,
            InstructionKind::Store { size, register } => self.store(at, state, size, register)?,
            InstructionKind::Atomic { size } => self.atomic(at, state, size)?,
            InstructionKind::Alu64 | InstructionKind::Alu32 => {
                state.registers[usize::from(one.dst)] = state.computed(one);
            }
            InstructionKind::Helper => {
                self.help(at, state)?;
                state.registers[..6].fill(Held::Anything);
            }
            InstructionKind::Function => {
                self.lend(state);
                state.registers[..6].fill(Held::Anything);
            }
            InstructionKind::Exit if state.register(0).is_address() => {
                return Err(Obstacle::AddressInMemory(at));
            }
            _ => {}
        }
        Ok(())
    }

    fn decided(&self, _: &Instruction, _: &State) -> Option<bool> {
        None
    }
}
