//! The reason that a rule gives.
//!
//! One sentence, kept as the pieces that it is made of: findings are grouped by what they are
//! about, and a sentence is written only once for each group.

use std::fmt;

use super::UNKNOWN_CALLER;
use crate::{atlas::Place, capability::Capability, profile::observation::Case};

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Why(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Text(&'static str),
    /// `in can_nice, for setpriority(2)`
    Origin {
        caller: Option<String>,
        syscall: Option<&'static str>,
    },
    Syscall(&'static str),
    Capability(Capability),
    /// An errno (positive).
    Errno(i32),
}

impl Why {
    fn and(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }

    /// Appends a text.
    pub(super) fn text(self, text: &'static str) -> Self {
        self.and(Piece::Text(text))
    }

    /// Appends what a program meets at a place without the capability.
    pub(super) fn sentences(self, place: &Place) -> Self {
        place.told().into_iter().fold(self, Self::text)
    }

    /// Appends where the check was made: `in can_nice, for setpriority(2)`.
    pub(super) fn origin(self, case: &Case) -> Self {
        self.and(Piece::Origin {
            caller: case.caller_symbol().map(str::to_owned),
            syscall: case.syscall,
        })
    }

    /// Appends the name of a system call: `setpriority(2)`.
    pub(super) fn syscall(self, name: &'static str) -> Self {
        self.and(Piece::Syscall(name))
    }

    /// Appends the name of a capability.
    pub(super) fn capability(self, capability: Capability) -> Self {
        self.and(Piece::Capability(capability))
    }

    /// Appends the name of an errno (positive).
    pub(super) fn errno(self, errno: i32) -> Self {
        self.and(Piece::Errno(errno))
    }
}

impl From<&'static str> for Why {
    fn from(text: &'static str) -> Self {
        Self(vec![Piece::Text(text)])
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Origin { caller, syscall } => {
                write!(f, "in {}", caller.as_deref().unwrap_or(UNKNOWN_CALLER))?;
                match syscall {
                    Some(syscall) => write!(f, ", for {syscall}(2)"),
                    None => Ok(()),
                }
            }
            Piece::Syscall(name) => write!(f, "{name}(2)"),
            Piece::Capability(capability) => write!(f, "{capability}"),
            Piece::Errno(errno) => match errno_name(*errno) {
                Some(name) => f.write_str(name),
                None => write!(f, "error {errno}"),
            },
        })
    }
}

/// The name of an errno that a denied check commonly leads to.
pub(crate) fn errno_name(errno: i32) -> Option<&'static str> {
    Some(match errno {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::EINTR => "EINTR",
        libc::EAGAIN => "EAGAIN",
        libc::ENOMEM => "ENOMEM",
        libc::EACCES => "EACCES",
        libc::EBUSY => "EBUSY",
        libc::EEXIST => "EEXIST",
        libc::ENODEV => "ENODEV",
        libc::ENOTDIR => "ENOTDIR",
        libc::EISDIR => "EISDIR",
        libc::EINVAL => "EINVAL",
        libc::ENFILE => "ENFILE",
        libc::EMFILE => "EMFILE",
        libc::ENOSPC => "ENOSPC",
        libc::EROFS => "EROFS",
        libc::ENAMETOOLONG => "ENAMETOOLONG",
        libc::ELOOP => "ELOOP",
        libc::ENODATA => "ENODATA",
        libc::ENOBUFS => "ENOBUFS",
        libc::EINPROGRESS => "EINPROGRESS",
        libc::EDQUOT => "EDQUOT",
        libc::EOPNOTSUPP => "EOPNOTSUPP",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::observation::tests::granted;

    #[test]
    fn a_sentence_names_what_it_is_about() {
        let case = granted(Capability::SYS_NICE, "can_nice.isra.0", "setpriority");
        let why = Why::from("denied ")
            .origin(&case)
            .text(" after ")
            .capability(Capability::NET_RAW)
            .text(" (")
            .errno(libc::EPERM)
            .text(", ")
            .errno(123)
            .text(")");
        assert_eq!(
            why.to_string(),
            "denied in can_nice, for setpriority(2) after CAP_NET_RAW (EPERM, error 123)"
        );
        let nowhere = granted(Capability::SYS_NICE, "", "nice");
        let nowhere = Case {
            syscall: None,
            ..nowhere
        };
        assert_eq!(
            Why::from("asked ").origin(&nowhere).to_string(),
            "asked in a kernel function that is not known"
        );
    }
}
