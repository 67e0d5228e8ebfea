//! A program made for one configuration.
//!
//! The verifier knows each setting and removes the branches that cannot be taken, but it leaves in
//! place what led to them: the loads of settings, the arithmetic on them, and what is spilled of
//! it. Each check would pay for that. So what the settings decide is worked out here, before the
//! program is loaded: constants are followed through registers and through the spilled words of
//! the stack, branches that they decide are taken, and what nothing uses any more is removed.
//!
//! A program with an instruction that is not known here is left as it is.

use aya_obj::generated::bpf_insn;

use super::instruction::{Instruction, Kind};

/// Words of a program's stack (`MAX_BPF_STACK`, include/linux/filter.h).
const SLOTS: usize = 64;

/// The registers, r10 included.
const REGISTERS: usize = 11;

/// What is known of a register or of a word on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Unknown,
    Number(u64),
    /// An address in the settings.
    Settings(u64),
}

/// What is known before an instruction.
#[derive(Clone, PartialEq, Eq)]
struct State {
    registers: [Value; REGISTERS],
    slots: [Value; SLOTS],
}

impl State {
    const UNKNOWN: Self = Self {
        registers: [Value::Unknown; REGISTERS],
        slots: [Value::Unknown; SLOTS],
    };

    /// Keeps what both agree on; true where that is less than before.
    fn join(&mut self, other: &Self) -> bool {
        let mut changed = false;
        let mine = self.registers.iter_mut().chain(&mut self.slots);
        for (mine, other) in mine.zip(other.registers.iter().chain(&other.slots)) {
            if *mine != *other && *mine != Value::Unknown {
                *mine = Value::Unknown;
                changed = true;
            }
        }
        changed
    }
}

/// The program as it is to be loaded, where `settings` is the frozen content of the map with this
/// descriptor.
pub fn specialise(program: &[bpf_insn], map: i32, settings: &[u8]) -> Vec<bpf_insn> {
    let instructions: Vec<Instruction> = program.iter().map(Instruction::from).collect();
    match Specialiser::new(instructions, map, settings).run() {
        Some(instructions) => instructions.iter().map(bpf_insn::from).collect(),
        None => program.to_vec(),
    }
}

struct Specialiser<'a> {
    code: Vec<Instruction>,
    map: i32,
    settings: &'a [u8],
    /// Offsets from r10 below this are spilled words: no address of them is ever taken.
    floor: i16,
    /// Whether paths can meet before the instruction: it is the target of a jump or a call.
    meets: Vec<bool>,
    /// What is known there, where it can be reached.
    states: Vec<Option<Box<State>>>,
    /// Whether the instruction stays.
    kept: Vec<bool>,
}

impl<'a> Specialiser<'a> {
    fn new(code: Vec<Instruction>, map: i32, settings: &'a [u8]) -> Self {
        // An address on the stack is made of r10 by adding a negative number, and what lies there
        // is reached from it upwards.
        let floor = code
            .iter()
            .filter(|one| one.kind() == Kind::Alu64 && one.is_add_of_constant())
            .filter_map(|one| i16::try_from(one.imm).ok())
            .filter(|imm| (-512..0).contains(imm))
            .min()
            .unwrap_or(0);
        let mut meets = vec![false; code.len()];
        let mut second_half = false;
        for (at, one) in code.iter().enumerate() {
            let target = match one.kind() {
                _ if second_half => None,
                Kind::Jump | Kind::Branch { .. } => one.target(at),
                Kind::Function => one.callee(at),
                _ => None,
            };
            if let Some(meets) = target.and_then(|target| meets.get_mut(target)) {
                *meets = true;
            }
            second_half = !second_half && one.kind() == Kind::Wide;
        }
        if let Some(first) = meets.first_mut() {
            *first = true;
        }
        Self {
            meets,
            states: code.iter().map(|_| None).collect(),
            kept: vec![false; code.len()],
            code,
            map,
            settings,
            floor,
        }
    }

