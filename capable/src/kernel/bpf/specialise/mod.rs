//! A program made for one configuration.
//!
//! The verifier knows each setting and removes the branches that cannot be taken, but it leaves in
//! place what led to them: the loads of settings, the arithmetic on them, and what is spilled of
//! it. Each check would pay for that. So what the settings decide is worked out here, before the
//! program is loaded: constants are followed through registers and through the spilled words of
//! the stack ([`known`]), branches that they decide are taken ([`rewrite`]), and what nothing uses
//! any more is removed ([`unused`]).
//!
//! What this takes for granted is checked: each instruction must be known, and no address on the
//! stack may lead to a spilled word ([`frame`]). A program for which that does not hold has no
//! specialised form.

mod code;
mod flow;
mod frame;
mod known;
mod pack;
mod rewrite;
mod unused;

#[cfg(test)]
mod tests;

use aya_obj::generated::bpf_insn;
use thiserror::Error;

use code::Code;
use frame::Frame;
use known::Known;
use rewrite::Draft;

/// Why a program can only be loaded as it is. Instructions are counted from 0.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Obstacle {
    /// It holds an instruction that is not understood.
    #[error("instruction {0} is not one that the specialiser knows")]
    Unknown(usize),
    /// It goes on where it has no instruction.
    #[error("instruction {0} leads out of the program")]
    Outside(usize),
    /// It changes r10.
    #[error("instruction {0} writes the frame pointer")]
    FramePointer(usize),
    /// It reaches through r10 what is not a part of one word of the function's stack.
    #[error("instruction {0} reaches what is not one word of the stack")]
    Stack(usize),
    /// It uses an address on the stack of which nothing says how far down it can be.
    #[error("instruction {0} uses an address on the stack that can be anywhere")]
    Address(usize),
    /// It puts an address on the stack where it can no longer be followed.
    #[error("instruction {0} hides an address on the stack")]
    AddressInMemory(usize),
}

/// The frozen content of a map.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The map's descriptor.
    pub map: i32,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// The program as it is to be loaded with these settings.
///
/// # Errors
///
/// The program is not understood.
pub fn specialise(program: &[bpf_insn], settings: Settings<'_>) -> Result<Vec<bpf_insn>, Obstacle> {
    let code = Code::read(program)?;
    let frame = Frame::of(&code)?;
    let known = Known::follow(&code, frame, settings)?;
    let mut draft = Draft::of(&known);
    draft.shorten_addresses();
    while draft.remove_unused() | draft.remove_idle_jumps() {}
    let packed = draft.pack()?;
    Ok(packed.iter().map(bpf_insn::from).collect())
}
