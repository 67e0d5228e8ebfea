//! Why a session could not begin, or go on.

use std::io;

use thiserror::Error;

use crate::kernel::{
    plan::PlanError,
    trace::{counts::CountsError, stream::StreamError, tracer::TracerError},
};

/// A session could not begin, or go on.
#[derive(Debug, Error)]
pub enum SessionError {
    /// This kernel does not let these privileges trace, or not in the way that was asked for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The kernel refused a program, a hook or a filter, or its counters cannot be read.
    #[error(transparent)]
    Tracer(#[from] TracerError),
    /// Records cannot be waited for.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// What was counted cannot be read.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// Privileges could not be given up.
    #[error("cannot give up the privileges that are no longer needed: {0}")]
    Privileges(io::Error),
}
