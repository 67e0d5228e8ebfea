//! Why a command did not start, and the exit code for it.

use std::{ffi::OsString, fs, io, path::PathBuf};

use thiserror::Error;

use super::{CageError, Step};
use crate::inspect::interpreter_of;

/// The exit code of env(1), timeout(1) and the like if they themselves fail.
pub const FAILED: u8 = 125;
/// The exit code of a shell for a command that exists but cannot be executed.
const NOT_EXECUTABLE: u8 = 126;
/// The exit code of a shell for a command that does not exist.
const NOT_FOUND: u8 = 127;

/// A command did not start.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// This process lacks the capabilities to build the cage.
    #[error(transparent)]
    Cage(#[from] CageError),
    /// The kernel refused a step into the cage.
    #[error("cannot {step}: {error}{}", step.hint(error))]
    Step {
        /// The step.
        step: Step,
        /// What the kernel answered.
        error: io::Error,
    },
    /// The command does not exist.
    #[error("cannot run {command:?}: {}", absent(command, file.as_deref()))]
    NotFound {
        /// The command as given.
        command: OsString,
        /// The file, if the command is a path.
        file: Option<PathBuf>,
    },
    /// The file cannot be executed.
    #[error("cannot execute {}: {error}{}", file.display(), execve_hint(error))]
    NotExecutable {
        /// The file.
        file: PathBuf,
        /// What the kernel answered.
        error: io::Error,
    },
    /// An argument contains a NUL byte, which no argument can.
    #[error("the argument {0:?} contains a NUL byte, which no argument can")]
    Nul(OsString),
    /// The child could not be created, or communication with it failed.
    #[error("cannot {what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the kernel answered.
        error: io::Error,
    },
    /// The child ended before it executed the command.
    #[error("the child process was killed before it could execute the command")]
    Vanished,
}

impl LaunchError {
    /// The exit code of shells, env(1) and timeout(1) for this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => NOT_FOUND,
            Self::NotExecutable { .. } => NOT_EXECUTABLE,
            _ => FAILED,
        }
    }

    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System { what, error }
    }
}

/// Why the command was not found. If the file exists, its interpreter does not.
fn absent(command: &OsString, file: Option<&std::path::Path>) -> String {
    let Some(file) = file else {
        return if command.is_empty() {
            "its name is empty".to_owned()
        } else {
            "it is in no directory of $PATH; install it, or give its path".to_owned()
        };
    };
    if fs::symlink_metadata(file).is_err() {
        return "there is no such file".to_owned();
    }
    match interpreter_of(file) {
        Ok(Some(interpreter)) => format!(
            "it is a script, and its interpreter {} does not exist",
            interpreter.display()
        ),
        _ => "the file exists, but its dynamic linker does not".to_owned(),
    }
}

/// The most likely reason, and the remedy.
fn execve_hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EACCES) => {
            "; the user needs execute permission for the file and for each directory above it, and \
             its mount must not be noexec"
        }
        // `bprm_caps_from_vfs_caps` and `get_file_caps`, security/commoncap.c.
        Some(libc::EPERM) => {
            "; the kernel refuses to execute a file that has capabilities and the effective bit if \
             the bounding set lacks one of them: see `capable inspect FILE`, and give the command \
             that capability too"
        }
        Some(libc::ENOEXEC) => "; it is a program for another architecture, or not a program",
        _ => "",
    }
}
