//! The tests that cargo runs.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

use anyhow::Result;

use super::Only;
use crate::tally::Tally;
use crate::{SPECIALISE, arch, consumers, places, process};

/// The tests that need no privilege.
pub fn unit(only: Only<'_>) -> Result<Tally> {
    Tally::of(workspace().arg("--").args(only.0))
}

/// The tests of `capable` that trace on this machine, or need root to prepare something.
pub fn live(only: Only<'_>) -> Result<Tally> {
    // A test runs them, and cargo builds programs only for tests.
    process::run(
        Command::new("cargo")
            .current_dir(places::workspace())
            .args(["build", "--quiet", "--package", "capable", "--examples"]),
    )?;
    let mut command = capable();
    if !places::is_root() {
        let kept = [consumers::VARIABLE, SPECIALISE].join(",");
        let sudo = format!("sudo --preserve-env={kept}");
        command.env(arch::THIS.runner_variable(), sudo);
    }
    command.env(consumers::VARIABLE, consumers::folder()?);
    Tally::of(command.args(["--", "--ignored"]).args(only.0))
}

/// The names of the tests that need no privilege.
pub fn unit_names() -> Result<Vec<String>> {
    let ignored = listed(workspace().args(["--", "--list", "--ignored"]))?;
    let ignored: BTreeSet<String> = ignored.into_iter().collect();
    let all = listed(workspace().args(["--", "--list"]))?;
    Ok(all
        .into_iter()
        .filter(|name| !ignored.contains(name))
        .collect())
}

/// The names of the tests that trace.
pub fn live_names() -> Result<Vec<String>> {
    listed(capable().args(["--", "--list", "--ignored"]))
}

/// All packages except the kernel side, which cannot be linked for the host.
fn workspace() -> Command {
    let mut command = tests();
    command.args(["--workspace", "--exclude", "capable-ebpf"]);
    command
}

fn capable() -> Command {
    let mut command = tests();
    command.args(["--package", "capable", "--tests"]);
    command
}

fn tests() -> Command {
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .args(["test", "--quiet", "--no-fail-fast"]);
    if env::var_os(SPECIALISE).is_none() {
        command.env(SPECIALISE, "yes");
    }
    command
}

/// The tests in what `--list` prints, a line each: `NAME: test`.
fn listed(command: &mut Command) -> Result<Vec<String>> {
    let text = process::output(command)?;
    Ok(text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect())
}
