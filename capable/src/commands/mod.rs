//! The subcommands.

pub mod doctor;
pub mod inspect;
