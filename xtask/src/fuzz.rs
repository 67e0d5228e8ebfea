//! `cargo xtask fuzz`: parsers of what other users control, with cargo-fuzz.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::{places, process};

/// The version of cargo-fuzz that is installed.
const VERSION: &str = "0.13.2";
/// The longest input, in bytes; how long one may take, in seconds; and the most memory that the
/// process may take, in megabytes, of which libFuzzer itself needs about 60 and the corpus the rest.
const LIMITS: [&str; 3] = ["-max_len=16384", "-timeout=5", "-rss_limit_mb=256"];

/// What is fuzzed, and for how long.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The targets; all, one after the other, if none is given
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,

    /// How many seconds each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// Runs the targets. What they find is kept in the cache, not in `fuzz/corpus`.
///
/// # Errors
///
/// cargo-fuzz cannot be installed, a target does not exist, or one of them failed.
pub fn run(args: &Options) -> Result<ExitCode> {
    let all = targets()?;
    if let Some(unknown) = args.targets.iter().find(|target| !all.contains(target)) {
        bail!(
            "there is no target {unknown}: the targets are {}",
            all.join(", ")
        );
    }
    let tool = installed()?;
    let chosen = if args.targets.is_empty() {
        &all
    } else {
        &args.targets
    };
    for target in chosen {
        let found = places::cache("fuzz")?.join(target);
        places::create(&found)?;
        // Coverage is an unstable flag of the compiler; sanitizers would find nothing in safe code.
        process::run(
            Command::new(&tool)
                .args(["run", "--sanitizer", "none", target])
                .arg(&found)
                .arg(format!("fuzz/corpus/{target}"))
                .arg("--")
                .args(LIMITS)
                .arg(format!("-max_total_time={}", args.seconds))
                .current_dir(places::workspace().join("capable"))
                .env("RUSTC_BOOTSTRAP", "1"),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The names of the targets.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(places::workspace().join("capable/fuzz/targets"))? {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .and_then(|stem| stem.to_str())
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// cargo-fuzz, which is installed if it is not there.
fn installed() -> Result<PathBuf> {
    let folder = places::cache("cargo-fuzz")?.join(VERSION);
    let tool = folder.join("bin/cargo-fuzz");
    if !tool.exists() {
        process::run(
            Command::new("cargo")
                .args([
                    "install",
                    "cargo-fuzz",
                    "--locked",
                    "--version",
                    VERSION,
                    "--root",
                ])
                .arg(&folder),
        )?;
    }
    Ok(tool)
}
