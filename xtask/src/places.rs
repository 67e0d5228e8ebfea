//! Where things are.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::FlockOperation;

/// The workspace: the folder of the clone that this program was built in.
pub fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Where build products of this clone go.
pub fn target() -> PathBuf {
    workspace().join("target")
}

/// A directory for what outlives a clone and is expensive to fetch or build:
/// `$XDG_CACHE_HOME/capable/NAME`, or `~/.cache/capable/NAME`. It is created if missing.
pub fn cache(name: &str) -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => env::home_dir()
            .context("neither XDG_CACHE_HOME nor HOME says where the cache is")?
            .join(".cache"),
    };
    let folder = base.join("capable").join(name);
    create(&folder)?;
    Ok(folder)
}

/// Creates a folder and its parents.
pub fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// Removes a directory and everything in it, if it exists.
pub fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Waits until no other process holds this lock file, and holds it until the value is dropped.
pub fn lock(path: &Path) -> Result<File> {
    let lock = || {
        let file = File::create(path)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        io::Result::Ok(file)
    };
    lock().with_context(|| format!("cannot lock {}", path.display()))
}

/// The program with this name in the directories of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Whether we are root: a process's directory in /proc belongs to its effective user (proc(5)).
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
