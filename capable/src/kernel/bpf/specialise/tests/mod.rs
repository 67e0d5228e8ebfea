//! What the tests of the specialiser share.

mod differential;
mod short;
mod stack;

use super::*;
use crate::kernel::bpf::instruction::Instruction;

/// The descriptor of the settings.
const MAP: i32 = 7;

const EXIT: Instruction = one(0x95, 0, 0, 0, 0);

const fn one(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Instruction {
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

fn try_specialise(code: &[&[Instruction]], bytes: &[u8]) -> Result<Vec<Instruction>, Obstacle> {
    let code: Vec<bpf_insn> = code.concat().iter().map(bpf_insn::from).collect();
    let specialised = specialise(&code, Settings { map: MAP, bytes })?;
    Ok(specialised.iter().map(Instruction::from).collect())
}

fn specialised(code: &[&[Instruction]], bytes: &[u8]) -> Vec<Instruction> {
    try_specialise(code, bytes).unwrap()
}
