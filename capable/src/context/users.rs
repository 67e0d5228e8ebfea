//! Names of users.
//!
//! The names in rows come from `/etc/passwd` and, for units with `DynamicUser=`, from what systemd
//! leaves in `/run`: both cost no more than reading a file once. Other sources (LDAP, sssd) can
//! take seconds. They are asked, through `getent`, only for a name that the user gives.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use super::{ids::IdMap, nearest::nearest};

/// The number of ids without a name that are remembered.
const UNNAMED_LIMIT: usize = 4096;
/// How often an id without a name makes us check whether `/etc/passwd` has changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// The id that means "no user" (`INVALID_UID`, include/linux/uidgid.h).
const NO_USER: u32 = u32::MAX;

/// A user that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no user {given:?}{}", suggestion(.nearest.as_deref()))]
pub struct UnknownUser {
    /// What was given.
    pub given: String,
    /// The most similar name.
    pub nearest: Option<String>,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; give a name that `getent passwd` knows, or a number".to_owned(),
        |name| format!("; did you mean {name:?}?"),
    )
}

/// The known users, by id.
#[derive(Debug)]
pub struct Users {
    passwd: PathBuf,
    names: IdMap<u32, Box<str>>,
    unnamed: HashSet<u32>,
    /// The modification time of `passwd` when it was read.
    changed: Option<SystemTime>,
    looked: Instant,
}

impl Users {
    /// Reads `/etc/passwd`. Without it no user has a name.
    pub fn load() -> Self {
        Self::from(Path::new("/etc/passwd"))
    }

    fn from(passwd: &Path) -> Self {
        let mut users = Self {
            passwd: passwd.to_owned(),
            names: IdMap::default(),
            unnamed: HashSet::new(),
            changed: None,
            looked: Instant::now(),
        };
        users.read();
        users
    }

    /// The name of a user. Does not allocate for an id that was looked up before.
    pub fn name(&mut self, uid: u32) -> Option<&str> {
        if !self.names.contains_key(&uid) {
            self.look_for(uid);
        }
        self.names.get(&uid).map(AsRef::as_ref)
    }

    /// The id of a user by name or number. Every number is accepted, because containers use ids
    /// that have no name here.
    ///
    /// # Errors
    ///
    /// When no source knows the name.
    pub fn resolve(&self, given: &str) -> Result<u32, UnknownUser> {
        let known = given.parse().ok().filter(|&uid| uid != NO_USER);
        known
            .or_else(|| {
                let mut names = self.names.iter();
                names.find_map(|(&uid, name)| (**name == *given).then_some(uid))
            })
            .or_else(|| dynamic_user(given)?.parse().ok())
            .or_else(|| from_getent(given))
            .ok_or_else(|| UnknownUser {
                given: given.to_owned(),
                nearest: nearest(given, self.names.values().map(AsRef::as_ref)).map(str::to_owned),
            })
    }

    fn look_for(&mut self, uid: u32) {
        let known_unnamed = self.unnamed.contains(&uid);
        if known_unnamed && self.looked.elapsed() < LOOK_INTERVAL {
            return;
        }
        self.looked = Instant::now();
        if self.changed != modified(&self.passwd) {
            self.read();
        }
        if self.names.contains_key(&uid) {
            return;
        }
        if let Some(name) = dynamic_user(&uid.to_string()) {
            self.names.insert(uid, name.into());
        } else {
            if self.unnamed.len() >= UNNAMED_LIMIT {
                self.unnamed.clear();
            }
            self.unnamed.insert(uid);
        }
    }

    fn read(&mut self) {
        self.changed = modified(&self.passwd);
        // Names in other encodings are shown as well as possible.
        let bytes = fs::read(&self.passwd).unwrap_or_default();
        self.names.clear();
        self.unnamed.clear();
        for line in String::from_utf8_lossy(&bytes).lines() {
            if let Some((uid, name)) = parse_entry(line) {
                // Of several names for one id the first counts, as for getpwuid(3).
                self.names.entry(uid).or_insert_with(|| name.into());
            }
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// The id and the name in a line of passwd(5).
fn parse_entry(line: &str) -> Option<(u32, &str)> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let uid = fields.nth(1)?.parse().ok()?;
    Some((uid, name))
}

/// Asks systemd's links about a dynamic user: the name of an id, or the id of a name
/// (`make_uid_symlinks`, src/core/dynamic-user.c).
fn dynamic_user(given: &str) -> Option<String> {
    if given.contains('/') {
        return None;
    }
    let link = Path::new("/run/systemd/dynamic-uid").join(format!("direct:{given}"));
    fs::read_link(link)
        .ok()?
        .into_os_string()
        .into_string()
        .ok()
}

fn from_getent(name: &str) -> Option<u32> {
    if name.is_empty() || name.starts_with('-') {
        return None;
    }
    let output = Command::new("getent")
        .args(["passwd", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let (uid, _) = parse_entry(line.lines().next()?)?;
    (uid != NO_USER).then_some(uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn root_has_its_name_and_its_number() {
        let mut users = Users::load();
        assert_eq!(users.name(0), Some("root"));
        assert_eq!(users.resolve("root").unwrap(), 0);
        assert_eq!(users.resolve("4711").unwrap(), 4711);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_suggests_the_nearest() {
        let users = Users::load();
        let error = users.resolve("roto").unwrap_err().to_string();
        assert_eq!(error, "there is no user \"roto\"; did you mean \"root\"?");
        assert!(users.resolve("4294967295").is_err(), "-1 is nobody's id");
        assert!(users.resolve("-h").is_err());
        assert!(users.resolve("").is_err());
    }

    #[test]
    fn a_user_who_is_added_later_gets_a_name() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(
            file,
            "root:x:0:0::/root:/bin/sh\n+::::::\ntoor:x:0:0::/:/bin/sh"
        )
        .unwrap();
        let mut users = Users::from(file.path());
        assert_eq!(users.name(0), Some("root"));
        assert_eq!(users.name(70_001), None);
        writeln!(file, "late:x:70001:1::/:/bin/sh").unwrap();
        let later = SystemTime::now() + Duration::from_secs(5);
        file.as_file().set_modified(later).unwrap();
        assert_eq!(users.name(70_001), None, "not looked at again at once");
        users.looked = Instant::now() - LOOK_INTERVAL;
        assert_eq!(users.name(70_001), Some("late"));
    }
}
