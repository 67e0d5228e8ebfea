//! Why counts cannot be read.

use std::io;

use aya::maps::MapError;
use thiserror::Error;

use crate::kernel::bpf::object::ObjectError;

/// The table could not be read.
#[derive(Debug, Error)]
pub enum CountsError {
    /// The object has no such map.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The table could not be read.
    #[error("cannot read the table of counts: {0}")]
    Table(io::Error),
    /// A map could not be read.
    #[error("cannot read the map {0}: {1}")]
    Map(&'static str, MapError),
}
