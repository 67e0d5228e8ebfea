//! Our own programs, built to run in any guest: linked statically.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::arch::THIS;
use crate::{places, process};

/// Builds `capable` and `xtask` and returns where they are.
///
/// Slightly optimised: under emulation, an unoptimised program loses more time than its faster
/// build saves.
pub fn build() -> Result<Vec<PathBuf>> {
    let target = places::target().join("guest");
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .args(["build", "--quiet", "--locked", "--target", THIS.target])
        .args(["--package", "capable", "--package", "xtask", "--bins"])
        .args(["--profile", "guest"])
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    for setting in [
        "inherits='release'",
        "opt-level=1",
        "lto=false",
        "codegen-units=16",
        "incremental=true",
        "strip='debuginfo'",
    ] {
        command
            .arg("--config")
            .arg(format!("profile.guest.{setting}"));
    }
    process::run(&mut command)?;
    let folder = target.join(THIS.target).join("guest");
    Ok(vec![folder.join("capable"), folder.join("xtask")])
}

/// Builds both as for a release, for benchmarks.
pub fn release() -> Result<Vec<PathBuf>> {
    let target = places::target().join("bench");
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .args(["build", "--quiet", "--locked", "--target", THIS.target])
        .args(["--package", "capable", "--package", "xtask", "--bins"])
        .arg("--release")
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    process::run(&mut command)?;
    let folder = target.join(THIS.target).join("release");
    Ok(vec![folder.join("capable"), folder.join("xtask")])
}

/// The xtask program in a directory, run as root (through sudo if we are not root), with the
/// directory first in the `PATH`.
pub fn as_root(folder: &Path) -> Result<Command> {
    let mut path = vec![folder.to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let specialise = format!("{}=yes", crate::SPECIALISE);
    let mut assignment = OsString::from("PATH=");
    assignment.push(env::join_paths(path)?);
    let mut command = match places::on_path("sudo") {
        Some(sudo) if !places::is_root() => {
            let mut command = Command::new(sudo);
            // sudo sets its own PATH, so env sets ours again.
            command.args(["--", "env"]);
            command
        }
        _ => Command::new("env"),
    };
    command
        .arg(specialise)
        .arg(assignment)
        .arg(folder.join("xtask"));
    Ok(command)
}
