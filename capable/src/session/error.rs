//! Why a session could not begin or continue.

use std::io;

use thiserror::Error;

use crate::{
    context::cgroups::CgroupError,
    kernel::{
        plan::PlanError,
        trace::{counts::CountsError, error::TracerError, stream::StreamError},
    },
};

/// A session could not begin or continue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// This kernel does not let these privileges trace, or not in the way that was asked for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The kernel refused something.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Cgroups that a filter names cannot be found.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// Nothing of a name that a filter gives exists, and what is to come cannot be followed.
    #[error("{name} is not running, and cannot be waited for here ({why}): start it first")]
    CannotWait {
        /// The name, in words.
        name: String,
        /// Why.
        why: String,
    },
    /// Privileges could not be given up.
    #[error("cannot give up the privileges that are no longer needed: {0}")]
    Privileges(io::Error),
}

/// What the kernel refused: a program, a hook, a filter, or to read the results.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct KernelError(Refused);

/// What was refused. The possible failures change with the kernel and with this implementation, so
/// users of the library see only the message.
#[derive(Debug, Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Tracer(#[from] TracerError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Counts(#[from] CountsError),
}

impl SessionError {
    /// Something was refused.
    pub(super) fn refused(error: impl Into<Refused>) -> Self {
        Self::Kernel(KernelError(error.into()))
    }
}