    fn run(mut self) -> Option<Vec<Instruction>> {
        self.follow()?;
        self.rewrite();
        self.shorten_addresses();
        while self.remove_unused() | self.remove_idle_jumps() {}
        self.pack()
    }

    /// The word of the stack that an access through r10 is of, where it is a spilled one.
    fn slot(&self, register: u8, offset: i16) -> Option<usize> {
        (register == 10 && offset < self.floor && offset >= -512)
            .then(|| (offset + 512) as usize / 8)
    }

    /// Follows all paths that can be taken. What is known is kept where paths can meet.
    fn follow(&mut self) -> Option<()> {
        let mut open = vec![(0, State::UNKNOWN)];
        while let Some((mut at, mut state)) = open.pop() {
            loop {
                let one = *self.code.get(at)?;
                if self.meets[at] {
                    match &mut self.states[at] {
                        Some(known) => {
                            if !known.join(&state) {
                                break;
                            }
                            state.clone_from(known);
                        }
                        unknown => *unknown = Some(Box::new(state.clone())),
                    }
                }
                match one.kind() {
                    Kind::Exit => break,
                    Kind::Jump => at = one.target(at)?,
                    Kind::Branch { .. } => match self.decided(&one, &state) {
                        Some(true) => at = one.target(at)?,
                        Some(false) => at += 1,
                        None => {
                            open.push((one.target(at)?, state.clone()));
                            at += 1;
                        }
                    },
                    Kind::Unknown => return None,
                    kind => {
                        if kind == Kind::Function {
                            open.push((one.callee(at)?, State::UNKNOWN));
                        }
                        self.step(at, &mut state);
                        at += one.length();
                    }
                }
            }
        }
        Some(())
    }

    /// Whether a branch is taken, where that is known.
    fn decided(&self, one: &Instruction, state: &State) -> Option<bool> {
        let Value::Number(left) = state.registers[usize::from(one.dst)] else {
            return None;
        };
        match self.operand(one, state) {
            Value::Number(right) => one.compare(left, right),
            _ => None,
        }
    }

    /// The second operand.
    fn operand(&self, one: &Instruction, state: &State) -> Value {
        if one.takes_register() {
            state.registers[usize::from(one.src)]
        } else {
            Value::Number(i64::from(one.imm) as u64)
        }
    }

