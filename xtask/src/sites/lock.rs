//! The kernels that the atlas is of, by their packages.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::atlas::folder;
use super::source::Source;

fn path() -> PathBuf {
    folder().join("kernels.lock")
}

fn text(sources: &[Source]) -> String {
    let lines = sources
        .iter()
        .map(|source| format!("{} {}\n", source.name, source.package));
    lines.collect()
}

/// Notes these sources.
pub fn write(sources: &[Source]) -> Result<()> {
    let path = path();
    fs::write(&path, text(sources)).with_context(|| format!("cannot write {}", path.display()))
}

/// Fails where the atlas is of other sources.
pub fn check(sources: &[Source]) -> Result<()> {
    let path = path();
    let locked =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let here = text(sources);
    if locked != here {
        bail!("the atlas is of\n{locked}and these are\n{here}");
    }
    Ok(())
}
