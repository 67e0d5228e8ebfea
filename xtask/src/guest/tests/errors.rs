//! What users are told if it cannot work.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use crate::guest::hooks::{HOOKS, must_work};
use crate::guest::identity::{USER, become_user};

fn capable(arguments: &[&str]) -> Command {
    let mut command = Command::new("capable");
    command
        .args(arguments)
        .stdin(Stdio::null())
        .current_dir("/");
    command
}

/// Runs it and checks what all errors have in common.
fn fails(command: &mut Command, code: i32) -> Result<String> {
    let output: Output = command.output().context("cannot start capable")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.code() == Some(code),
        "exit {} in place of {code}: {said}",
        output.status
    );
    ensure!(output.stdout.is_empty(), "an error on stdout");
    for word in [
        "panicked",
        "RUST_BACKTRACE",
        "processed ",
        "invalid mem access",
    ] {
        ensure!(!said.contains(word), "not for a user: {said}");
    }
    ensure!(said.contains("error:"), "no error: {said}");
    Ok(said)
}

/// An ordinary user learns which capabilities are missing, or that root has them.
pub fn unprivileged(_: &Bench) -> Result<()> {
    let mut command = capable(&[]);
    // SAFETY: the closure makes system calls only.
    unsafe { command.pre_exec(|| become_user(USER)) };
    let said = fails(&mut command, 1)?;
    ensure!(
        said.contains("CAP_BPF") || said.contains("root") || said.contains("sudo"),
        "no way out: {said}"
    );
    Ok(())
}

/// A pid that does not exist is a failure as in inspect, reported before anything is loaded.
pub fn no_such_pid(_: &Bench) -> Result<()> {
    // Above every pid: pid_max is at most 4 Mi (include/linux/threads.h, PID_MAX_LIMIT).
    let said = fails(&mut capable(&["-p", "5000000"]), 1)?;
    ensure!(said.contains("5000000"), "the pid is not named: {said}");
    Ok(())
}

/// The message names the hooks there are.
pub fn no_such_hook(_: &Bench) -> Result<()> {
    let said = fails(&mut capable(&["--hook", "nonsense"]), 2)?;
    for hook in HOOKS {
        ensure!(said.contains(hook), "{hook} is not offered: {said}");
    }
    Ok(())
}

/// If the requested hook does not exist, it is not silently replaced.
pub fn hooks_not_here(bench: &Bench) -> Result<()> {
    for hook in HOOKS
        .into_iter()
        .filter(|hook| !must_work(hook, bench.machine.kernel))
    {
        let said = fails(&mut capable(&["--hook", hook]), 1)?;
        ensure!(said.contains(hook), "{hook} is not named: {said}");
    }
    io::Write::flush(&mut io::stdout())?;
    Ok(())
}
