//! Why a command or a workload cannot be learned from.

use std::io;

use thiserror::Error;

use crate::{
    filter::LowerError,
    launcher::LaunchError,
    session::{PlanError, SessionError},
};

/// A command or a workload cannot be learned from.
#[derive(Debug, Error)]
pub enum LearnError {
    /// The command cannot be launched.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// It cannot be traced.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The kernel side cannot keep to the workload.
    #[error(transparent)]
    Filter(#[from] LowerError),
    /// This process is not in the initial pid namespace.
    #[error(
        "cannot follow processes from inside a pid namespace, because process numbers there are \
         not the kernel's: run capable outside the container"
    )]
    PidNamespace,
    /// The command cannot be waited for.
    #[error("cannot wait for the command: {0}")]
    Wait(#[source] io::Error),
}

impl From<PlanError> for LearnError {
    fn from(error: PlanError) -> Self {
        Self::Session(error.into())
    }
}
