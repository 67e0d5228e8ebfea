//! The subcommands, one file each.

mod alike;
pub mod doctor;
pub mod explain;
pub mod generate;
pub mod inspect;
pub mod list;
pub mod print;
pub mod profile;
mod reporting;
pub mod run;
pub mod top;
pub mod trace;
mod tracing;
pub mod why;

use std::{error::Error, fmt};

/// An error in what was typed: exit code 2.
#[derive(Debug)]
pub struct Usage(anyhow::Error);

impl Usage {
    /// Marks an error as the user's.
    pub fn wrap(error: impl Into<anyhow::Error>) -> anyhow::Error {
        anyhow::Error::new(Self(error.into()))
    }

    /// Marks a message as the user's.
    pub fn message(message: &str) -> anyhow::Error {
        Self::wrap(anyhow::anyhow!("{message}"))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl Error for Usage {}
