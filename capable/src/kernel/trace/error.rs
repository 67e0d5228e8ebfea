//! Why a trace could not be started or read.

use aya::maps::MapError;
use thiserror::Error;

use super::{
    attach::AttachError, counts::CountsError, filters::FilterError, numbers::NumbersError,
    stream::StreamError,
};
use crate::kernel::{bpf::object::ObjectError, probe::inlining::InliningError};

/// A trace could not be started, or its counters could not be read.
#[derive(Debug, Error)]
pub enum TracerError {
    /// The object could not be prepared.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The hook could not be attached.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The stream could not be opened.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A filter could not be set.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// What was counted could not be read.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// A process that the user named cannot be found in the kernel.
    #[error(transparent)]
    Numbers(#[from] NumbersError),
    /// It could not be found out whether checks are inlined.
    #[error(transparent)]
    Inlining(#[from] InliningError),
    /// A map could not be read or written.
    #[error("cannot use the map {0}: {1}")]
    Map(&'static str, MapError),
}

impl TracerError {
    /// Whether the kernel refused because a privilege is missing.
    pub fn is_refusal(&self) -> bool {
        let Self::Map(_, MapError::SyscallError(error)) = self else {
            return false;
        };
        error.io_error.raw_os_error() == Some(libc::EPERM)
    }
}
