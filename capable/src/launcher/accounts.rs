//! Users and groups as the system's own look-up knows them (nsswitch.conf), for the command that
//! is to run as one.

use std::{
    ffi::{CStr, CString},
    io, ptr,
};

use thiserror::Error;

/// The first size of the buffer for an entry; it grows while an entry does not fit.
const BUFFER: usize = 1024;
/// The most that an entry may take: a group can have many members.
const MOST: usize = 1 << 24;
/// The first guess at how many groups a user is in; it grows.
const GROUPS: usize = 32;
/// The id that stands for none (`INVALID_UID`, include/linux/uidgid.h).
const NO_ID: u32 = u32::MAX;

/// A user or a group cannot be had.
#[derive(Debug, Error)]
pub enum AccountError {
    /// There is none of this name.
    #[error(
        "there is no {kind} {given:?}; give a name that `getent {database}` knows, or a number"
    )]
    Unknown {
        /// `user` or `group`.
        kind: &'static str,
        /// Its name in getent(1).
        database: &'static str,
        /// What was given.
        given: String,
    },
    /// A number has no entry, so its group is not known.
    #[error("user {0} has no entry that names its group: add --group")]
    NoGroup(libc::uid_t),
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
    /// The name, where there is one.
    pub name: Option<CString>,
    /// The group of the entry, where there is one.
    pub group: Option<libc::gid_t>,
}

/// A group, by number.
pub type Group = libc::gid_t;

impl User {
    /// The user's groups, of which `group` is one.
    pub fn groups(&self, group: Group) -> Vec<Group> {
        let Some(name) = &self.name else {
            return vec![group];
        };
        let mut groups = vec![0; GROUPS];
        loop {
            let mut count = libc::c_int::try_from(groups.len()).unwrap_or(libc::c_int::MAX);
            // SAFETY: the name is closed by NUL, and the list has room for `count` ids.
            let found = unsafe {
                libc::getgrouplist(name.as_ptr(), group, groups.as_mut_ptr(), &raw mut count)
            };
            let wanted = usize::try_from(count).unwrap_or(0);
            if found >= 0 {
                groups.truncate(wanted);
                return groups;
            }
            if groups.len() >= MOST / size_of::<Group>() {
                return vec![group];
            }
            groups.resize(wanted.max(groups.len() * 2), 0);
        }
    }
}

/// Looks a user up by name or by number.
///
/// # Errors
///
/// There is no user of that name, or the look-up failed.
pub fn user(given: &str) -> Result<User, AccountError> {
    let entry = |entry: &libc::passwd| User {
        id: entry.pw_uid,
        // SAFETY: the name of an entry that was found is closed by NUL.
        name: Some(unsafe { CStr::from_ptr(entry.pw_name) }.to_owned()),
        group: Some(entry.pw_gid),
    };
    if let Some(id) = number(given) {
        // SAFETY: zero is a value of every field.
        let found = look_up(
            given,
            entry,
            unsafe { std::mem::zeroed() },
            |entry, buffer, result| {
                // SAFETY: the buffer is as long as is said, and all outlives the call.
                unsafe {
                    libc::getpwuid_r(id, entry, buffer.as_mut_ptr().cast(), buffer.len(), result)
                }
            },
        )?;
        return Ok(found.unwrap_or(User {
            id,
            name: None,
            group: None,
        }));
    }
    let unknown = || AccountError::Unknown {
        kind: "user",
        database: "passwd",
        given: given.to_owned(),
    };
    let name = CString::new(given).map_err(|_| unknown())?;
    // SAFETY: zero is a value of every field.
    let found = look_up(
        given,
        entry,
        unsafe { std::mem::zeroed() },
        |entry, buffer, result| {
            let name = name.as_ptr();
            // SAFETY: the buffer is as long as is said, and all outlives the call.
            unsafe {
                libc::getpwnam_r(
                    name,
                    entry,
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    result,
                )
            }
        },
    )?;
    found.ok_or_else(unknown)
}

/// Looks a group up by name or by number.
///
/// # Errors
///
/// There is no group of that name, or the look-up failed.
pub fn group(given: &str) -> Result<Group, AccountError> {
    if let Some(id) = number(given) {
        return Ok(id);
    }
    let unknown = || AccountError::Unknown {
        kind: "group",
        database: "group",
        given: given.to_owned(),
    };
    let name = CString::new(given).map_err(|_| unknown())?;
    let id = |entry: &libc::group| entry.gr_gid;
    // SAFETY: zero is a value of every field.
    let found = look_up(
        given,
        id,
        unsafe { std::mem::zeroed() },
        |entry, buffer, result| {
            let name = name.as_ptr();
            // SAFETY: the buffer is as long as is said, and all outlives the call.
            unsafe {
                libc::getgrnam_r(
                    name,
                    entry,
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    result,
                )
            }
        },
    )?;
    found.ok_or_else(unknown)
}

fn number(given: &str) -> Option<u32> {
    given.parse().ok().filter(|&id| id != NO_ID)
}

/// Calls a look-up of the C library with a buffer that grows, and takes what is wanted out of the
/// entry while its strings live.
fn look_up<E, T>(
    given: &str,
    take: impl Fn(&E) -> T,
    mut entry: E,
    call: impl Fn(*mut E, &mut [u8], *mut *mut E) -> libc::c_int,
) -> Result<Option<T>, AccountError> {
    let mut buffer = vec![0u8; BUFFER];
    loop {
        let mut result = ptr::null_mut();
        match call(&raw mut entry, &mut buffer, &raw mut result) {
            0 if result.is_null() => return Ok(None),
            0 => return Ok(Some(take(&entry))),
            libc::ERANGE if buffer.len() < MOST => {
                let more = buffer.len() * 2;
                buffer.resize(more, 0);
            }
            // POSIX lets these mean that there is none.
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            error => {
                return Err(AccountError::Failed {
                    given: given.to_owned(),
                    error: io::Error::from_raw_os_error(error),
                });
            }
        }
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
