//! Looks up users and groups by the system's own means (nsswitch.conf(5)), for a command that is to
//! run as one of them.

use std::io;

use thiserror::Error;

use crate::context::getent::{entry, groups_of};

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
        error: io::Error,
    },
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number.
    pub id: libc::uid_t,
    /// The name, if there is an entry.
    pub name: Option<String>,
    /// The group of the entry, if there is one.
    pub group: Option<libc::gid_t>,
}

/// A group, by number.
pub type Group = libc::gid_t;

impl User {
    /// The user's groups, of which `group` is one.
    ///
    /// # Errors
    ///
    /// The look-up failed.
    pub fn groups(&self, group: Group) -> Result<Vec<Group>, AccountError> {
        let Some(name) = &self.name else {
            return Ok(vec![group]);
        };
        let mut groups = groups_of(name).map_err(failed(name))?;
        groups.retain(|&listed| listed != group);
        groups.insert(0, group);
        Ok(groups)
    }
}

/// Looks up a user by name or number.
///
/// # Errors
///
/// There is no user of that name, or the look-up failed.
pub fn user(given: &str) -> Result<User, AccountError> {
    let line = entry("passwd", given).map_err(failed(given))?;
    let fields: Vec<&str> = line.iter().flat_map(|line| line.split(':')).collect();
    // passwd(5)
    let listed = match fields[..] {
        [name, _, id, group, ..] => number(id).zip(Some((name, number(group)))),
        _ => None,
    };
    match (listed, number(given)) {
        (Some((id, (name, group))), _) => Ok(User {
            id,
            name: Some(name.to_owned()),
            group,
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
    let line = entry("group", given).map_err(failed(given))?;
    // group(5)
    let id = line
        .as_deref()
        .and_then(|line| number(line.split(':').nth(2)?));
    id.ok_or_else(|| AccountError::Unknown {
        kind: "group",
        database: "group",
        given: given.to_owned(),
    })
}

fn number(given: &str) -> Option<u32> {
    given.parse().ok().filter(|&id| id != NO_ID)
}

fn failed(given: &str) -> impl FnOnce(io::Error) -> AccountError {
    move |error| AccountError::Failed {
        given: given.to_owned(),
        error,
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
        assert!(by_name.groups(0).unwrap().contains(&0));
        assert_eq!(group("root").unwrap(), 0);
    }

    #[test]
    fn a_number_without_an_entry_is_a_user_without_a_group() {
        let user = user("3999999999").unwrap();
        assert_eq!((user.id, user.group), (3_999_999_999, None));
        assert_eq!(user.groups(7).unwrap(), [7]);
    }

    #[test]
    fn who_does_not_exist_is_named() {
        let error = user("no-such-user-here").unwrap_err().to_string();
        assert!(error.contains("\"no-such-user-here\"") && error.contains("getent passwd"));
        let error = group("no-such-group-here").unwrap_err().to_string();
        assert!(error.contains("getent group"), "{error}");
    }
}
