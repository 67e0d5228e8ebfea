//! The tests on this machine's kernel.
//!
//! Everyone sees what a kernel does: a trace shows the checks of all test runs on this machine.
//! Tests that select what they watch by name or user wait for those of another run; everything else
//! runs in parallel.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Only;
use crate::tally::Tally;
use crate::{bench, binaries, guest, guest_root, header, packages, places, recipes};

/// The names of the tests that guests run too, and of those that compare with the newest kernel.
pub fn names() -> Result<Vec<String>> {
    let mut names = guest::test_names(guest::Scope::Anywhere);
    names.push(header::NAME.into());
    Ok(names)
}

/// Runs them.
pub fn run(only: Only<'_>) -> Result<Tally> {
    let programs = Programs::build()?;
    let mut tally = Tally::default();
    if names()?
        .iter()
        .any(|name| name != header::NAME && only.wants(name))
    {
        let _alone = alone()?;
        let mut command = programs.as_root()?;
        command.args(["guest", "host-tests"]);
        tally += Tally::of(command.args(options(only)))?;
    }
    if only.wants(header::NAME) {
        tally += header::run(&programs.path("capable"));
    }
    Ok(tally)
}

/// The names of the tests of Debian's programs.
pub fn program_names() -> Result<Vec<String>> {
    Ok(guest::program_names())
}

/// What Debian's programs need on this machine's kernel, in the same root as in guests.
pub fn programs(only: Only<'_>) -> Result<Tally> {
    let programs = Programs::build()?;
    let base = programs.path("base.cpio");
    guest_root::base(&programs.files())?.save(&base)?;
    let debian = packages::root_filesystem(&packages::DEBIAN)?;
    let mut command = programs.as_root()?;
    command.args(["guest", "programs", "--unpack"]).arg(base);
    command.arg("--unpack").arg(debian);
    Tally::of(command.args(options(only)))
}

/// The names of the recipes' tests.
pub fn recipe_names() -> Result<Vec<String>> {
    recipes::names(&recipes::manual())
}

/// The recipes of the manual.
pub fn recipes(only: Only<'_>) -> Result<Tally> {
    let programs = Programs::build()?;
    let _alone = alone()?;
    let mut command = programs.as_root()?;
    command.arg("recipes").arg(programs.path("capable"));
    Tally::of(command.args(only.0))
}

/// A trace at the highest rate for this many minutes.
pub fn soak(minutes: u64) -> Result<()> {
    let programs = Programs::build()?;
    let _alone = alone()?;
    bench::soak(programs.folder.path(), minutes)
}

/// `--only` for the tests in guests.
fn options(only: Only<'_>) -> impl Iterator<Item = &str> {
    only.0.iter().flat_map(|name| ["--only", name])
}

/// Waits until no other run of this user is watching the machine.
fn alone() -> Result<File> {
    places::lock(&places::cache("setup")?.join("host-tests.lock"))
}

/// Our programs in a place where any user may run them: a clone is often in a home directory that
/// others cannot enter. They are removed when the value is dropped.
struct Programs {
    folder: TempDir,
}

impl Programs {
    /// Builds and copies them.
    fn build() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("capable-host-tests.")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .context("cannot make a folder for the programs")?;
        for built in binaries::build()? {
            let name = built.file_name().context("a program without a name")?;
            fs::copy(&built, folder.path().join(name))
                .with_context(|| format!("cannot copy {}", built.display()))?;
        }
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self) -> [PathBuf; 2] {
        ["capable", "xtask"].map(|name| self.path(name))
    }

    fn as_root(&self) -> Result<Command> {
        binaries::as_root(self.folder.path())
    }
}
