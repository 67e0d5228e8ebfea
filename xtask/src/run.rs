//! `cargo xtask run`: builds `capable` and replaces itself with it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{places, process};

/// Options of `cargo xtask run`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to pass on to capable
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTIONS"
    )]
    arguments: Vec<OsString>,
}

/// Runs the subcommand: signals and the exit code are those of the program.
pub fn run(options: &Options) -> Result<ExitCode> {
    process::run(
        Command::new("cargo")
            .current_dir(places::workspace())
            .args(["build", "--release", "--package", "capable"]),
    )?;
    let program = places::target().join("release/capable");
    let mut command = match places::on_path("sudo") {
        Some(sudo) if !places::is_root() => {
            let mut command = Command::new(sudo);
            command
                .arg("--preserve-env=RUST_LOG,RUST_BACKTRACE,NO_COLOR,TZ")
                .arg("--")
                .arg(&program);
            command
        }
        _ => Command::new(&program),
    };
    let error = command.args(&options.arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", process::line(&command)))
}
