//! Why a command did not start, and the exit code that says so.

use std::{ffi::OsString, fs, io, path::PathBuf};

use thiserror::Error;

use super::{CageError, Step};

/// The exit code of env(1), timeout(1) and their like where they fail themselves.
pub const FAILED: u8 = 125;
/// The exit code of a shell for a command that is there and cannot be executed.
const NOT_EXECUTABLE: u8 = 126;
/// The exit code of a shell for a command that is not there.
const NOT_FOUND: u8 = 127;

/// A command did not start.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// The cage cannot be built with what capable holds.
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
    /// There is no such command.
    #[error("cannot run {command:?}: {}", absent(command, file.as_deref()))]
    NotFound {
        /// As it was given.
        command: OsString,
        /// The file that was named, where one was.
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
    /// An argument holds a NUL, which no argument can.
    #[error("the argument {0:?} holds a NUL byte, which the kernel takes for its end")]
    Nul(OsString),
    /// The child could not be made or asked.
    #[error("cannot {what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the kernel answered.
        error: io::Error,
    },
    /// The child ended before it became the command.
    #[error("the process that was to become the command was killed before it did")]
    Vanished,
}

impl LaunchError {
    /// The exit code that shells, env(1) and timeout(1) give it.
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

/// Why it is not there: a file that exists lacks its interpreter.
fn absent(command: &OsString, file: Option<&std::path::Path>) -> String {
    let Some(file) = file else {
        return if command.is_empty() {
            "its name is empty".to_owned()
        } else {
            "it is in no folder of $PATH".to_owned()
        };
    };
    if fs::symlink_metadata(file).is_err() {
        return "there is no such file".to_owned();
    }
    match crate::profile::emit::interpreter_of(file) {
        Ok(Some(interpreter)) => format!(
            "it is a script whose interpreter {} does not exist",
            interpreter.display()
        ),
        _ => "the file exists, but its dynamic linker or what it links to does not".to_owned(),
    }
}

/// What most likely stands in the way.
fn execve_hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EACCES) => {
            "; the file must be executable for the user, each folder above it searchable, and its \
             mount not noexec"
        }
        // `bprm_caps_from_vfs_caps` and `get_file_caps`, security/commoncap.c.
        Some(libc::EPERM) => {
            "; a file whose capabilities take effect is not executed where the bounding set lacks \
             one of them: see `capable inspect FILE`, and add it to --caps"
        }
        Some(libc::ENOEXEC) => "; it is for another machine, or no program",
        _ => "",
    }
}
