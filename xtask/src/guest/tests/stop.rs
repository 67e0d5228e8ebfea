//! How a trace ends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::folder;
use crate::guest::tracer::{Summary, Tracer};

/// The longest that a user who presses Ctrl-C should wait. Emulated machines are slow.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Ctrl-C.
pub fn on_sigint(bench: &Bench) -> Result<()> {
    on_signal(bench, libc::SIGINT)
}

/// The signal that a service manager sends.
pub fn on_sigterm(bench: &Bench) -> Result<()> {
    on_signal(bench, libc::SIGTERM)
}

fn on_signal(bench: &Bench, signal: i32) -> Result<()> {
    for way in &bench.ways {
        let actor = Actor::prepare(b"last", check_setuid)?;
        let pid = actor.pid().to_string();
        let tracer = Tracer::start(&[&["-p", &pid][..], &way.options()].concat())?;
        actor.run()?;
        // Immediately: checks made before the signal must still be printed.
        let finished = tracer.stop(signal)?;
        let name = format!("{} {}", way.hook, way.transport);
        ensure!(
            finished.status.success(),
            "{name}: it ended with {} (signal {:?})",
            finished.status,
            finished.signal()
        );
        ensure!(
            finished.took < AT_ONCE,
            "{name}: it took {:?} to end",
            finished.took
        );
        ensure!(
            finished.stdout.contains("SETUID"),
            "{name}: the check before the signal was not printed: {:?}",
            finished.stdout
        );
        let summary = Summary::find(&finished.stderr)
            .with_context(|| format!("{name}: no summary: {:?}", finished.stderr))?;
        ensure!(
            summary.shown == 1 && summary.lost == 0,
            "{name}: one check was shown, and the summary says {summary:?}"
        );
    }
    Ok(())
}

/// `capable | head -5`
pub fn broken_pipe(_: &Bench) -> Result<()> {
    let (said, code) = (folder::file("pipe"), folder::file("code"));
    let start = Instant::now();
    let mut shell = Command::new("sh")
        .arg("-c")
        .arg("{ capable 2>\"$0\"; echo $? >\"$1\"; } | head -5")
        .args([&said, &code])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start a shell")?;
    while shell.try_wait()?.is_none() {
        ensure!(
            start.elapsed() < Duration::from_secs(60),
            "it does not end when its reader is gone"
        );
        Actor::prepare(b"noise", || (0..20).all(|_| check_setuid()))?.run()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    let lines = std::io::read_to_string(shell.stdout.take().context("no pipe")?)?;
    ensure!(lines.lines().count() == 5, "not five lines: {lines:?}");
    let said = std::fs::read_to_string(said)?;
    let code = std::fs::read_to_string(code)?;
    ensure!(
        code.trim() == "0",
        "the exit code is {}: {said:?}",
        code.trim()
    );
    for word in ["panic", "rror", "roken pipe"] {
        ensure!(!said.contains(word), "it complains: {said:?}");
    }
    Ok(())
}
