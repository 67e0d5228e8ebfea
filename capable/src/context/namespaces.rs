//! Finds namespaces by what a user gives: a number or a process.

use std::{io, path::Path};

use super::kernel_threads::is_kernel_thread;

/// A kind of namespace that filters know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamespaceKind {
    /// User namespaces.
    User,
    /// Mount namespaces.
    Mount,
    /// Pid namespaces.
    Pid,
}

impl NamespaceKind {
    /// The name in `/proc/PID/ns`.
    pub fn file(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mount => "mnt",
            Self::Pid => "pid",
        }
    }
}

/// Why a namespace cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// It is neither a number nor in the form that `ls` shows.
    #[error(
        "{given:?} is not a namespace; give its number, as in `ls -l /proc/self/ns`, or the \
     PID of a process in it"
    )]
    Malformed {
        /// What was given.
        given: String,
    },
    /// The process does not exist.
    #[error("cannot find the namespace of process {pid}: there is no such process")]
    NoProcess {
        /// What was given.
        pid: u32,
    },
    /// The link cannot be read.
    #[error(
        "cannot read /proc/{pid}/ns/{kind}: {error}; this takes the same user as the process, or \
         CAP_SYS_PTRACE"
    )]
    Unreadable {
        /// What was given.
        pid: u32,
        /// The kind of namespace, which is the name of the link.
        kind: &'static str,
        /// What the kernel said.
        error: io::Error,
    },
}

/// The largest number of a process (`PID_MAX_LIMIT`, include/linux/threads.h). Namespaces have
/// larger numbers, from 0xEFFFFFF8 on (include/uapi/linux/nsfs.h, 6.18; include/linux/proc_ns.h
/// before).
const LARGEST_PID: u32 = 4 << 20;

/// The inode number of a namespace that is given by this number, as `user:[4026531837]`, or by the
/// PID of a process in it.
///
/// # Errors
///
/// When it is neither of these, or the process's link cannot be read.
pub fn namespace_inode(kind: NamespaceKind, given: &str) -> Result<u32, NamespaceError> {
    let malformed = || NamespaceError::Malformed {
        given: given.to_owned(),
    };
    if let Some(number) = bracketed(kind, given) {
        return number.parse().map_err(|_| malformed());
    }
    let number: u32 = given.parse().map_err(|_| malformed())?;
    if number > LARGEST_PID {
        return Ok(number);
    }
    let pid = number;
    let link = match std::fs::read_link(format!("/proc/{pid}/ns/{}", kind.file())) {
        Ok(link) => link,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(NamespaceError::NoProcess { pid });
        }
        Err(error) => {
            return Err(NamespaceError::Unreadable {
                pid,
                kind: kind.file(),
                error,
            });
        }
    };
    let inode = link
        .to_str()
        .and_then(|link| bracketed(kind, link)?.parse().ok());
    inode.ok_or_else(malformed)
}

/// The inode number of the initial mount namespace, which has a fixed number only on newer kernels
/// (`MNT_NS_INIT_INO`, include/uapi/linux/nsfs.h, came with 6.18). It is that of kthreadd, which
/// never leaves it (kernel/kthread.c). In a pid namespace without kernel threads, or without
/// permission to look at them, it is not known. The first process cannot be used instead: in a
/// container it is the container's own.
pub fn initial_mount_namespace() -> Option<u32> {
    const KTHREADD: u32 = 2;
    is_kernel_thread(Path::new(&format!("/proc/{KTHREADD}")))
        .then(|| namespace_inode(NamespaceKind::Mount, &KTHREADD.to_string()).ok())?
}

/// The number in `kind:[number]`.
fn bracketed(kind: NamespaceKind, text: &str) -> Option<&str> {
    let rest = text.strip_prefix(kind.file())?;
    rest.strip_prefix(":[")?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_found_by_number_link_and_process() {
        let own = std::fs::metadata("/proc/self/ns/pid").unwrap();
        let own = std::os::unix::fs::MetadataExt::ino(&own) as u32;
        let pid = std::process::id().to_string();
        for given in [&pid, &own.to_string(), &format!("pid:[{own}]")] {
            assert_eq!(
                namespace_inode(NamespaceKind::Pid, given).unwrap(),
                own,
                "{given}"
            );
        }
    }

    #[test]
    fn the_initial_mount_namespace_is_that_of_the_kernel_threads() {
        let threads = (1..200).filter(|pid| is_kernel_thread(Path::new(&format!("/proc/{pid}"))));
        let inode = |pid: u32| namespace_inode(NamespaceKind::Mount, &pid.to_string()).ok();
        match threads.clone().next() {
            // A container has none, so there it is not known.
            None => assert_eq!(initial_mount_namespace(), None),
            Some(_) => assert!(threads.map(inode).any(|of| of == initial_mount_namespace())),
        }
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = anyhow::Error::from(NamespaceError::Unreadable {
            pid: 1,
            kind: "user",
            error: io::ErrorKind::PermissionDenied.into(),
        });
        let message = format!("{error:#}");
        assert_eq!(message.matches("permission denied").count(), 1, "{message}");
    }

    #[test]
    fn what_is_no_namespace_is_an_error_that_says_what_would_be() {
        let message = |given| {
            namespace_inode(NamespaceKind::User, given)
                .unwrap_err()
                .to_string()
        };
        assert!(message("init").contains("is not a namespace"));
        assert!(message("pid:[4026531836]").contains("is not a namespace"));
        assert!(message("4194304").contains("no such process"));
        assert!(message("99999999999").contains("is not a namespace"));
    }
}
