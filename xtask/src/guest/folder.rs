//! The directory of this process, for files that it and the programs it starts write.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::{Context as _, Result};

/// Named by the process that asked first, which is never a forked child.
static PATH: LazyLock<PathBuf> =
    LazyLock::new(|| PathBuf::from(format!("/tmp/capable-tests.{}", std::process::id())));

/// Removes the folder when it is dropped.
#[derive(Debug)]
pub struct Folder(());

impl Folder {
    /// Makes the folder.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn make() -> Result<Self> {
        fs::create_dir(&*PATH).with_context(|| format!("cannot make {}", PATH.display()))?;
        Ok(Self(()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is in /tmp, where leftovers do no harm.
        let _ = fs::remove_dir_all(&*PATH);
    }
}

/// The path of a file in the folder.
pub fn file(name: &str) -> PathBuf {
    PATH.join(name)
}
