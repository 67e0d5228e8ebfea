//! The subcommands.

pub mod explain;
pub mod list;
