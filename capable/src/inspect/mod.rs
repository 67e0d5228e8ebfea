//! What a process holds, what a file grants and what a unit allows.
//!
//! Each is read into a type of its own ([`process::Process`], [`file::File`], [`unit::Unit`]) that
//! knows nothing of how it is shown; [`sheet`] shows any number of them side by side. What execve
//! would make of credentials is computed by the kernel's own rule in [`execve`].

pub mod credentials;
pub mod execve;
pub mod file;
pub mod file_capabilities;
mod json;
pub mod process;
pub mod secure_bits;
pub mod sheet;
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
use crate::output::push_escaped;

/// What was asked about.
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
    /// Reads what there is of a target; `universe` is every capability that the running kernel
    /// knows.
    ///
    /// # Errors
    ///
    /// Where it does not exist or can't be read.
    pub fn read(target: &Target, universe: CapabilitySet) -> Result<Self, Error> {
        match target {
            Target::Process(pid) => Process::read(*pid).map(Self::Process),
            Target::File(path) => File::read(path, universe).map(Self::File),
            Target::Unit(name) => Unit::read(name, universe).map(Self::Unit),
        }
    }
}

/// Every capability that the running kernel knows, or that has a name here where the kernel does
/// not tell.
pub fn universe() -> CapabilitySet {
    last_of_running_kernel()
        .ok()
        .and_then(|last| u32::try_from(last).ok())
        .and_then(|last| u64::MAX.checked_shr(u64::BITS.checked_sub(last + 1)?))
        .map_or(CapabilitySet::ALL_NAMED, CapabilitySet::from_bits)
}

/// Bytes from outside as text that is safe on a terminal and can be turned back: what is not
/// printable UTF-8, and the backslash, is escaped (`\x1b`, `\u{202e}`, `\\`).
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    push_escaped(&mut text, bytes);
    String::from_utf8_lossy(&text).into_owned()
}

/// Why something can't be inspected.
#[derive(Debug, ThisError)]
pub enum Error {
    /// No process has the number.
    #[error(
        "no process {0}: give the PID of one that runs (see ps -e), or write ./{0} for a file of \
         that name"
    )]
    NoProcess(u32),
    /// A number that no process can have.
    #[error("{0} is too large for a PID; write ./{0} for a file of that name")]
    BadPid(String),
    /// A word that is nothing.
    #[error(
        "{word} is no file here, no program in $PATH and no unit; {}",
        similar.as_ref().map_or_else(
            || {
                String::from(
                    "give a PID, a path, a program's name or a unit such as nginx.service",
                )
            },
            |similar| format!("did you mean {similar}?"),
        )
    )]
    Nothing {
        /// What was asked for.
        word: String,
        /// The program or unit that has a name like it.
        similar: Option<String>,
    },
    /// No such file.
    #[error("no file {}: give a path, a program's name, a PID or a unit", printable_path(.0))]
    NoFile(PathBuf),
    /// A symbolic link to a file that is not there.
    #[error(
        "{} is a symbolic link to {}, which does not exist",
        printable_path(path),
        printable_path(target)
    )]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// What it says.
        target: PathBuf,
    },
    /// A directory, a device...
    #[error(
        "{} is {kind}; capabilities belong to regular files",
        printable_path(path)
    )]
    NotAProgram {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A file of the system or of the user can't be read.
    #[error("cannot read {}: {error}", printable_path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// The attribute can't be read.
    #[error("cannot read the capabilities of {}: {error}", printable_path(path))]
    Attribute {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// The capabilities are for a user namespace that this one can't name.
    #[error(
        "the capabilities of {} are for a user namespace whose root has no number here; ask from \
         that namespace or from an ancestor of it",
        printable_path(.0)
    )]
    ForeignCapabilities(PathBuf),
    /// The attribute is damaged.
    #[error(
        "the capabilities of {} are malformed, the kernel refuses to run it: security.capability \
         has {error}",
        printable_path(path)
    )]
    MalformedCapabilities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Malformed,
    },
    /// /proc/PID/status is not as expected.
    #[error("/proc/{pid}/status has no {line} line that can be understood")]
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
        /// The unit that has a name like it.
        similar: Option<String>,
    },
    /// The unit is masked.
    #[error("unit {name} is masked by {}: it can't be started and holds nothing", by.display())]
    MaskedUnit {
        /// The unit.
        name: String,
        /// The file that masks it.
        by: PathBuf,
    },
    /// A unit of a kind that has no processes.
    #[error(
        "{name}: a {kind} has no settings for capabilities; give a service, socket, mount or swap"
    )]
    UnitWithoutProcesses {
        /// The unit.
        name: String,
        /// Its kind.
        kind: String,
    },
    /// The running systemd does not answer.
    #[error("systemctl does not tell of {name}: {reason}")]
    Systemctl {
        /// The unit.
        name: String,
        /// What it said.
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
    fn untrusted_names_neither_reach_the_terminal_nor_lose_a_byte() {
        assert_eq!(printable(b"nginx: worker"), "nginx: worker");
        assert_eq!(printable("größe".as_bytes()), "größe");
        assert_eq!(printable(b"\x1b[31m\xff\n\\"), r"\x1b[31m\xff\x0a\\");
        assert_eq!(printable("a\u{202e}b".as_bytes()), r"a\u{202e}b");
        assert_eq!(printable(b"it's \"x\""), "it's \"x\"");
    }

    #[test]
    fn the_universe_is_what_the_kernel_bounds_by() {
        let last = last_of_running_kernel().unwrap();
        assert_eq!(universe().len(), usize::try_from(last).unwrap() + 1);
    }
}
