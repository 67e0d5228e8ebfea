//! Decides what a word on the command line means.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fs, process};

use super::Error;
use super::unit::UnitName;
use crate::context::nearest::nearest;
use crate::escape::printable;

/// What to inspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The process, or the thread, with this number.
    Process(u32),
    /// The file with this path.
    File(PathBuf),
    /// The unit with this name.
    Unit(UnitName),
}

impl Target {
    /// The word itself decides, if it can: a number is a PID, `self` is this process, a word with a
    /// slash is a path, and a word that ends in a unit's kind is a unit. Any other word is whatever
    /// exists: a file here, a program in `$PATH`, or a service without its `.service`.
    ///
    /// # Errors
    ///
    /// If the word is none of these.
    pub fn from_word(word: &OsStr) -> Result<Self, Error> {
        let path = env::var_os("PATH").unwrap_or_default();
        Self::decide(word, Path::new("."), &path)
    }

    fn decide(word: &OsStr, here: &Path, search: &OsStr) -> Result<Self, Error> {
        let bytes = word.as_encoded_bytes();
        if bytes.contains(&b'/') {
            return Ok(Self::File(word.into()));
        }
        if let Some(text) = word.to_str() {
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
                return match text.parse() {
                    Ok(pid) => Ok(Self::Process(pid)),
                    Err(_) => Err(Error::BadPid(text.to_owned())),
                };
            }
            if text == "self" {
                return Ok(Self::Process(process::id()));
            }
            if let Some(unit) = UnitName::new(text) {
                return Ok(Self::Unit(unit));
            }
        }
        if bytes.is_empty() {
            return Err(Error::Nothing {
                word: String::from("''"),
                similar: None,
            });
        }
        let file = here.join(word);
        if file.is_file() {
            return Ok(Self::File(file));
        }
        if let Some(program) = in_path(word, search) {
            return Ok(Self::File(program));
        }
        service(word).ok_or_else(|| Error::Nothing {
            word: printable(bytes),
            similar: similar(word, search).map(|name| printable(name.as_bytes())),
        })
    }
}

/// The directories of `$PATH`, and those of administrators, which the `$PATH` of ordinary users
/// lacks.
fn directories(search: &OsStr) -> impl Iterator<Item = PathBuf> {
    let administrators = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
    env::split_paths(search).chain(administrators.map(PathBuf::from))
}

/// The first program with this name.
fn in_path(name: &OsStr, search: &OsStr) -> Option<PathBuf> {
    directories(search)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// The service that systemctl(1) would understand the word as, if it exists.
fn service(word: &OsStr) -> Option<Target> {
    let mut name = OsString::from(word);
    name.push(".service");
    let unit = UnitName::new(name.to_str()?)?;
    unit.exists().then_some(Target::Unit(unit))
}

/// The program or unit with the most similar name.
fn similar(word: &OsStr, search: &OsStr) -> Option<String> {
    let programs = directories(search)
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = programs.chain(UnitName::all()).collect();
    nearest(word.to_str()?, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(word: &str) -> Result<Target, Error> {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().join("here");
        let bin = directory.path().join("bin");
        for each in [&here, &bin] {
            fs::create_dir(each).unwrap();
        }
        for file in ["here/notes", "here/55", "here/a.service", "bin/tool"] {
            fs::write(directory.path().join(file), "").unwrap();
        }
        let target = Target::decide(word.as_ref(), &here, bin.as_os_str())?;
        Ok(match target {
            Target::File(path) => Target::File(
                path.strip_prefix(directory.path())
                    .map_or(path.clone(), Path::to_owned),
            ),
            other => other,
        })
    }

    #[test]
    fn a_number_is_a_pid_even_where_a_file_has_that_name() {
        assert_eq!(decide("55").unwrap(), Target::Process(55));
        assert_eq!(decide("./55").unwrap(), Target::File("./55".into()));
        let message = decide("99999999999").unwrap_err().to_string();
        assert!(message.contains("99999999999") && message.contains("./"));
    }

    #[test]
    fn a_units_name_is_a_unit_even_where_a_file_has_that_name() {
        let unit = UnitName::new("a.service").unwrap();
        assert_eq!(decide("a.service").unwrap(), Target::Unit(unit));
    }

    #[test]
    fn other_words_are_files_here_then_programs() {
        assert_eq!(decide("notes").unwrap(), Target::File("here/notes".into()));
        assert_eq!(decide("tool").unwrap(), Target::File("bin/tool".into()));
        assert_eq!(decide("self").unwrap(), Target::Process(process::id()));
    }

    #[test]
    fn a_word_that_is_nothing_is_named_with_what_would_work() {
        let message = decide("no-such\x1bthing-at-all").unwrap_err().to_string();
        assert!(
            message.contains(r"no-such\x1bthing-at-all") && message.contains("PID"),
            "{message}"
        );
        assert!(decide("").is_err());
        let message = decide("tol").unwrap_err().to_string();
        assert!(message.ends_with("did you mean tool?"), "{message}");
    }
}
