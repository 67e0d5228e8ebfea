//! What the settings decide: the constants in registers and in spilled words.

use super::{
    code::Code,
    flow::{self, Analysis, States},
    frame::Frame,
    obstacle::Obstacle,
    words::Words,
};
use crate::kernel::bpf::instruction::{Instruction, InstructionKind};

/// The registers, r10 included.
const REGISTERS: usize = 11;

/// The frozen content of a map.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The map's descriptor.
    pub map: i32,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// What is known about a register or a word on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Unknown,
    Number(u64),
    /// An address in the settings.
    Settings(u64),
}

/// What is known before an instruction.
#[derive(Clone)]
pub struct State {
    pub registers: [Value; REGISTERS],
    slots: Words<Value>,
}

impl State {
    const UNKNOWN: Self = Self {
        registers: [Value::Unknown; REGISTERS],
        slots: Words::all(Value::Unknown),
    };
}

/// A program and what is known at each of its instructions.
pub struct Known<'a> {
    pub code: &'a Code,
    pub frame: Frame,
    settings: Settings<'a>,
    /// What is known where paths meet, for every such point that can be reached.
    states: States<State>,
}

impl<'a> Known<'a> {
    /// Follows the constants through a program.
    pub fn follow(code: &'a Code, frame: Frame, settings: Settings<'a>) -> Result<Self, Obstacle> {
        let mut known = Self {
            code,
            frame,
            settings,
            states: Vec::new(),
        };
        known.states = flow::follow(code, &mut known)?;
        Ok(known)
    }

    /// What is known before an instruction at which paths meet; `None` if no path leads there.
    pub fn at(&self, at: usize) -> Option<&State> {
        self.states[at].as_deref()
    }

    /// The second operand.
    fn operand(one: &Instruction, state: &State) -> Value {
        if one.takes_register() {
            state.registers[usize::from(one.src)]
        } else {
            Value::Number(i64::from(one.imm) as u64)
        }
    }

    /// The result of an instruction that computes or loads.
    pub fn result(&self, at: usize, state: &State) -> Value {
        let one = &self.code.instructions[at];
        let left = state.registers[usize::from(one.dst)];
        match one.kind() {
            InstructionKind::Wide => {
                let high = self.code.instructions[at + 1].imm as u32;
                match one.src {
                    0 => Value::Number(u64::from(high) << 32 | u64::from(one.imm as u32)),
                    // `BPF_PSEUDO_MAP_VALUE`
                    2 if one.imm == self.settings.map => Value::Settings(u64::from(high)),
                    _ => Value::Unknown,
                }
            }
            InstructionKind::Load { size } => match state.registers[usize::from(one.src)] {
                Value::Settings(address) => self
                    .setting(address.wrapping_add_signed(i64::from(one.off)), size)
                    .map_or(Value::Unknown, Value::Number),
                _ => match self.frame.slot(one.src, one.off) {
                    Some(slot) if size == 8 => state.slots.get(slot),
                    _ => Value::Unknown,
                },
            },
            kind @ (InstructionKind::Alu64 | InstructionKind::Alu32) => {
                match (left, Self::operand(one, state)) {
                    (_, right @ Value::Settings(_))
                        if kind == InstructionKind::Alu64 && one.is_move() =>
                    {
                        right
                    }
                    (Value::Settings(address), Value::Number(more))
                        if kind == InstructionKind::Alu64 && one.is_add() =>
                    {
                        Value::Settings(address.wrapping_add(more))
                    }
                    (_, Value::Number(right)) if one.is_move() => one.calculate(0, right).into(),
                    (Value::Number(left), Value::Number(right)) => {
                        one.calculate(left, right).into()
                    }
                    _ => Value::Unknown,
                }
            }
            _ => Value::Unknown,
        }
    }

    /// A number among the settings.
    fn setting(&self, address: u64, size: usize) -> Option<u64> {
        let start = usize::try_from(address).ok()?;
        let bytes = self.settings.bytes.get(start..start.checked_add(size)?)?;
        let mut number = [0; 8];
        number[..size].copy_from_slice(bytes);
        Some(u64::from_le_bytes(number))
    }

    /// What is known after an instruction that falls through to the next.
    pub fn after(&self, at: usize, state: &mut State) {
        let one = &self.code.instructions[at];
        match one.kind() {
            InstructionKind::Wide
            | InstructionKind::Load { .. }
            | InstructionKind::Alu64
            | InstructionKind::Alu32 => {
                state.registers[usize::from(one.dst)] = self.result(at, state);
            }
            InstructionKind::Store { size, register } => {
                if let Some(slot) = self.frame.slot(one.dst, one.off) {
                    let stored = if size == 8 && one.off % 8 == 0 && register {
                        state.registers[usize::from(one.src)]
                    } else {
                        Value::Unknown
                    };
                    state.slots.set(slot, stored);
                }
            }
            // An atomic operation with fetch returns the old value.
            InstructionKind::Atomic { .. } => {
                state.registers[usize::from(one.src)] = Value::Unknown;
                state.registers[0] = Value::Unknown;
                if let Some(slot) = self.frame.slot(one.dst, one.off) {
                    state.slots.set(slot, Value::Unknown);
                }
            }
            InstructionKind::Helper | InstructionKind::Function => {
                state.registers[..6].fill(Value::Unknown)
            }
            _ => {}
        }
    }
}

impl Analysis for Known<'_> {
    type State = State;

    fn start(&self) -> State {
        State::UNKNOWN
    }

    fn start_of_function(&self, _caller: &State) -> State {
        State::UNKNOWN
    }

    fn join(&self, known: &mut State, other: &State) -> bool {
        let agreed = |mine, other| if mine == other { mine } else { Value::Unknown };
        let mut changed = known.slots.join(&other.slots, agreed);
        for (mine, other) in known.registers.iter_mut().zip(&other.registers) {
            let both = agreed(*mine, *other);
            changed |= both != *mine;
            *mine = both;
        }
        changed
    }

    fn step(&mut self, at: usize, state: &mut State) -> Result<(), Obstacle> {
        self.after(at, state);
        Ok(())
    }

    fn decided(&self, one: &Instruction, state: &State) -> Option<bool> {
        let Value::Number(left) = state.registers[usize::from(one.dst)] else {
            return None;
        };
        match Self::operand(one, state) {
            Value::Number(right) => one.compare(left, right),
            _ => None,
        }
    }
}

impl From<Option<u64>> for Value {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Unknown, Self::Number)
    }
}
