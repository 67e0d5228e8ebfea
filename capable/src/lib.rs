//! Traces Linux capability checks: which happen, why, and which capabilities a program needs.
//!
//! Data moves in one direction: [`kernel`] turns what the hooks send into [`event::Event`]s,
//! [`context`] adds what user space knows, and a sink in [`output`] or [`profile`] takes them.

pub mod capability;
pub mod event;
pub mod profile;
