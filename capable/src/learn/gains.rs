//! Which executed files give privileges: set-user-ID programs and those with capabilities.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

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
    /// Files that were looked at, by device and inode.
    known: HashSet<(u64, u64)>,
    /// Those that give privileges, as many as are named.
    found: BTreeSet<PathBuf>,
    /// How many more there are.
    more: u64,
    /// Executions whose process had ended or moved on before its file was looked at.
    missed: u64,
}

impl Gains {
    /// A process executed a program: looks at its file.
    pub fn executed(&mut self, pid: u32) {
        if self.command_only {
            self.missed += 1;
            return;
        }
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let Ok(metadata) = fs::metadata(&link) else {
            self.missed += 1;
            return;
        };
        let key = (metadata.dev(), metadata.ino());
        if self.known.contains(&key) {
            return;
        }
        let gives = File::read(&link, CapabilitySet::EMPTY).is_ok_and(|file| gives(&file));
        // A command may execute as many files as it likes to make.
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(key);
        if gives {
            self.gives(fs::read_link(&link).unwrap_or(link));
        }
    }

    /// Looks at the command's own file, which is known even if the command ended at once.
    pub fn command(&mut self, path: &Path) {
        if File::read(path, universe()).is_ok_and(|file| gives(&file)) {
            let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            self.gives(path);
        }
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
        } else if self.missed == 0 || executions <= 1 {
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
