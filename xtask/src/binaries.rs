//! Our own programs, built to run in any guest: linked statically.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{places, process};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds `capable` and `xtask` and returns where they are.
///
/// Optimised a little: under emulation an unoptimised program is slower than it is to compile.
pub fn build() -> Result<Vec<PathBuf>> {
    let target = places::target().join("guest");
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .args(["build", "--quiet", "--locked", "--target", TARGET])
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
    let folder = target.join(TARGET).join("guest");
    Ok(vec![folder.join("capable"), folder.join("xtask")])
}

/// Builds both as they are released, for what is measured.
pub fn release() -> Result<Vec<PathBuf>> {
    let target = places::target().join("bench");
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .args(["build", "--quiet", "--locked", "--target", TARGET])
        .args(["--package", "capable", "--package", "xtask", "--bins"])
        .arg("--release")
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    process::run(&mut command)?;
    let folder = target.join(TARGET).join("release");
    Ok(vec![folder.join("capable"), folder.join("xtask")])
}
