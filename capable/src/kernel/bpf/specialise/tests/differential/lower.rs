//! Translates what rbpf 0.4 cannot run, or runs differently from the kernel, into instructions that
//! it does run.
//!
//! * It compares 64 bits with a constant whose sign it does not extend (the kernel does:
//!   Documentation/bpf/standardization/instruction-set.rst).
//! * It knows no atomic instructions and no maps.
//! * Negating the lowest number panics in it.
//! * All functions share 512 bytes of stack. Here each has 512 bytes of its own, and below them
//!   words for the registers that these translations need.

use super::world::place;
use crate::kernel::bpf::instruction::{Instruction, InstructionKind, NEG};

/// Bytes of a function's frame.
pub const FRAME: u16 = 512 + 64;

/// Where registers are saved, as an offset from r10.
const KEPT: [i16; 2] = [-520, -528];

/// An instruction, and its jump target in the original program if it has one.
type Lowered = (Instruction, Option<usize>);

/// The program, with the memory at this address.
pub fn lower(code: &[Instruction], settings: i32, memory: u64) -> Vec<u8> {
    let top = memory + place::STACK.end as u64;
    let mut lowered: Vec<Lowered> = Vec::new();
    lowered.extend(wide(10, top));
    lowered.extend(wide(1, memory + place::CONTEXT as u64));
    // Where each instruction begins.
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(one) = code.get(at) {
        places.resize(at + one.length(), lowered.len());
        match one.kind() {
            InstructionKind::Wide => {
                let high = code[at + 1].imm;
                let value = match one.src {
                    0 => u64::from(high as u32) << 32 | u64::from(one.imm as u32),
                    1 => one.imm as u64,
                    _ if one.imm == settings => memory + (place::SETTINGS as i32 + high) as u64,
                    _ => memory + (place::VALUES as i32 + high) as u64,
                };
                lowered.extend(wide(one.dst, value));
            }
            InstructionKind::Branch { wide: true } if !one.takes_register() && one.imm < 0 => {
                lowered.extend(compare(one, one.target(at)));
            }
            InstructionKind::Branch { .. } | InstructionKind::Jump => {
                lowered.push((*one, one.target(at)))
            }
            InstructionKind::Function => lowered.push((*one, one.callee(at))),
            InstructionKind::Atomic { size } => {
                lowered.extend(atomic(one, size).map(|one| (one, None)))
            }
            InstructionKind::Alu64 if one.operation() == NEG => {
                let not = new(0xa7, one.dst, 0, 0, -1);
                let add = new(0x07, one.dst, 0, 0, 1);
                lowered.extend([(not, None), (add, None)]);
            }
            _ => lowered.push((*one, None)),
        }
        at += one.length();
    }
    let mut bytes = Vec::new();
    for (at, (one, target)) in lowered.iter().enumerate() {
        let mut one = *one;
        if let Some(target) = target {
            let distance = places[*target] as i32 - at as i32 - 1;
            match one.kind() {
                InstructionKind::Function => one.imm = distance,
                _ => one.off = i16::try_from(distance).unwrap(),
            }
        }
        bytes.extend([one.code, one.src << 4 | one.dst]);
        bytes.extend(one.off.to_le_bytes());
        bytes.extend(one.imm.to_le_bytes());
    }
    bytes
}

const fn new(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Instruction {
    Instruction {
        code,
        dst,
        src,
        off,
        imm,
    }
}

fn wide(dst: u8, value: u64) -> [Lowered; 2] {
    let low = new(0x18, dst, 0, 0, value as u32 as i32);
    let high = new(0, 0, 0, 0, (value >> 32) as u32 as i32);
    [(low, None), (high, None)]
}

fn keep(register: u8, at: usize) -> Instruction {
    new(0x7b, 10, register, KEPT[at], 0)
}

fn take_back(register: u8, at: usize) -> Instruction {
    new(0x79, register, 10, KEPT[at], 0)
}

/// Registers that an instruction does not use.
fn others(one: &Instruction) -> impl Iterator<Item = u8> {
    let used = [one.dst, one.src];
    (1..10).filter(move |register| !used.contains(register))
}

/// A comparison with a constant, by a register that holds it.
fn compare(one: &Instruction, target: Option<usize>) -> [Lowered; 7] {
    let other = others(one).next().unwrap();
    let by_register = new(one.code | 0x08, one.dst, other, 2, 0);
    [
        (keep(other, 0), None),
        (new(0xb7, other, 0, 0, one.imm), None),
        (by_register, None),
        (take_back(other, 0), None),
        (new(0x05, 0, 0, 2, 0), None),
        (take_back(other, 0), None),
        (new(0x05, 0, 0, 0, 0), target),
    ]
}

/// An atomic change, one step after the other: nothing else runs.
fn atomic(one: &Instruction, size: usize) -> impl Iterator<Item = Instruction> {
    let [old, new_value] = [0, 1].map(|at| others(one).nth(at).unwrap());
    let mode = one.code & 0x18 | 0x60;
    let load = new(mode | 1, old, one.dst, one.off, 0);
    let store = |register| new(mode | 3, one.dst, register, one.off, 0);
    let copy = |to, from| new(0xbf, to, from, 0, 0);
    let mut steps = vec![keep(old, 0), keep(new_value, 1), load];
    match one.imm {
        // Exchange.
        0xe1 => steps.extend([store(one.src), copy(one.src, old)]),
        // Compare with r0 and exchange.
        0xf1 => {
            let differs = if size == 8 { 0x5d } else { 0x5e };
            steps.extend([new(differs, 0, old, 1, 0), store(one.src), copy(0, old)]);
        }
        operation => {
            let change = new(0x0f | operation as u8 & 0xf0, new_value, one.src, 0, 0);
            steps.extend([copy(new_value, old), change, store(new_value)]);
            if operation & 1 != 0 {
                steps.push(copy(one.src, old));
            }
        }
    }
    steps.extend([take_back(old, 0), take_back(new_value, 1)]);
    steps.into_iter()
}
