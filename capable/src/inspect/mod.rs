//! Reads which capabilities a process holds, a file grants and a unit allows.
//!
//! Each has a type of its own ([`process::Process`], [`file::File`], [`unit::Unit`]) that does not
//! know how it is shown. What they hold after execve is predicted by the
//! kernel's own rule.

pub mod credentials;
mod dynamic;
mod execve;
pub mod file;
pub mod file_capabilities;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
pub mod holders;
mod interpreter;
mod json;
pub mod process;
mod refusal;
pub mod secure_bits;
#[cfg(feature = "cli")]
pub(crate) mod sheet;
pub mod target;
pub mod unit;
pub mod user_namespace;

use std::io;
use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error as ThisError;

use self::file::File;
use self::file_capabilities::Malformed;
use self::process::Process;
use self::target::Target;
use self::unit::Unit;
use crate::capability::{CapabilitySet, last_of_running_kernel};
use crate::context::processes::ProcessError;
use crate::escape::printable;

pub(crate) use dynamic::names_origin;
pub use interpreter::interpreter_of;
pub use refusal::Refusal;

/// What is inspected.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Subject {
    /// A process.
    Process(Process),
    /// A file.
    File(File),
    /// A unit.
    Unit(Unit),
}

impl Subject {
    /// Reads a target; `universe` is every capability that the running kernel knows.
    ///
    /// # Errors
    ///
    /// If it does not exist or cannot be read.
    pub fn read(target: &Target, universe: CapabilitySet) -> Result<Self, Error> {
        match target {
            Target::Process(pid) => Process::read(*pid).map(Self::Process),
            Target::File(path) => File::read(path, universe).map(Self::File),
            Target::Unit(name) => Unit::read(name, universe).map(Self::Unit),
        }
    }
}

/// Every capability that the running kernel knows or, if the kernel does not tell, every one that
/// has a name here.
pub fn universe() -> CapabilitySet {
    last_of_running_kernel()
        .ok()
        .and_then(|last| u32::try_from(last).ok())
        .and_then(|last| u64::MAX.checked_shr(u64::BITS.checked_sub(last + 1)?))
        .map_or(CapabilitySet::ALL_NAMED, CapabilitySet::from_bits)
}

/// Why something cannot be inspected.
#[derive(Debug, ThisError)]
pub enum Error {
    /// No process has this number.
    #[error(
        "no process {0}: give the PID of a running process (see ps -e), or write ./{0} for a file \
         of that name"
    )]
    NoProcess(u32),
    /// There is such a process, but `/proc` does not show it.
    #[error(transparent)]
    Hidden(ProcessError),
    /// The processes cannot be listed.
    #[error("cannot read the processes in /proc: {0}; is /proc mounted?")]
    Proc(io::Error),
    /// No process can have this number.
    #[error("{0} is too large for a PID; write ./{0} for a file of that name")]
    BadPid(String),
    /// The word names nothing that can be inspected.
    #[error(
        "{word} is neither a file here, nor a program in $PATH, nor a unit; {}",
        similar.as_ref().map_or_else(
            || {
                String::from(
                    "give a PID, a path, the name of a program, or a unit such as nginx.service",
                )
            },
            |similar| format!("did you mean {similar}?"),
        )
    )]
    Nothing {
        /// What was asked for.
        word: String,
        /// The program or unit with a similar name.
        similar: Option<String>,
    },
    /// No such file.
    #[error(
        "there is no file {}: give a path that exists, the name of a program, a PID or a unit",
        printable_path(.0)
    )]
    NoFile(PathBuf),
    /// A symbolic link to a file that does not exist.
    #[error(
        "{} is a symbolic link to {}, which does not exist",
        printable_path(path),
        printable_path(target)
    )]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// The file is not a regular one.
    #[error(
        "{} is {kind}; only regular files have capabilities",
        printable_path(path)
    )]
    NotAProgram {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {error}", printable_path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// The attribute `security.capability` cannot be read.
    #[error("cannot read the capabilities of {}: {error}", printable_path(path))]
    Attribute {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// The capabilities are for a user namespace whose root has no id here.
    #[error(
        "the capabilities of {} are for a user namespace whose root has no user id here; inspect \
         it from that namespace or from one of its ancestors",
        printable_path(.0)
    )]
    ForeignCapabilities(PathBuf),
    /// The attribute `security.capability` is malformed.
    #[error(
        "the capabilities of {} are malformed, so the kernel refuses to execute it: \
         security.capability has {error}",
        printable_path(path)
    )]
    MalformedCapabilities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Malformed,
    },
    /// /proc/PID/status is not as expected.
    #[error("/proc/{pid}/status has no {line} line, or one that cannot be parsed")]
    Status {
        /// The process or thread.
        pid: u32,
        /// The line.
        line: &'static str,
    },
    /// No such unit.
    #[error(
        "no unit {name}{}",
        similar.as_ref().map_or_else(
            || String::from(": see systemctl list-unit-files"),
            |similar| format!("; did you mean {similar}?"),
        )
    )]
    NoUnit {
        /// What was asked for.
        name: String,
        /// The unit with a similar name.
        similar: Option<String>,
    },
    /// The unit is masked.
    #[error("unit {name} is masked by {}: it cannot be started, so it holds nothing", by.display())]
    MaskedUnit {
        /// The unit.
        name: String,
        /// The file that masks it.
        by: PathBuf,
    },
    /// The unit is of a kind that has no processes.
    #[error(
        "{name}: a {kind} has no settings for capabilities; give a service, socket, mount or swap \
         unit"
    )]
    UnitWithoutProcesses {
        /// The unit.
        name: String,
        /// Its kind.
        kind: String,
    },
    /// The running systemd does not answer.
    #[error("systemctl reports nothing about {name}: {reason}")]
    Systemctl {
        /// The unit.
        name: String,
        /// The answer of systemctl.
        reason: String,
    },
}

fn printable_path(path: &std::path::Path) -> String {
    printable(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_universe_is_what_the_kernel_bounds_by() {
        let last = last_of_running_kernel().unwrap();
        assert_eq!(universe().len(), usize::try_from(last).unwrap() + 1);
    }
}
