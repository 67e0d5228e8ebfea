//! Traces Linux capability checks: which happen, why, and which capabilities a program needs.
//!
//! Data moves in one direction: [`kernel`] turns what the hooks send into [`event::Event`]s,
//! [`context`] adds what user space knows, and a sink in [`output`] takes them. [`commands`] puts
//! the pieces together, one file per subcommand.

mod arch;
pub mod atlas;
pub mod capability;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod commands;
pub mod context;
pub mod document;
pub mod event;
pub mod filter;
pub mod inspect;
pub mod kernel;
pub mod launcher;
pub mod learn;
pub mod output;
pub mod profile;
pub mod session;

#[cfg(test)]
#[path = "../tests/common/schema.rs"]
mod schema;
