//! What surrounds a file: looked up by its path after a system call was refused.
//!
//! Other processes choose the path, and all that it leads to. Nothing is opened but by `O_PATH`,
//! which runs no driver and waits at no FIFO; a look-up has few steps. A file system can still take
//! as long as it likes, so a process of its own looks ([`Looker`]).

mod component;
mod looker;
mod root;
#[cfg(test)]
mod tests;
mod walk;

use serde::{Deserialize, Serialize};

pub use looker::Looker;
use root::Root;

use crate::event::Surroundings;

/// The longest path, here and after links, in bytes (`PATH_MAX`).
const LONGEST: usize = 4096;

/// Which file is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// The process that named it, as `/proc` numbers it.
    pub pid: u32,
    /// The inode number of the mount namespace, if it is known; otherwise it is the process's.
    pub mount_namespace: Option<u32>,
    /// Its path from the root of the mount namespace, not from that of chroot(2).
    pub path: Vec<u8>,
    /// Whether a symbolic link at the end is followed.
    pub follow: bool,
}

/// Why it is not known what surrounds a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum NotFound {
    /// What only the process leads to: another mount namespace, or `/proc/self`.
    #[error(
        "only the process itself led to it, and that has ended or entered another mount namespace"
    )]
    Ended,
    /// A root directory that does not show the path: chroot(2).
    #[error("it is not below the root directory that can be looked at")]
    OtherRoot,
    /// A link of `/proc`, such as `/proc/PID/fd/1`, which no path leads along.
    #[error("it is an open file of a process, by a link in /proc")]
    OpenFile,
    /// More than 4096 bytes, 64 directories or 40 symbolic links.
    #[error("its path is too long, or has too many directories or symbolic links")]
    TooLong,
    /// The system refuses the look, with this errno.
    #[error("{}", std::io::Error::from_raw_os_error(*.0))]
    Refused(i32),
    /// The process that looks takes too long, or has ended. It is not asked again.
    #[error("the look-up got no answer in time, of this path or of one before")]
    NoAnswer,
}

impl From<rustix::io::Errno> for NotFound {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Refused(errno.raw_os_error())
    }
}

/// Looks a file up, for as long as its file system takes: see [`Looker`].
///
/// # Errors
///
/// Why it is not known.
pub fn look_up(question: &Question) -> Result<Surroundings, NotFound> {
    look(question).map(|found| found.surroundings)
}

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    surroundings: Surroundings,
    /// It is so for this process only, not for all of the mount namespace.
    personal: bool,
}

fn look(question: &Question) -> Result<Found, NotFound> {
    if question.path.len() > LONGEST {
        return Err(NotFound::TooLong);
    }
    walk::walk(&Root::of(question)?, question)
}
