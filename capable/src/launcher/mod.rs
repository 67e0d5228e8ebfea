//! Starts a command that waits before its execve, in a cage if one is requested.
//!
//! A child is forked and waits on a pipe. Meanwhile the tracer is told to follow it from its
//! execve(2) on, so that neither the launch nor the search in `$PATH` is attributed to the program.
//! Everything that can fail or allocate is done before the fork; after it, the child only makes
//! system calls.

mod accounts;
mod cage;
mod child;
mod dispositions;
mod ended;
mod error;
mod search;
#[cfg(feature = "cli")]
mod sentinel;
mod steps;
mod typing;
mod waiting;

pub use accounts::{AccountError, Group, User, group, user};
pub use cage::{Cage, CageError, Holding, Identity};
#[cfg(feature = "cli")]
pub(crate) use dispositions::is_ignored;
pub use ended::Ended;
pub use error::LaunchError;
#[cfg(feature = "cli")]
pub(crate) use sentinel::Sentinel;
pub use steps::Step;
pub use waiting::{Command, Started, Waiting};
