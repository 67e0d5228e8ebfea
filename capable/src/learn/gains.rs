//! Which executed files give privileges: set-user-ID programs and those with capabilities.

use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::files::Files;
use crate::{
    capability::CapabilitySet,
    escape::printable,
    inspect::{file::File, universe},
};
use std::os::unix::ffi::OsStrExt as _;

/// How many files are remembered.
const KNOWN: usize = 1 << 16;
/// How many files that give privileges are named.
const NAMED: usize = 16;

/// What is known about the files that a command executed.
#[derive(Debug, Default)]
pub struct Gains {
    /// The files of descendants are not looked at.
    pub command_only: bool,
    /// The files, by name.
    pub files: Files,
    /// Files that were looked at, by device and inode.
    known: HashSet<(u64, u64)>,
    /// Those that give privileges, as many as are named.
    found: BTreeSet<PathBuf>,
    /// How many more there are.
    more: u64,
}

impl Gains {
    /// A process executed a program, which gave it this name: looks at its file.
    pub fn executed(&mut self, pid: u32, name: &[u8]) {
        if self.command_only {
            return;
        }
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let looked_at = fs::metadata(&link).and_then(|data| Ok((data, fs::read_link(&link)?)));
        if let Ok((data, file)) = &looked_at
            && self.is_new_and_gives(&link, data)
        {
            self.gives(file.clone());
        }
        // The link is that of this program only if the process has not executed another one since.
        let seen = looked_at.ok().filter(|_| is_still(pid, name));
        self.files.add(name, seen.map(|(_, file)| file));
    }

    /// Looks at the command's own file, which is known even if the command ended at once.
    pub fn command(&mut self, path: &Path) {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if File::read(&path, universe()).is_ok_and(|file| gives(&file)) {
            self.gives(path);
        }
    }

    /// All was executed: searches for the files that could not be looked at in time, given the words of
    /// the command. So the answer does not depend on how quickly a process ended.
    pub fn settle<'a>(&mut self, words: impl IntoIterator<Item = &'a OsStr>) {
        for file in self.files.search(words) {
            if File::read(&file, CapabilitySet::EMPTY).is_ok_and(|file| gives(&file)) {
                self.gives(file);
            }
        }
    }

    /// Whether a file gives privileges that is not known to do so already.
    fn is_new_and_gives(&mut self, link: &Path, data: &fs::Metadata) -> bool {
        let key = (data.dev(), data.ino());
        if self.known.contains(&key) {
            return false;
        }
        // A command may execute as many files as it likes to make.
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(key);
        File::read(link, CapabilitySet::EMPTY).is_ok_and(|file| gives(&file))
    }

    fn gives(&mut self, path: PathBuf) {
        if self.found.len() < NAMED || self.found.contains(&path) {
            self.found.insert(path);
        } else {
            self.more += 1;
        }
    }

    /// Whether any file gave privileges; `None` if some could not be looked at.
    pub fn any(&self, executions: u64) -> Option<bool> {
        if !self.found.is_empty() {
            Some(true)
        } else if executions <= 1 || !self.command_only && self.files.all_known() {
            Some(false)
        } else {
            None
        }
    }

    /// The sentence for a report if no_new_privs made the kernel ignore these privileges.
    pub fn ignored(&self) -> Option<String> {
        if self.found.is_empty() {
            return None;
        }
        let files: Vec<String> = self
            .found
            .iter()
            .map(|file| printable(file.as_os_str().as_bytes()))
            .chain((self.more > 0).then(|| format!("{} more", self.more)))
            .collect();
        Some(format!(
            "no_new_privs was set: the kernel ignored the set-user-ID bit or the capabilities of \
             {}",
            files.join(", ")
        ))
    }
}

fn gives(file: &File) -> bool {
    file.set_user_id || file.set_group_id || file.capabilities.is_some()
}

/// Whether a process has this name, which each execve(2) gives anew.
fn is_still(pid: u32, name: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.strip_suffix(b"\n") == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_found_by_its_name_and_decides() {
        let mut gains = Gains::default();
        let own = std::process::id();
        let name = fs::read("/proc/self/comm").unwrap();
        gains.executed(own, name.trim_ascii_end());
        assert_eq!(gains.any(2), Some(false));
        // No process has this number.
        gains.executed(u32::MAX, b"su");
        assert_eq!(gains.any(2), None);
        gains.settle([]);
        assert_eq!(gains.any(2), Some(true), "su(1) is set-user-ID");
    }

    #[test]
    fn what_a_process_executes_next_is_not_taken_for_what_it_was() {
        let mut gains = Gains::default();
        gains.executed(std::process::id(), b"no-such-program");
        assert_eq!(gains.files.of("no-such-program"), None);
        gains.settle([]);
        assert_eq!(gains.any(2), None, "its file is not known");
        assert_eq!(
            gains.any(1),
            Some(false),
            "the command itself was looked at"
        );
    }
}