    /// What an instruction that computes or loads gives.
    fn result(&self, at: usize, state: &State) -> Value {
        let one = &self.code[at];
        let left = state.registers[usize::from(one.dst)];
        match one.kind() {
            Kind::Wide => {
                let high = self.code.get(at + 1).map_or(0, |high| high.imm as u32);
                match one.src {
                    0 => Value::Number(u64::from(high) << 32 | u64::from(one.imm as u32)),
                    // `BPF_PSEUDO_MAP_VALUE`
                    2 if one.imm == self.map => Value::Settings(u64::from(high)),
                    _ => Value::Unknown,
                }
            }
            Kind::Load { size } => match state.registers[usize::from(one.src)] {
                Value::Settings(address) => self
                    .setting(address.wrapping_add_signed(i64::from(one.off)), size)
                    .map_or(Value::Unknown, Value::Number),
                _ => match self.slot(one.src, one.off) {
                    Some(slot) if size == 8 => state.slots[slot],
                    _ => Value::Unknown,
                },
            },
            kind @ (Kind::Alu64 | Kind::Alu32) => match (left, self.operand(one, state)) {
                (_, right @ Value::Settings(_)) if kind == Kind::Alu64 && one.is_move() => right,
                (Value::Settings(address), Value::Number(more))
                    if kind == Kind::Alu64 && one.is_add() =>
                {
                    Value::Settings(address.wrapping_add(more))
                }
                (_, Value::Number(right)) if one.is_move() => one.calculate(0, right).into(),
                (Value::Number(left), Value::Number(right)) => one.calculate(left, right).into(),
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    /// A number among the settings.
    fn setting(&self, address: u64, size: usize) -> Option<u64> {
        let start = usize::try_from(address).ok()?;
        let bytes = self.settings.get(start..start.checked_add(size)?)?;
        let mut number = [0; 8];
        number[..size].copy_from_slice(bytes);
        Some(u64::from_le_bytes(number))
    }

    /// What is known after an instruction that goes on to the next.
    fn step(&self, at: usize, state: &mut State) {
        let one = &self.code[at];
        match one.kind() {
            Kind::Wide | Kind::Load { .. } | Kind::Alu64 | Kind::Alu32 => {
                state.registers[usize::from(one.dst)] = self.result(at, state);
            }
            Kind::Store { size, register } => {
                if let Some(slot) = self.slot(one.dst, one.off) {
                    state.slots[slot] = if size == 8 && one.off % 8 == 0 && register {
                        state.registers[usize::from(one.src)]
                    } else {
                        Value::Unknown
                    };
                }
            }
            // One that fetches gives what was there before.
            Kind::Atomic => {
                state.registers[usize::from(one.src)] = Value::Unknown;
                state.registers[0] = Value::Unknown;
                if let Some(slot) = self.slot(one.dst, one.off) {
                    state.slots[slot] = Value::Unknown;
                }
            }
            Kind::Helper | Kind::Function => state.registers[..6].fill(Value::Unknown),
            _ => {}
        }
    }

    /// Puts what is known into the instructions, and takes the branches that are decided.
    fn rewrite(&mut self) {
        let mut current: Option<State> = None;
        let mut at = 0;
        while at < self.code.len() {
            if self.meets[at] {
                current = self.states[at].take().map(|state| *state);
            }
            let one = self.code[at];
            let Some(state) = current.take() else {
                at += one.length();
                continue;
            };
            self.kept[at..at + one.length()].fill(true);
            let mut goes_on = true;
            let mut after = state.clone();
            self.step(at, &mut after);
            match one.kind() {
                Kind::Exit | Kind::Jump => goes_on = false,
                Kind::Branch { .. } => match self.decided(&one, &state) {
                    Some(true) => {
                        self.code[at] = Instruction::jump(one.off);
                        goes_on = false;
                    }
                    Some(false) => self.kept[at] = false,
                    None => self.take_constant(at, &state),
                },
                Kind::Load { .. } | Kind::Alu64 | Kind::Alu32 => match self.result(at, &state) {
                    Value::Number(number) => {
                        self.code[at] = Instruction::set(one.dst, number).unwrap_or(one);
                    }
                    _ => self.take_constant(at, &state),
                },
                Kind::Store { .. } if one.dst != 10 => self.take_constant(at, &state),
                _ => {}
            }
            if goes_on {
                current = Some(after);
            }
            at += one.length();
        }
    }

    /// Takes a number as a part of the instruction instead of from a register.
    fn take_constant(&mut self, at: usize, state: &State) {
        let mut one = self.code[at];
        if matches!(one.kind(), Kind::Branch { .. })
            && one.takes_register()
            && let Value::Number(_) = state.registers[usize::from(one.dst)]
        {
            one = one.mirrored();
        }
        if one.takes_register()
            && let Value::Number(number) = state.registers[usize::from(one.src)]
            && let Some(shorter) = one.with_constant(number)
        {
            self.code[at] = shorter;
        }
    }

    /// Lets loads add a constant themselves that was added to a copy of their address just before.
    fn shorten_addresses(&mut self) {
        let kept: Vec<usize> = (0..self.code.len()).filter(|&at| self.kept[at]).collect();
        for places in kept.windows(3) {
            let &[first, second, load] = places else {
                continue;
            };
            if self.meets[first + 1..=load].contains(&true) {
                continue;
            }
            let (first, second) = (self.code[first], self.code[second]);
            if let Kind::Load { .. } = self.code[load].kind()
                && let Some((base, distance)) = sum(&first, &second)
                && self.code[load].src == second.dst
                && let Some(off) = i16::try_from(distance)
                    .ok()
                    .and_then(|distance| self.code[load].off.checked_add(distance))
            {
                self.code[load].src = base;
                self.code[load].off = off;
            }
        }
    }

    /// Removes what is computed, loaded or spilled for nobody; true where there was such.
    fn remove_unused(&mut self) -> bool {
        let mut removed = false;
        for (at, used) in self.used_after().into_iter().enumerate() {
            if !self.kept[at] || at > 0 && self.code[at - 1].kind() == Kind::Wide {
                continue;
            }
            let one = self.code[at];
            let needed = match one.kind() {
                Kind::Wide | Kind::Load { .. } | Kind::Alu64 | Kind::Alu32 => {
                    used >> one.dst & 1 != 0
                }
                Kind::Store { .. } => match self.slot(one.dst, one.off) {
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

    /// What is used later, after each instruction: registers in the lowest bits, and from bit 16
    /// on the words of the stack.
    fn used_after(&self) -> Vec<u128> {
        let length = self.code.len();
        let (mut before, mut after) = (vec![0u128; length + 1], vec![0u128; length]);
        loop {
            let mut changed = false;
            for at in (0..length).rev() {
                if at > 0 && self.code[at - 1].kind() == Kind::Wide {
                    continue;
                }
                let one = &self.code[at];
                let next = before[at + one.length()];
                if !self.kept[at] {
                    before[at] = next;
                    continue;
                }
                let target = || one.target(at).map_or(0, |target| before[target]);
                after[at] = match one.kind() {
                    Kind::Exit => 0,
                    Kind::Jump => target(),
                    Kind::Branch { .. } => next | target(),
                    _ => next,
                };
                let now = self.used_before(one, after[at]);
                changed |= now != before[at];
                before[at] = now;
            }
            if !changed {
                return after;
            }
        }
    }

    fn used_before(&self, one: &Instruction, after: u128) -> u128 {
        let (dst, src) = (1u128 << one.dst, 1u128 << one.src);
        let second = if one.takes_register() { src } else { 0 };
        let slot = |register| {
            self.slot(register, one.off)
                .map(|slot| 1u128 << (16 + slot))
        };
        match one.kind() {
            Kind::Wide => after & !dst,
            Kind::Load { .. } => after & !dst | src | slot(one.src).unwrap_or(0),
            Kind::Alu64 | Kind::Alu32 if one.is_move() => after & !dst | second,
            Kind::Alu64 | Kind::Alu32 | Kind::Branch { .. } => after | dst | second,
            Kind::Store { size, .. } => match slot(one.dst) {
                Some(word) if size == 8 && one.off % 8 == 0 => after & !word | dst | second,
                _ => after | dst | second,
            },
            Kind::Atomic => after | dst | src | 1 | slot(one.dst).unwrap_or(0),
            Kind::Helper => after & !0b11_1111 | arguments(one.imm),
            Kind::Function => after & !0b11_1111 | 0b11_1110,
            Kind::Exit => 1,
            Kind::Jump | Kind::Unknown => after,
        }
    }

    /// Removes jumps to what comes next anyway; true where there were such.
    fn remove_idle_jumps(&mut self) -> bool {
        let mut removed = false;
        for at in 0..self.code.len() {
            let one = self.code[at];
            if self.kept[at]
                && matches!(one.kind(), Kind::Jump | Kind::Branch { .. })
                && (at == 0 || self.code[at - 1].kind() != Kind::Wide)
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

    /// Moves together what is kept.
    fn pack(&self) -> Option<Vec<Instruction>> {
        // How many are kept before each.
        let mut places = vec![0i64];
        for &kept in &self.kept {
            places.push(places[places.len() - 1] + i64::from(kept));
        }
        let mut packed = Vec::new();
        let mut second_half = false;
        for (at, one) in self.code.iter().enumerate() {
            if self.kept[at] {
                let mut one = *one;
                if !second_half {
                    match one.kind() {
                        Kind::Jump | Kind::Branch { .. } => {
                            let distance = places[one.target(at)?] - places[at] - 1;
                            one.off = i16::try_from(distance).ok()?;
                        }
                        Kind::Function => {
                            let distance = places[one.callee(at)?] - places[at] - 1;
                            one.imm = i32::try_from(distance).ok()?;
                        }
                        _ => {}
                    }
                }
                packed.push(one);
            }
            second_half = !second_half && one.kind() == Kind::Wide;
        }
        Some(packed)
    }
}

/// The register and the number that two instructions add up, where they do nothing else and leave
/// that register as it is.
fn sum(first: &Instruction, second: &Instruction) -> Option<(u8, i32)> {
    let both = first.kind() == Kind::Alu64
        && second.kind() == Kind::Alu64
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

/// The registers that a helper of the kernel takes: at most five (include/uapi/linux/bpf.h).
fn arguments(helper: i32) -> u128 {
    match helper {
        // Time, processor, pid, uid, task, cgroup, task with its type.
        5 | 8 | 14 | 15 | 35 | 80 | 158 => 0,
        // Looking up and deleting in a map, the task's name, submitting to a ring and asking it.
        1 | 3 | 16 | 132 | 134 => 0b110,
        // Reading the kernel's memory, reserving in a ring.
        113 | 131 => 0b1110,
        _ => 0b11_1110,
    }
}

impl From<Option<u64>> for Value {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Unknown, Self::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The descriptor of the settings.
    const MAP: i32 = 7;

    fn one(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Instruction {
        Instruction {
            code,
            dst,
            src,
            off,
            imm,
        }
    }

    /// `r = &settings`, two places long.
    fn settings(dst: u8) -> [Instruction; 2] {
        [one(0x18, dst, 2, 0, MAP), one(0, 0, 0, 0, 0)]
    }

    const EXIT: Instruction = Instruction {
        code: 0x95,
        dst: 0,
        src: 0,
        off: 0,
        imm: 0,
    };

    fn specialised(code: &[&[Instruction]], settings: &[u8]) -> Vec<Instruction> {
        let code: Vec<bpf_insn> = code.concat().iter().map(bpf_insn::from).collect();
        let code = specialise(&code, MAP, settings);
        code.iter().map(Instruction::from).collect()
    }

    #[test]
    fn a_branch_on_a_setting_is_taken_and_what_led_to_it_removed() {
        let program = |setting: u8| {
            specialised(
                &[
                    &settings(1),
                    // w1 = *(u8 *)(r1 + 1); if r1 == 0 goto +1
                    &[one(0x71, 1, 1, 1, 0), one(0x15, 1, 0, 1, 0)],
                    // call 14
                    &[one(0x85, 0, 0, 0, 14)],
                    // r0 = 5
                    &[one(0xb7, 0, 0, 0, 5), EXIT],
                ],
                &[9, setting],
            )
        };
        assert_eq!(program(0), [one(0xb7, 0, 0, 0, 5), EXIT]);
        assert_eq!(
            program(1),
            [one(0x85, 0, 0, 0, 14), one(0xb7, 0, 0, 0, 5), EXIT]
        );
    }

    #[test]
    fn a_setting_is_followed_through_a_spilled_word_but_not_through_what_a_helper_may_write() {
        let program = |slot: i16| {
            specialised(
                &[
                    // r6 = r1
                    &[one(0xbf, 6, 1, 0, 0)],
                    &settings(1),
                    // r1 = *(u64 *)(r1 + 0); *(u64 *)(r10 + slot) = r1
                    &[one(0x79, 1, 1, 0, 0), one(0x7b, 10, 1, slot, 0)],
                    // r1 = r10; r1 += -16; call 16
                    &[one(0xbf, 1, 10, 0, 0), one(0x07, 1, 0, 0, -16)],
                    &[one(0x85, 0, 0, 0, 16)],
                    // r1 = *(u64 *)(r10 + slot); *(u64 *)(r6 + 0) = r1; r0 = 0
                    &[one(0x79, 1, 10, slot, 0), one(0x7b, 6, 1, 0, 0)],
                    &[one(0xb7, 0, 0, 0, 0), EXIT],
                ],
                &7u64.to_le_bytes(),
            )
        };
        let spilled = program(-24);
        assert!(spilled.contains(&one(0x7a, 6, 0, 0, 7)), "{spilled:?}");
        assert!(!spilled.iter().any(|one| one.dst == 10), "{spilled:?}");
        let written = program(-8);
        assert!(written.contains(&one(0x7b, 6, 1, 0, 0)), "{written:?}");
        assert!(
            written.contains(&one(0x7a, 10, 0, -8, 7))
                || written.contains(&one(0x7b, 10, 1, -8, 0))
        );
    }

    #[test]
    fn a_loop_forgets_what_changes_in_it() {
        let code = [
            // r1 = 0; r1 += 1; if r1 < 3 goto -2; r0 = r1
            one(0xb7, 1, 0, 0, 0),
            one(0x07, 1, 0, 0, 1),
            one(0xa5, 1, 0, -2, 3),
            one(0xbf, 0, 1, 0, 0),
            EXIT,
        ];
        assert_eq!(specialised(&[&code], &[]), code);
    }

    #[test]
    fn calls_of_functions_still_find_them_after_what_lay_between_is_gone() {
        let code = specialised(
            &[
                // call +3; exit
                &[one(0x85, 0, 1, 0, 3), EXIT],
                // Never reached.
                &[one(0xb7, 0, 0, 0, 1), EXIT],
                // r0 = 2; exit
                &[one(0xb7, 0, 0, 0, 2), EXIT],
            ],
            &[],
        );
        assert_eq!(
            code,
            [one(0x85, 0, 1, 0, 1), EXIT, one(0xb7, 0, 0, 0, 2), EXIT]
        );
    }

    #[test]
    fn a_load_adds_what_a_setting_added_to_its_address() {
        // Both ways to write an address that is no more needed, and one that is.
        let code = specialised(
            &[
                &settings(3),
                // r3 = *(u32 *)(r3 + 0); r3 += r6; r1 = *(u64 *)(r3 + 4)
                &[one(0x61, 3, 3, 0, 0), one(0x0f, 3, 6, 0, 0)],
                &[one(0x79, 1, 3, 4, 0)],
                // r4 = r1; r4 += 8; r2 = *(u32 *)(r4 + 0)
                &[one(0xbf, 4, 1, 0, 0), one(0x07, 4, 0, 0, 8)],
                &[one(0x61, 2, 4, 0, 0)],
                // r5 = r1; r5 += 16; r0 = *(u64 *)(r5 + 0); *(u64 *)(r5 + 0) = r2
                &[one(0xbf, 5, 1, 0, 0), one(0x07, 5, 0, 0, 16)],
                &[one(0x79, 0, 5, 0, 0), one(0x7b, 5, 2, 0, 0), EXIT],
            ],
            &100u32.to_le_bytes(),
        );
        assert_eq!(
            code,
            [
                one(0x79, 1, 6, 104, 0),
                one(0x61, 2, 1, 8, 0),
                one(0xbf, 5, 1, 0, 0),
                one(0x07, 5, 0, 0, 16),
                one(0x79, 0, 1, 16, 0),
                one(0x7b, 5, 2, 0, 0),
                EXIT
            ]
        );
    }

    #[test]
    fn a_load_that_another_path_leads_to_keeps_its_address() {
        let code = [
            // if r1 == 0 goto +2; r3 = r6; r3 += 8; r0 = *(u64 *)(r3 + 0)
            one(0x15, 1, 0, 2, 0),
            one(0xbf, 3, 6, 0, 0),
            one(0x07, 3, 0, 0, 8),
            one(0x79, 0, 3, 0, 0),
            EXIT,
        ];
        assert_eq!(specialised(&[&code], &[]), code);
    }

    #[test]
    fn a_program_that_is_not_understood_is_left_as_it_is() {
        // A jump with a long distance, of later kernels.
        let code = [one(0xb7, 1, 0, 0, 0), one(0x06, 0, 0, 0, 0), EXIT];
        assert_eq!(specialised(&[&code], &[]), code);
    }
}
