//! The atlas as `capable` reads it: these are the same source files.
//!
//! `xtask` cannot depend on the crate: it builds the objects without which that does not compile.

#[path = "../../capable/src/atlas/effect.rs"]
#[expect(dead_code, reason = "the program asks for more than its tests do")]
mod effect;
#[path = "../../capable/src/atlas/kernels.rs"]
pub mod kernels;
#[path = "../../capable/src/atlas/line.rs"]
pub mod line;
#[path = "../../capable/src/atlas/lookup.rs"]
mod lookup;
#[path = "../../capable/src/atlas/stacks.rs"]
mod stacks;

pub use effect::Verb;
pub use lookup::Lookup;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The suffix of its files.
pub const EXTENSION: &str = "sites";

/// All files of the atlas in this folder.
pub fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == EXTENSION) {
                files.insert(path);
            }
        }
    }
    Ok(files)
}

/// The atlas in this folder, to be searched.
pub fn load(folder: &Path) -> Result<Lookup> {
    let mut lines = Vec::new();
    for path in files(folder)? {
        let text = fs::read_to_string(&path)?;
        lines.extend(line::all(&text).with_context(|| path.display().to_string())?);
    }
    Ok(Lookup::new(
        lines,
        include_str!("../../capable/atlas/stacks"),
    ))
}
