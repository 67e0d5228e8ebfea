//! What can go wrong between an object and the kernel.

use std::io;

use aya::maps::MapError;
use thiserror::Error;

/// Cannot lock memory: what to do.
const MEMORY_HINT: &str = "; before Linux 5.11 maps are charged to the limit on locked memory: \
     raise it (ulimit -l unlimited) or add CAP_SYS_RESOURCE";

/// An object could not be prepared, or one of its programs could not be loaded.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// The object is damaged.
    #[error("the eBPF object built into this program cannot be read: {0}")]
    Damaged(String),
    /// A map could not be made.
    #[error("cannot create the eBPF map {name}: {error}{hint}")]
    Map {
        /// The map's name.
        name: String,
        /// What the kernel answered.
        error: io::Error,
        /// What to do about it.
        hint: &'static str,
    },
    /// The kernel refused a program before its verifier looked at it.
    #[error("the kernel refused to load the program {name}: {error}")]
    Refused {
        /// The program's name.
        name: String,
        /// What the kernel answered.
        error: io::Error,
    },
    /// The verifier rejected a program.
    #[error(
        "the kernel's verifier rejected the program {name}: {error}\n  {reason}\n  this is a bug \
         in capable: please report it with the output of `capable doctor`"
    )]
    Rejected {
        /// The program's name.
        name: String,
        /// What the kernel answered.
        error: io::Error,
        /// The line of the verifier's log that says why.
        reason: String,
    },
    /// A program could not be specialised, and had to be.
    #[error(
        "the program {name} cannot be specialised, as CAPABLE_SPECIALISE=yes demands: {reason}\n  \
         without it, the program is loaded as it was built"
    )]
    NotSpecialised {
        /// The program's name.
        name: String,
        /// What the specialiser does not understand, or what the verifier said about its output.
        reason: String,
    },
}

impl ObjectError {
    /// The object lacks something, or cannot be read.
    pub(super) fn damaged(error: impl ToString) -> Self {
        Self::Damaged(error.to_string())
    }

    /// The kernel did not make a map, for this reason.
    pub(super) fn no_map(name: &str, error: MapError) -> Self {
        let (error, hint) = match error {
            MapError::CreateError { io_error, .. } => {
                let hint = if io_error.raw_os_error() == Some(libc::EPERM) {
                    MEMORY_HINT
                } else {
                    ""
                };
                (io_error, hint)
            }
            other => (io::Error::other(other), ""),
        };
        Self::Map {
            name: name.to_owned(),
            error,
            hint,
        }
    }
}
