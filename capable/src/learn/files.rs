//! The files that a command's processes executed, by the name that each gave its process.
//!
//! A process may have ended, or execute something else, before its file is looked at. What then
//! remains is the name that execve(2) gave it, the end of the file's path (`begin_new_exec`,
//! fs/exec.c): such a file is searched for by its name, as the command would have.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::{
    escape::printable,
    event::{LONGEST_NAME, is_named},
};

/// How many names are remembered, and how many files of each.
const NAMES: usize = 4096;
const FILES: usize = 8;

/// Executed files by name. A name without any is of a file that nobody could look at in time.
#[derive(Debug, Default)]
pub struct Files {
    by_name: BTreeMap<Vec<u8>, BTreeSet<PathBuf>>,
    /// Whether a name was one too many.
    some_left_out: bool,
}

impl Files {
    /// A file was executed under this name; `None` if it could not be looked at.
    pub fn add(&mut self, name: &[u8], file: Option<PathBuf>) {
        if self.by_name.len() >= NAMES && !self.by_name.contains_key(name) {
            self.some_left_out = true;
            return;
        }
        let files = self.by_name.entry(name.to_owned()).or_default();
        if let Some(file) = file.filter(|_| files.len() < FILES) {
            files.insert(file);
        }
    }

    /// Searches for the files of names that none is known of, as the command would have: in `$PATH`,
    /// where its words say, and beside the files that are known. Returns those that were found.
    pub fn search<'a>(&mut self, words: impl IntoIterator<Item = &'a OsStr>) -> Vec<PathBuf> {
        let mut folders = search_path();
        let known = self.by_name.values().flatten().cloned();
        let files = words.into_iter().flat_map(paths_in).chain(known);
        folders.extend(files.filter_map(|file| Some(file.parent()?.to_owned())));
        folders.retain(|folder| folder.is_absolute());
        let mut all = Vec::new();
        for (name, files) in &mut self.by_name {
            if files.is_empty() {
                *files = named(name, &folders);
                all.extend(files.iter().cloned());
            }
        }
        all
    }

    /// Whether the file of each name is known.
    pub fn all_known(&self) -> bool {
        !self.some_left_out && !self.by_name.values().any(BTreeSet::is_empty)
    }

    /// The file that was executed under this name, as reports print it; `None` if it is not known or
    /// there were several.
    pub fn of(&self, name: &str) -> Option<&Path> {
        let mut names = self.by_name.iter();
        let (_, files) = names.find(|(known, _)| printable(known) == name)?;
        match files.iter().collect::<Vec<_>>()[..] {
            [file] => Some(file),
            _ => None,
        }
    }
}

/// Whether this file is what a program of this name in `$PATH` leads to, by a link.
pub fn is_linked(file: &Path, name: &[u8]) -> bool {
    named(name, &search_path()).contains(file)
}

/// The directories of `$PATH`.
fn search_path() -> BTreeSet<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect()
}

/// The absolute paths in a word, which may be a script of a shell.
fn paths_in(word: &OsStr) -> impl Iterator<Item = PathBuf> {
    let parts = word
        .as_bytes()
        .split(|byte| b" \t\n;&|<>()'\"`=".contains(byte));
    let paths = parts.filter(|part| part.starts_with(b"/"));
    paths.map(|path| OsStr::from_bytes(path).into())
}

/// The programs of this name in these directories, without links.
fn named(name: &[u8], folders: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let found = folders.iter().flat_map(|folder| {
        if name.len() < LONGEST_NAME {
            return vec![folder.join(OsStr::from_bytes(name))];
        }
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path());
        files.filter(|file| is_named(file, name)).collect()
    });
    let programs = found.filter(|file| {
        fs::metadata(file)
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    });
    let files = programs.filter_map(|file| file.canonicalize().ok());
    files.take(FILES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, name: &str) -> PathBuf {
        let file = folder.canonicalize().unwrap().join(name);
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    #[test]
    fn a_file_that_was_not_seen_is_found_beside_those_that_were() {
        let folder = tempfile::tempdir().unwrap();
        let seen = program(folder.path(), "capable-test-a");
        let missed = program(folder.path(), "a-name-of-more-than-15-bytes");
        let mut files = Files::default();
        files.add(b"capable-test-a", Some(seen.clone()));
        files.add(b"a-name-of-more-", None);
        files.add(b"capable-test-no", None);
        assert_eq!(files.of("a-name-of-more-"), None);
        assert_eq!(files.search([]), std::slice::from_ref(&missed));
        assert_eq!(files.of("a-name-of-more-"), Some(&*missed));
        assert_eq!(files.of("capable-test-a"), Some(&*seen));
        assert!(!files.all_known(), "one was not found");
    }

    #[test]
    fn a_file_that_was_not_seen_is_found_where_the_words_of_the_command_say() {
        let folder = tempfile::tempdir().unwrap();
        let missed = program(folder.path(), "capable-test-a");
        let script = format!("cd /; X=1 '{}' --now; true", missed.display());
        let mut files = Files::default();
        files.add(b"capable-test-a", None);
        assert_eq!(files.search([OsStr::new(&script)]), [missed]);
    }

    #[test]
    fn a_file_is_known_by_the_name_of_a_link_to_it() {
        let shell = Path::new("/bin/sh").canonicalize().unwrap();
        assert!(is_linked(&shell, b"sh"));
        assert!(!is_linked(&shell, b"cat"));
    }

    #[test]
    fn a_name_of_two_files_is_of_neither() {
        let mut files = Files::default();
        for file in ["/usr/bin/prog", "/opt/bin/prog"] {
            files.add(b"prog", Some(file.into()));
        }
        assert_eq!(files.of("prog"), None);
        assert!(files.all_known());
    }

    #[test]
    fn names_beyond_the_limit_are_not_remembered_and_that_is_known() {
        let mut files = Files::default();
        for number in 0..NAMES + 7 {
            files.add(format!("{number}").as_bytes(), Some("/bin/true".into()));
        }
        assert_eq!(files.by_name.len(), NAMES);
        assert!(!files.all_known());
    }
}
