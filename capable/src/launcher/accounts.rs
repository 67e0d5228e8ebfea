//! Looks up users and groups by the system's own means (nsswitch.conf), for a command that is to
//! run as one of them.

use std::ffi::CString;

use nix::{errno::Errno, unistd};
use thiserror::Error;

/// The id that means "no user" (`INVALID_UID`, include/linux/uidgid.h).
const NO_ID: u32 = u32::MAX;

/// A user or a group cannot be found.
#[derive(Debug, Error)]
pub enum AccountError {
    /// None has this name.
    #[error(
        "there is no {kind} {given:?}; give a name that `getent {database}` knows, or a number"
    )]
    Unknown {
        /// `user` or `group`.
        kind: &'static str,
        /// The database's name for getent(1).
        database: &'static str,
        /// What was given.
        given: String,
    },
    /// The look-up failed.
    #[error("cannot look up {given:?}: {error}")]
    Failed {
        /// What was given.
        given: String,
        /// Why.
        error: Errno,
    },
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number.
    pub id: libc::uid_t,
    /// The name, if there is an entry.
    pub name: Option<CString>,
    /// The group of the entry, if there is one.
    pub group: Option<libc::gid_t>,
}

/// A group, by number.
pub type Group = libc::gid_t;

impl User {
    /// The user's groups, of which `group` is one.
    pub fn groups(&self, group: Group) -> Vec<Group> {
        let listed = self
            .name
            .as_ref()
            .and_then(|name| unistd::getgrouplist(name, group.into()).ok());
        match listed {
            Some(groups) => groups.into_iter().map(Into::into).collect(),
            None => vec![group],
        }
    }
}

/// Looks up a user by name or number.
///
/// # Errors
///
/// There is no user of that name, or the look-up failed.
pub fn user(given: &str) -> Result<User, AccountError> {
    let id = number(given);
    let found = match id {
        Some(id) => unistd::User::from_uid(id.into()),
        None => unistd::User::from_name(given),
    };
    match (present(given, found)?, id) {
        (Some(entry), _) => Ok(User {
            id: entry.uid.into(),
            name: CString::new(entry.name).ok(),
            group: Some(entry.gid.into()),
        }),
        (None, Some(id)) => Ok(User {
            id,
            name: None,
            group: None,
        }),
        (None, None) => Err(AccountError::Unknown {
            kind: "user",
            database: "passwd",
            given: given.to_owned(),
        }),
    }
}

/// Looks up a group by name or number.
///
/// # Errors
///
/// There is no group of that name, or the look-up failed.
pub fn group(given: &str) -> Result<Group, AccountError> {
    if let Some(id) = number(given) {
        return Ok(id);
    }
    match present(given, unistd::Group::from_name(given))? {
        Some(entry) => Ok(entry.gid.into()),
        None => Err(AccountError::Unknown {
            kind: "group",
            database: "group",
            given: given.to_owned(),
        }),
    }
}

fn number(given: &str) -> Option<u32> {
    given.parse().ok().filter(|&id| id != NO_ID)
}

/// The entry found. By POSIX, some errors mean that there is none (getpwnam(3)).
fn present<T>(given: &str, found: nix::Result<Option<T>>) -> Result<Option<T>, AccountError> {
    match found {
        Ok(entry) => Ok(entry),
        // A NUL in the name is EINVAL.
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM | Errno::EINVAL) => Ok(None),
        Err(error) => Err(AccountError::Failed {
            given: given.to_owned(),
            error,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_by_name_and_by_number() {
        let by_name = user("root").unwrap();
        assert_eq!((by_name.id, by_name.group), (0, Some(0)));
        assert_eq!(user("0").unwrap(), by_name);
        assert!(by_name.groups(0).contains(&0));
        assert_eq!(group("root").unwrap(), 0);
    }

    #[test]
    fn a_number_without_an_entry_is_a_user_without_a_group() {
        let user = user("3999999999").unwrap();
        assert_eq!((user.id, user.group), (3_999_999_999, None));
        assert_eq!(user.groups(7), [7]);
    }

    #[test]
    fn who_does_not_exist_is_named() {
        let error = user("no-such-user-here").unwrap_err().to_string();
        assert!(error.contains("\"no-such-user-here\"") && error.contains("getent passwd"));
        let error = group("no-such-group-here").unwrap_err().to_string();
        assert!(error.contains("getent group"), "{error}");
    }
}
