//! Reads a file that only root may write.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::files::open_regular;

/// The most that is read of a file. What storage keeps of a thousand containers has 1 MiB.
const LIMIT: u64 = 16 << 20;
/// The most that is taken of a name: images of registries have up to 255 bytes of path and 128 of tag.
const NAME_LIMIT: usize = 512;

/// Which version of a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Version {
    fn of(data: &Metadata) -> Self {
        Self {
            inode: data.ino(),
            size: data.size(),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }

    /// That of the file which is there now.
    pub(super) fn now(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|data| Self::of(&data))
    }
}

/// Files that are read again only where they are not as they were.
#[derive(Debug)]
pub(super) struct Cached<T> {
    known: HashMap<PathBuf, (Version, Option<T>)>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
        }
    }
}

impl<T> Cached<T> {
    /// Looks at these files, each with what it takes to read it; others are forgotten.
    pub(super) fn refresh<With>(
        &mut self,
        files: impl Iterator<Item = (PathBuf, With)>,
        read: impl Fn(&Path, With) -> Option<T>,
    ) {
        let mut before = std::mem::take(&mut self.known);
        for (path, with) in files {
            let Some(version) = Version::now(&path) else {
                continue;
            };
            let value = match before.remove(&path) {
                Some((known, value)) if known == version => value,
                _ => read(&path, with),
            };
            self.known.insert(path, (version, value));
        }
    }

    /// What they said.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.known.values().filter_map(|(_, value)| value.as_ref())
    }
}

/// What a JSON file says; `None` if it is not there, is not root's alone, or says something else.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let file = open_regular(path).ok()?;
    let data = file.metadata().ok()?;
    if !is_of_owner(&data) || data.size() > LIMIT {
        return None;
    }
    serde_json::from_slice(&whole(file)?).ok()
}

fn whole(file: File) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Whether only root may write it. Tests run as others too, and make files of their own.
fn is_of_owner(data: &Metadata) -> bool {
    let owner = if cfg!(test) {
        rustix::process::geteuid().as_raw()
    } else {
        0
    };
    data.uid() == owner && data.mode() & 0o022 == 0
}

/// The entries of a directory, by their names; none if it cannot be read.
pub(super) fn entries(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}

/// A name that something can be called by.
pub(super) fn name(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= NAME_LIMIT).then(|| text.to_owned())
}
