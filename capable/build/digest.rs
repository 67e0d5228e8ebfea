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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_a_new_and_a_renamed_source_each_change_the_digest_and_other_files_do_not() {
        let workspace = std::env::temp_dir().join(format!("capable-digest.{}", std::process::id()));
        for part in ["capable-common/src", "capable-ebpf/src/bin"] {
            fs::create_dir_all(workspace.join(part)).unwrap();
        }
        let write = |name: &str, text: &str| fs::write(workspace.join(name), text).unwrap();
        let digest = || of_sources(&workspace).unwrap().unwrap();
        write("capable-common/Cargo.toml", "");
        write("capable-ebpf/Cargo.toml", "");
        write("capable-ebpf/src/bin/ring.rs", "one");

        let first = digest();
        write("capable-ebpf/src/bin/ring.rs.orig", "an editor's");
        assert_eq!(digest(), first);
        write("capable-ebpf/src/bin/ring.rs", "two");
        let edited = digest();
        assert_ne!(edited, first);
        write("capable-common/src/new.rs", "");
        let added = digest();
        assert_ne!(added, edited);
        let old = workspace.join("capable-common/src/new.rs");
        fs::rename(old, workspace.join("capable-common/src/renamed.rs")).unwrap();
        assert_ne!(digest(), added);
        fs::remove_dir_all(&workspace).unwrap();
    }

    #[test]
    fn an_object_gives_the_digest_that_was_put_into_it() {
        let digest = "0123456789abcdef".repeat(4);
        let object = format!("\0ELF..{MARK}{digest}\n.symtab");
        assert_eq!(in_object(object.as_bytes()), Some(digest.as_str()));
        assert_eq!(in_object(b"\0ELF without one"), None);
    }
}
