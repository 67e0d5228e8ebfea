//! The digest that ties the committed eBPF objects to the sources they were made from.
//!
//! Shared, by `#[path]`, between the build script of `capable`, which refuses an object older
//! than its sources, and `cargo xtask build-ebpf`, which puts the digest into the object.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What the object is made from, relative to the workspace.
pub const SOURCES: [&str; 4] = [
    "capable-common/Cargo.toml",
    "capable-common/src",
    "capable-ebpf/Cargo.toml",
    "capable-ebpf/src",
];

/// What stands before the digest in an object.
pub const MARK: &str = "capable-sources-sha256:";

/// The digest of the sources in this workspace, in hexadecimal; `None` where there are no
/// sources, as in a packaged crate.
///
/// Each Rust source and manifest counts with its path and its content, in the order of the paths.
pub fn of_sources(workspace: &Path) -> io::Result<Option<String>> {
    if !workspace.join("capable-ebpf").is_dir() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&workspace.join(source), &mut files)?;
    }
    files.sort();

    let mut digest = Sha256::new();
    for file in files {
        let content = fs::read(&file)?;
        let name = file.strip_prefix(workspace).unwrap_or(&file);
        digest.update(name.as_os_str().as_encoded_bytes());
        digest.update([0]);
        digest.update((content.len() as u64).to_le_bytes());
        digest.update(content);
    }
    let digest = digest.finalize();
    Ok(Some(
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}

/// Adds the file, or every one below the folder; what editors leave beside sources is not one.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path
        .extension()
        .is_some_and(|extension| extension == "rs" || extension == "toml")
    {
        files.push(path.to_owned());
    }
    Ok(())
}

/// The digest that an object holds.
pub fn in_object(object: &[u8]) -> Option<&str> {
    let start = object
        .windows(MARK.len())
        .position(|window| window == MARK.as_bytes())?
        + MARK.len();
    std::str::from_utf8(object.get(start..start + 64)?).ok()
}
