//! Entries of the system's databases, as `nsswitch.conf` combines them.
//!
//! getent(1) is asked, and not the C library: in a program that is linked statically, the library
//! would load modules that were built for another one, which crashes (nsswitch.conf(5) names them:
//! systemd, sss, ldap). Where there is no getent, there are only the files.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

/// What getent answers to a key that no source knows (getent(1)).
const NOT_FOUND: i32 = 2;

/// The first line of `database` (passwd, group) for a name or number; `None` if there is none.
///
/// # Errors
///
/// getent cannot be started, or fails.
pub(crate) fn entry(database: &str, key: &str) -> io::Result<Option<String>> {
    // Neither is a name; getent takes words that begin with a dash for options.
    if key.is_empty() || key.starts_with('-') || key.contains(['\0', '\n', ':']) {
        return Ok(None);
    }
    match ask(database, key) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(in_file(database, key)),
        answer => answer,
    }
}

/// The groups that list a user as their member, by number.
///
/// # Errors
///
/// As [`entry`].
pub(crate) fn groups_of(user: &str) -> io::Result<Vec<u32>> {
    let listed = match ask("initgroups", user) {
        // The name, and the numbers.
        Ok(line) => line.unwrap_or_default(),
        // There is none, or it does not know this database, as that of musl.
        Err(_) => return Ok(listing("/etc/group", user)),
    };
    let numbers = listed.split_ascii_whitespace().skip(1);
    Ok(numbers.filter_map(|number| number.parse().ok()).collect())
}

fn ask(database: &str, key: &str) -> io::Result<Option<String>> {
    let output = Command::new("getent")
        .args([database, key])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    match output.status.code() {
        Some(0) => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(text.lines().next().map(str::to_owned))
        }
        Some(NOT_FOUND) => Ok(None),
        _ => Err(io::Error::other(format!(
            "getent {database} ended with {}",
            output.status
        ))),
    }
}

fn in_file(database: &str, key: &str) -> Option<String> {
    let text = fs::read(format!("/etc/{database}")).ok()?;
    let found = |line: &&str| {
        let mut fields = line.split(':');
        fields.next() == Some(key) || fields.nth(1) == Some(key)
    };
    String::from_utf8_lossy(&text)
        .lines()
        .find(found)
        .map(str::to_owned)
}

/// The groups in a file like group(5) that have `user` among their members.
fn listing(file: &str, user: &str) -> Vec<u32> {
    let text = fs::read(file).unwrap_or_default();
    let number = |line: &str| {
        let mut fields = line.split(':');
        let number = fields.nth(2)?.parse().ok()?;
        let mut members = fields.next()?.split(',');
        members.any(|member| member == user).then_some(number)
    };
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(number)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_alone_give_the_same_entries() {
        for key in ["root", "0", "daemon", "no-such-user", "", "-h"] {
            assert_eq!(
                in_file("passwd", key),
                entry("passwd", key).unwrap(),
                "{key}"
            );
        }
    }

    #[test]
    fn a_user_is_a_member_where_it_is_listed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text = "root:x:0:\nadm:x:4:alice,bob\nbob:x:9:\nsudo:x:27:bob\nbroken\n";
        io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let groups = |user| listing(file.path().to_str().unwrap(), user);
        assert_eq!(groups("bob"), [4, 27]);
        assert_eq!(groups("root"), [0; 0]);
        assert_eq!(groups("ali"), [0; 0]);
    }
}
