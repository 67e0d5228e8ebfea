//! The kernels that the atlas was made from, by their packages.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::atlas::folder;
use super::kernels::Version;
use super::source::Source;

/// The prefix of a source package's name, before the kernel's version.
const NAME: &str = "linux-source-";

fn path() -> PathBuf {
    folder().join("kernels.lock")
}

/// The rows: the kernel's name in the table, its package, and the package's version.
fn rows() -> Result<Vec<(String, String, String)>> {
    let path = path();
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let rows = text.lines().map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        match (words.next(), words.next(), words.next()) {
            (Some(name), Some(package), Some(version)) => Ok((name, package, version)),
            _ => bail!(
                "{}: {line:?} is no kernel, package and version",
                path.display()
            ),
        }
    });
    rows.collect()
}

/// The versions of the kernels, in order.
pub fn versions() -> Result<Vec<Version>> {
    let rows = rows()?;
    let versions = rows
        .iter()
        .map(|(_, package, _)| package.trim_start_matches(NAME));
    versions.map(Version::parse).collect()
}

/// Records these sources.
pub fn write(sources: &[Source]) -> Result<()> {
    let path = path();
    let lines = sources
        .iter()
        .map(|source| format!("{} {}\n", source.name, source.package));
    let text: String = lines.collect();
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Fails if the atlas was made from other kernels. An update of one is only reported, because what
/// it changed is found by reading it.
pub fn check(sources: &[Source]) -> Result<()> {
    for source in sources {
        let (package, version) = source.package.split_once(' ').unwrap_or_default();
        check_offered(source.name, package)?;
        for (name, _, locked) in rows()? {
            if name == source.name && locked != version {
                eprintln!("note: {package} {version} is read; kernels.lock has {locked}");
            }
        }
    }
    Ok(())
}

/// Fails if a kernel in the table comes from another package than the one the atlas was made from.
pub fn check_offered(name: &str, package: &str) -> Result<()> {
    let rows = rows()?;
    let row = rows.iter().find(|(row, ..)| row == name);
    let (_, locked, _) = row.with_context(|| format!("kernels.lock has no row {name}"))?;
    ensure!(
        locked == package,
        "the kernel {name} is {package}, and the atlas is of {locked}: \
         cargo xtask sites --fetch --write, then read what is new"
    );
    Ok(())
}

/// The message about a release (`7.3.4+deb13-cloud-amd64`) newer than all kernels of the atlas.
pub fn newer(release: &str) -> Result<Option<String>> {
    let parts: Vec<_> = release
        .split(|c: char| !c.is_ascii_digit())
        .take(2)
        .collect();
    let version = Version::parse(&parts.join("."))?;
    let last = versions()?.into_iter().max();
    let last = last.context("kernels.lock is empty")?;
    Ok((version > last).then(|| {
        format!(
            "the kernel {release} is newer than {last}, the last that the atlas is of: \
             cargo xtask sites --fetch --write, then read what is new"
        )
    }))
}
