//! Why the symbols of a file were not read.

use std::fmt;

use super::Name;

/// A file whose symbols were not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its path, as the process sees it.
    pub module: Name,
    /// Why.
    pub reason: Hindrance,
}

impl fmt::Display for Unread {
    /// `symbols of FILE: REASON`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "symbols of {}: {}", self.module, self.reason)
    }
}

/// Why the symbols of a file were not read. The reader is a process of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hindrance {
    /// It is no regular file, is another one by now, or may not be opened.
    NotOpened,
    /// It is no ELF file, or was cut or changed.
    Unreadable,
    /// It has more symbols than are read.
    TooLarge,
    /// The reader needed more memory than it may have.
    Memory,
    /// The reader took too long.
    Time,
    /// Too much time went into the symbols of this file and others.
    TooOften,
    /// The reader made a system call that it has no use for.
    Forbidden,
    /// Somebody ended the reader.
    Killed,
    /// The reader has a defect.
    Defect,
    /// The kernel does not let the reader confine itself.
    NotConfined,
    /// The reader cannot be started.
    NotStarted(Name),
}

impl Hindrance {
    /// Whether it is due to the file, so that there is no use in trying once more.
    pub(super) fn is_of_file(&self) -> bool {
        match self {
            Self::Unreadable
            | Self::TooLarge
            | Self::Memory
            | Self::Time
            | Self::Forbidden
            | Self::Defect => true,
            Self::NotOpened
            | Self::TooOften
            | Self::Killed
            | Self::NotConfined
            | Self::NotStarted(_) => false,
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpened => "it is not a regular file, was replaced, or cannot be opened",
            Self::Unreadable => "it is not an ELF file, or it was cut",
            Self::TooLarge => "they are more than capable reads",
            Self::Memory => "the reader ran out of memory",
            Self::Time => "the reader ran out of time",
            Self::TooOften => "too much time went into reading symbols; later ones are read again",
            Self::Forbidden => "the reader was stopped when it tried what it may not",
            Self::Killed => "the reader was killed",
            Self::Defect => "the reader failed",
            Self::NotConfined => "this kernel does not let the reader be confined (seccomp)",
            Self::NotStarted(error) => {
                return write!(f, "the reader cannot be started: {error}");
            }
        })
    }
}
