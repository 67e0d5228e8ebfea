//! A program made for one configuration.
//!
//! The verifier knows each setting and removes the branches that cannot be taken, but it keeps the
//! code that computes their conditions: the loads of settings, the arithmetic on them, and the
//! spills. Every check would pay for that. So the settings are evaluated here, before the program
//! is loaded: constants are propagated through registers and through the spill slots of the stack
//! ([`known`]), branches that they decide are resolved ([`rewrite`]), and code whose results are no
//! longer used is removed ([`unused`]).
//!
//! The assumptions are checked for what can be reached: each instruction must be known, and no
//! address on the stack may reach a spill slot ([`frame`]). A program that breaks them is not
//! specialised.

mod code;
mod flow;
mod frame;
mod helper;
mod known;
mod obstacle;
mod pack;
mod rewrite;
mod unused;
mod words;

#[cfg(test)]
mod tests;

use aya_obj::generated::bpf_insn;

use code::Code;
use frame::Frame;
use known::Known;
use rewrite::Draft;

pub use known::Settings;
pub use obstacle::Obstacle;

/// Turns the specialiser off if it is `no`, and makes its failures errors if it is `yes`.
const VARIABLE: &str = "CAPABLE_SPECIALISE";

/// Whether programs are specialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are loaded as they were built.
    Off,
    /// If possible; otherwise they are loaded as they were built.
    WherePossible,
    /// Always: if that is not possible, nothing is loaded.
    Always,
}

impl Mode {
    /// What the environment says. Unit tests that trace do not pass by a fallback unseen.
    pub fn of_environment() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Ok("no") => Self::Off,
            Ok("yes") => Self::Always,
            Ok(answer) => {
                log::warn!("{VARIABLE}={answer} is not valid: give yes or no");
                Self::WherePossible
            }
            Err(_) if cfg!(test) => Self::Always,
            Err(_) => Self::WherePossible,
        }
    }
}

/// The program specialised for these settings.
///
/// # Errors
///
/// The program is not understood.
pub fn specialise(program: &[bpf_insn], settings: Settings<'_>) -> Result<Vec<bpf_insn>, Obstacle> {
    // Most of a program is for other configurations, and registers alone decide that. Without it,
    // little is left for the analyses that look at the stack.
    let code = Code::read(program)?;
    let code = Draft::of(&Known::follow(&code, Frame::UNKNOWN, settings)?).into_code()?;
    let frame = Frame::of(&code)?;
    let mut draft = Draft::of(&Known::follow(&code, frame, settings)?);
    draft.shorten_addresses();
    while draft.remove_unused() | draft.remove_idle_jumps() {}
    let packed = draft.pack()?;
    Ok(packed.iter().map(bpf_insn::from).collect())
}
