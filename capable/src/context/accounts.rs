//! Names of users and groups.
//!
//! The names in rows come from `/etc/passwd` or `/etc/group` and, for units with `DynamicUser=`,
//! from what systemd leaves in `/run`: both cost no more than reading a file once. Other sources
//! (LDAP, sssd) can take seconds. They are queried, through `getent`, only for a name that the user
//! gives.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::{getent, ids::IdMap, nearest::nearest};

/// The number of ids without a name that are remembered.
const UNNAMED_LIMIT: usize = 4096;
/// How often an id without a name makes us check whether the file has changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// The id that means "nobody" (`INVALID_UID` and `INVALID_GID`, include/linux/uidgid.h).
const NOBODY: u32 = u32::MAX;

/// Whose names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// Users: passwd(5).
    Users,
    /// Groups: group(5).
    Groups,
}

impl Database {
    fn file(self) -> &'static Path {
        Path::new(match self {
            Self::Users => "/etc/passwd",
            Self::Groups => "/etc/group",
        })
    }

    /// The database's name for getent(1).
    fn name(self) -> &'static str {
        match self {
            Self::Users => "passwd",
            Self::Groups => "group",
        }
    }

    /// What one of its entries is called in a sentence.
    fn entry(self) -> &'static str {
        match self {
            Self::Users => "user",
            Self::Groups => "group",
        }
    }
}

/// A user or a group that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no {} {given:?}{}", .database.entry(), self.suggestion())]
pub struct UnknownAccount {
    /// Where it was looked for.
    pub database: Database,
    /// What was given.
    pub given: String,
    /// The most similar name.
    pub nearest: Option<String>,
}

impl UnknownAccount {
    fn suggestion(&self) -> String {
        match &self.nearest {
            Some(name) => format!("; did you mean {name:?}?"),
            None => format!(
                "; give a name that `getent {}` knows, or a number",
                self.database.name()
            ),
        }
    }
}

/// The known users or groups, by id.
#[derive(Debug)]
pub struct Accounts {
    database: Database,
    file: PathBuf,
    names: IdMap<u32, Box<str>>,
    unnamed: HashSet<u32>,
    /// How often names were learnt.
    generation: u32,
    /// The modification time of the file when it was read.
    changed: Option<SystemTime>,
    looked: Instant,
}

impl Accounts {
    /// Reads `/etc/passwd`. Without it no user has a name.
    pub fn users() -> Self {
        Self::read_from(Database::Users, Database::Users.file())
    }

    /// Reads `/etc/group`. Without it no group has a name.
    pub fn groups() -> Self {
        Self::read_from(Database::Groups, Database::Groups.file())
    }

    fn read_from(database: Database, file: &Path) -> Self {
        let mut accounts = Self {
            database,
            file: file.to_owned(),
            names: IdMap::default(),
            unnamed: HashSet::new(),
            generation: 0,
            changed: None,
            looked: Instant::now(),
        };
        accounts.read();
        accounts
    }

    /// The name of an id. Does not allocate for one that was looked up before.
    pub fn name(&mut self, id: u32) -> Option<&str> {
        self.learn(id);
        self.known(id)
    }

    /// Looks for the name of an id that has none so far.
    #[inline]
    pub(crate) fn learn(&mut self, id: u32) {
        if !self.names.contains_key(&id) {
            self.look_for(id);
        }
    }

    /// The name of an id, if it is already known.
    #[inline]
    pub(crate) fn known(&self, id: u32) -> Option<&str> {
        self.names.get(&id).map(AsRef::as_ref)
    }

    /// A number that changes whenever an id may have got another name, or its first name.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The id of a user or group by name or number. Any number is accepted, because containers use
    /// ids that have no name here.
    ///
    /// # Errors
    ///
    /// When no source knows the name.
    pub fn resolve(&self, given: &str) -> Result<u32, UnknownAccount> {
        let known = given.parse().ok().filter(|&id| id != NOBODY);
        known
            .or_else(|| {
                let mut names = self.names.iter();
                names.find_map(|(&id, name)| (**name == *given).then_some(id))
            })
            .or_else(|| dynamic_account(given)?.parse().ok())
            .or_else(|| from_getent(self.database, given))
            .ok_or_else(|| UnknownAccount {
                database: self.database,
                given: given.to_owned(),
                nearest: nearest(given, self.names.values().map(AsRef::as_ref)).map(str::to_owned),
            })
    }

    fn look_for(&mut self, id: u32) {
        let known_unnamed = self.unnamed.contains(&id);
        if known_unnamed && self.looked.elapsed() < LOOK_INTERVAL {
            return;
        }
        self.looked = Instant::now();
        if self.changed != modified(&self.file) {
            self.read();
        }
        if self.names.contains_key(&id) {
            return;
        }
        if let Some(name) = dynamic_account(&id.to_string()) {
            self.names.insert(id, name.into());
            self.generation = self.generation.wrapping_add(1);
        } else {
            if self.unnamed.len() >= UNNAMED_LIMIT {
                self.unnamed.clear();
            }
            self.unnamed.insert(id);
        }
    }

    fn read(&mut self) {
        self.changed = modified(&self.file);
        self.generation = self.generation.wrapping_add(1);
        // Names in other encodings are shown as well as possible.
        let bytes = fs::read(&self.file).unwrap_or_default();
        self.names.clear();
        self.unnamed.clear();
        for line in String::from_utf8_lossy(&bytes).lines() {
            if let Some((id, name)) = parse_entry(line) {
                // If an id has several names, the first counts, as for getpwuid(3) and getgrgid(3).
                self.names.entry(id).or_insert_with(|| name.into());
            }
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// The id and the name in a line of passwd(5) or group(5).
fn parse_entry(line: &str) -> Option<(u32, &str)> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let id = fields.nth(1)?.parse().ok()?;
    Some((id, name))
}

/// Asks systemd's links about a dynamic user: the name of an id, or the id of a name
/// (`make_uid_symlinks`, src/core/dynamic-user.c). Such a user's group has the same name and id.
fn dynamic_account(given: &str) -> Option<String> {
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

fn from_getent(database: Database, name: &str) -> Option<u32> {
    let line = getent::entry(database.name(), name).ok()??;
    let (id, _) = parse_entry(&line)?;
    (id != NOBODY).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn root_has_its_name_and_its_number() {
        let mut users = Accounts::users();
        assert_eq!(users.name(0), Some("root"));
        assert_eq!(users.resolve("root").unwrap(), 0);
        assert_eq!(users.resolve("4711").unwrap(), 4711);
    }

    #[test]
    fn groups_have_names_of_their_own() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "root:x:0:\nadm:x:4:alice,bob").unwrap();
        let mut groups = Accounts::read_from(Database::Groups, file.path());
        assert_eq!(groups.name(4), Some("adm"));
        assert_eq!(groups.resolve("adm").unwrap(), 4);
        let error = groups.resolve("adn").unwrap_err().to_string();
        assert_eq!(error, "there is no group \"adn\"; did you mean \"adm\"?");
        let error = groups.resolve("no-such-group").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no group \"no-such-group\"; give a name that `getent group` knows, or a number"
        );
    }

    #[test]
    fn an_unknown_name_is_an_error_that_suggests_the_nearest() {
        let users = Accounts::users();
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
        let mut users = Accounts::read_from(Database::Users, file.path());
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
