//! Which stack addresses registers and spilled words hold.

use super::super::words::Words;
use crate::kernel::bpf::instruction::{ADD, AND, END, Instruction, InstructionKind, MOV, RSH, SUB};

/// Bytes of a program's stack (`MAX_BPF_STACK`, include/linux/filter.h).
pub const STACK: i32 = 512;

/// r10, which holds the upper end of the stack.
pub const FRAME_POINTER: u8 = 10;

/// The registers, r10 included.
const REGISTERS: usize = 11;

/// The lowest offset that is tracked, from r10 or from what a function was passed; the highest is
/// its negation.
const FURTHEST: i32 = 512;

/// What a register or a spilled word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Not an address on the stack.
    Anything,
    /// A number that cannot be negative because it is small: it began below 2³² and has grown by
    /// constants below 2³¹. The verifier processes at most a million instructions
    /// (`BPF_COMPLEXITY_LIMIT_INSNS`, include/linux/bpf.h), so the number stays below 2⁶³.
    Forward,
    /// An address in the function's own stack frame, at this offset from r10 or above; or a number.
    Own(i32),
    /// The same in a caller's frame: at this offset or above from what the function was passed.
    Lent(i32),
    /// A value derived from an address; it can point anywhere.
    Lost,
}

impl Held {
    /// A number, not an address.
    pub fn number(forward: bool) -> Self {
        if forward {
            Self::Forward
        } else {
            Self::Anything
        }
    }

    /// Whether it can be an address on the stack, or derived from one.
    pub fn is_address(self) -> bool {
        matches!(self, Self::Own(_) | Self::Lent(_) | Self::Lost)
    }

    /// What a function holds if it is passed this.
    pub fn lent(self) -> Self {
        match self {
            Self::Own(_) => Self::Lent(0),
            Self::Lent(lowest) if lowest >= 0 => Self::Lent(0),
            Self::Lent(_) => Self::Lost,
            other => other,
        }
    }

    /// What it is if it can be either.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Own(one), Self::Own(other)) => Self::Own(one.min(other)),
            (Self::Lent(one), Self::Lent(other)) => Self::Lent(one.min(other)),
            (address, number) | (number, address) if !number.is_address() => match address {
                Self::Forward => Self::Anything,
                address => address,
            },
            _ => Self::Lost,
        }
    }

    /// This plus a constant.
    fn moved(self, by: i64) -> Self {
        let within = |lowest: i32| {
            let lowest = i32::try_from(i64::from(lowest) + by).ok()?;
            (-FURTHEST..=FURTHEST).contains(&lowest).then_some(lowest)
        };
        match self {
            Self::Own(lowest) => within(lowest).map_or(Self::Lost, Self::Own),
            Self::Lent(lowest) => within(lowest).map_or(Self::Lost, Self::Lent),
            Self::Forward => Self::number(by >= 0),
            other => other,
        }
    }

    /// This plus what another register holds.
    fn sum(self, other: Self) -> Self {
        match (self, other) {
            (address, Self::Forward) | (Self::Forward, address) if address.is_address() => address,
            (one, other) => one.mixed(other),
        }
    }

    /// The result of any other operation on two of them.
    fn mixed(self, other: Self) -> Self {
        if self.is_address() || other.is_address() {
            Self::Lost
        } else {
            Self::Anything
        }
    }
}

/// What is held before an instruction.
#[derive(Clone)]
pub struct State {
    pub registers: [Held; REGISTERS],
    pub slots: Words<Held>,
}

impl State {
    /// The state at the start of a function.
    pub const START: Self = {
        let mut registers = [Held::Anything; REGISTERS];
        registers[FRAME_POINTER as usize] = Held::Own(0);
        Self {
            registers,
            slots: Words::all(Held::Anything),
        }
    };

    /// What a register holds.
    pub fn register(&self, register: u8) -> Held {
        self.registers[usize::from(register)]
    }

    /// Keeps what holds in both; true if that is less than before.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut changed = self.slots.join(&other.slots, Held::join);
        for (mine, other) in self.registers.iter_mut().zip(&other.registers) {
            let both = mine.join(*other);
            changed |= both != *mine;
            *mine = both;
        }
        changed
    }

    /// What a computation leaves in its register.
    pub fn computed(&self, one: &Instruction) -> Held {
        let left = self.register(one.dst);
        let right = one.takes_register().then(|| self.register(one.src));
        let constant = i64::from(one.imm);
        let other = right.unwrap_or(Held::Anything);
        match (one.operation(), right) {
            // It zeroes the upper half.
            (operation, _) if one.kind() == InstructionKind::Alu32 && operation != END => {
                let whole = if one.is_move() { Held::Anything } else { left };
                match whole.mixed(other) {
                    Held::Lost => Held::Lost,
                    _ => Held::Forward,
                }
            }
            (MOV, Some(right)) => right,
            (MOV, None) => Held::number(constant >= 0),
            (ADD, Some(right)) => left.sum(right),
            (ADD, None) => left.moved(constant),
            (SUB, None) => left.moved(-constant),
            (AND, None) if !left.is_address() => {
                Held::number(constant >= 0 || left == Held::Forward)
            }
            (AND, Some(right)) if !left.is_address() && !right.is_address() => {
                Held::number(left == Held::Forward || right == Held::Forward)
            }
            (RSH, None) if !left.is_address() => Held::number(constant >= 32),
            _ => left.mixed(other),
        }
    }
}
