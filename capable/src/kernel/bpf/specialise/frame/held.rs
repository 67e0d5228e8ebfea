//! What registers and spilled words hold of the stack's addresses.

use crate::kernel::bpf::instruction::{ADD, AND, END, Instruction, InstructionKind, MOV, RSH, SUB};

/// Bytes of a program's stack (`MAX_BPF_STACK`, include/linux/filter.h).
pub const STACK: i32 = 512;

/// The same in words.
pub const SLOTS: usize = STACK as usize / 8;

/// r10, which holds the upper end of the stack.
pub const FRAME_POINTER: u8 = 10;

/// The registers, r10 included.
const REGISTERS: usize = 11;

/// The lowest offset that is followed, from r10 or from what a function was passed; the highest is
/// its opposite.
const FURTHEST: i32 = 512;

/// What a register or a spilled word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// No address on the stack.
    Anything,
    /// A number that is not negative as it is only so large: it began below 2³² and has grown by
    /// constants below 2³¹. The verifier follows no more than a million instructions of a run
    /// (`BPF_COMPLEXITY_LIMIT_INSNS`, include/linux/bpf.h), so it stays below 2⁶³.
    Forward,
    /// An address on the function's own part of the stack, or a number: no lower than so far from
    /// r10.
    Own(i32),
    /// The same on a caller's part: no lower than so far from what the function was passed.
    Lent(i32),
    /// Something made of an address that can be anywhere.
    Lost,
}

impl Held {
    /// A number, no address.
    pub fn number(forward: bool) -> Self {
        if forward {
            Self::Forward
        } else {
            Self::Anything
        }
    }

    /// It can be an address on the stack, or made of one.
    pub fn is_address(self) -> bool {
        matches!(self, Self::Own(_) | Self::Lent(_) | Self::Lost)
    }

    /// What a function holds that is passed this.
    pub fn lent(self) -> Self {
        match self {
            Self::Own(_) => Self::Lent(0),
            Self::Lent(lowest) if lowest >= 0 => Self::Lent(0),
            Self::Lent(_) => Self::Lost,
            other => other,
        }
    }

    /// What it is where either can be.
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

    /// The sum with a constant.
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

    /// The sum with what another register holds.
    fn sum(self, other: Self) -> Self {
        match (self, other) {
            (address, Self::Forward) | (Self::Forward, address) if address.is_address() => address,
            (one, other) => one.mixed(other),
        }
    }

    /// What comes of two in any other way.
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
    pub slots: [Held; SLOTS],
}

impl State {
    /// Where a function begins.
    pub const START: Self = {
        let mut registers = [Held::Anything; REGISTERS];
        registers[FRAME_POINTER as usize] = Held::Own(0);
        Self {
            registers,
            slots: [Held::Anything; SLOTS],
        }
    };

    /// What a register holds.
    pub fn register(&self, register: u8) -> Held {
        self.registers[usize::from(register)]
    }

    /// Keeps what holds in both; true where that is less than before.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut changed = false;
        let mine = self.registers.iter_mut().chain(&mut self.slots);
        for (mine, other) in mine.zip(other.registers.iter().chain(&other.slots)) {
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
