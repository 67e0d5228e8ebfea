//! Scripts, run as root or as the user whose manager runs from boot on.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// How long a script may take in an emulated machine.
const LIMIT: Duration = Duration::from_secs(120);
/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// What a script printed.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended with 0.
    pub success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

/// Runs a script as root and returns what it printed.
///
/// # Errors
/// If it does not end with 0.
pub fn root(script: &str) -> Result<String> {
    succeeded(script, try_root(script)?)
}

/// Runs a script as root, which may fail.
///
/// # Errors
/// If it cannot be run.
pub fn try_root(script: &str) -> Result<Said> {
    run(&["bash", "-euo", "pipefail", "-c", script])
}

/// Runs a script as the user and returns what it printed. systemctl(1) in it reaches the user's
/// manager with `--user`.
///
/// # Errors
/// If it does not end with 0.
pub fn user(script: &str) -> Result<String> {
    let said = run(&[
        "runuser",
        "--user=user",
        "--",
        "env",
        "HOME=/home/user",
        "XDG_RUNTIME_DIR=/run/user/1000",
        "bash",
        "-euo",
        "pipefail",
        "-c",
        script,
    ])?;
    succeeded(script, said)
}

/// Waits until something holds.
///
/// # Errors
/// If it never does, or cannot be told.
pub fn wait_until(what: &str, holds: impl Fn() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !holds()? {
        ensure!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        sleep(PAUSE);
    }
    Ok(())
}

fn run(words: &[&str]) -> Result<Said> {
    let output = Command::new("timeout")
        .arg(LIMIT.as_secs().to_string())
        .args(words)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .context("cannot run timeout(1)")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said {
        success: output.status.success(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    })
}

fn succeeded(script: &str, said: Said) -> Result<String> {
    if !said.success {
        bail!("{script:?} failed: {}{}", said.stdout, said.stderr);
    }
    Ok(said.stdout)
}
