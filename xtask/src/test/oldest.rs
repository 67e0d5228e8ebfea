//! The oldest Rust that the manifests promise.
//!
//! Clippy makes sure that our own code uses nothing newer (`incompatible_msrv`). This checks what
//! clippy can't see: the dependencies, and a build with that Rust if it is installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Only;
use crate::tally::Tally;
use crate::{arch, places, process};

const DEPENDENCIES: &str = "no_dependency_needs_a_newer_rust_than_promised";
const BUILD: &str = "the_oldest_rust_builds_the_packages";

/// What the manifests of the workspace promise.
const PROMISED: &str = env!("CARGO_PKG_RUST_VERSION");

/// The names of the tests.
pub fn names() -> Result<Vec<String>> {
    Ok([DEPENDENCIES, BUILD].map(str::to_owned).to_vec())
}

/// Runs them.
pub fn run(only: Only<'_>) -> Result<Tally> {
    let mut tally = Tally::default();
    if only.wants(DEPENDENCIES) {
        tally.record(DEPENDENCIES, dependencies());
    }
    if only.wants(BUILD) {
        match compiler() {
            Some(rustc) => tally.record(BUILD, build(rustc)),
            None => println!("not here: {BUILD}: rustup has no Rust {PROMISED}"),
        }
    }
    Ok(tally)
}

fn dependencies() -> Result<()> {
    let text = process::output(
        Command::new("cargo")
            .current_dir(places::workspace())
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(["--filter-platform", arch::THIS.target]),
    )?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let newer: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let needed = package["rust_version"].as_str()?;
            let is_newer = numbers(needed) > numbers(PROMISED);
            is_newer.then(|| format!("{} needs Rust {needed}", package["name"]))
        })
        .collect();
    ensure!(
        newer.is_empty(),
        "the promise is Rust {PROMISED}: {}",
        newer.join(", ")
    );
    Ok(())
}

/// The numbers in a version; the third is 0 if it is missing.
fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = [0; 3];
    for (number, text) in numbers.iter_mut().zip(version.split('.')) {
        *number = text.parse().unwrap_or(0);
    }
    numbers
}

/// The compiler in rustup's toolchain of that version.
fn compiler() -> Option<PathBuf> {
    let toolchains = process::output(Command::new("rustup").args(["toolchain", "list"])).ok()?;
    let toolchain = toolchains
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .find(|name| {
            let rest = name.strip_prefix(PROMISED);
            rest.is_some_and(|rest| rest.starts_with(['.', '-']))
        })?;
    let which = ["which", "--toolchain", toolchain, "rustc"];
    let path = process::output(Command::new("rustup").args(which)).ok()?;
    Some(PathBuf::from(path.trim()))
}

fn build(rustc: PathBuf) -> Result<()> {
    process::run(
        Command::new("cargo")
            .current_dir(places::workspace())
            .args(["check", "--quiet", "--locked", "--all-targets"])
            .args(["--package", "capable", "--package", "capable-common"])
            .arg("--target-dir")
            .arg(places::target().join("oldest"))
            .env("RUSTC", rustc),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(numbers("1.100") > numbers("1.88"));
        assert!(numbers("1.88.0") == numbers("1.88"));
        assert!(numbers("1.88.1") > numbers("1.88"));
    }
}
