//! A process that gets the number of one that ended.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::fork::{Child, sleep_forever};
use crate::guest::syscall::call;
use crate::guest::tracer::Tracer;

/// More than a tick of the starts in `/proc`: numbers do not come back sooner.
const TICK: Duration = Duration::from_millis(20);

/// The name of both processes.
const NAME: &str = "recycled";

/// Lets a process make its check and end, and then another one with its number.
fn reuse(first: Actor) -> Result<()> {
    let pid = first.pid();
    first.run()?;
    sleep(TICK);
    let second = Child::start_as(pid, || {
        let named = call!(SYS_prctl, libc::PR_SET_NAME, c"recycled").is_ok();
        i32::from(!(named && check_setuid()))
    });
    let second = second.with_context(|| format!("cannot make another process {pid}"))?;
    ensure!(second.wait()? == 0, "the second {pid} made no check");
    Ok(())
}

fn prepare() -> Result<Actor> {
    Actor::prepare(NAME.as_bytes(), check_setuid)
}

/// `-p` with one process and with several, with descendants, and `--tid`.
pub fn filtered(_: &Bench) -> Result<()> {
    let other = Child::start(sleep_forever)?;
    let other = other.pid().to_string();
    for (option, more) in [
        ("--tid", &[][..]),
        ("-p", &["-p", &other]),
        ("-p", &["--children"]),
        ("-p", &[]),
    ] {
        let first = prepare()?;
        let pid = first.pid().to_string();
        let mut arguments = vec!["-o", "json", option, &pid];
        arguments.extend(more);
        let tracer = Tracer::start(&arguments)?;
        // Otherwise it might have ended before there is a second one.
        signal(&tracer, libc::SIGSTOP)?;
        let reused = reuse(first);
        signal(&tracer, libc::SIGCONT)?;
        reused?;
        let alone = option == "-p" && more.is_empty();
        let finished = match alone {
            true => tracer.wait()?,
            false => tracer.stop(libc::SIGINT)?,
        };
        let (rows, _) = finished.rows()?;
        ensure!(
            rows.len() == 1,
            "{arguments:?}: {} rows of two processes: {rows:?}",
            rows.len()
        );
        ensure!(
            !alone
                || finished
                    .stderr
                    .contains(&format!("process {pid} has ended")),
            "{arguments:?}: it does not say that the process has ended: {}",
            finished.stderr
        );
    }
    Ok(())
}

/// `--unique` by process, and the table of `--summary`.
pub fn told_apart(_: &Bench) -> Result<()> {
    for option in ["--unique=process", "--summary"] {
        let first = prepare()?;
        let pid = first.pid().unsigned_abs();
        let tracer = Tracer::start(&["-o", "json", "-c", NAME, "-C", "setuid", option])?;
        reuse(first)?;
        let finished = tracer.stop(libc::SIGINT)?;
        let (rows, _) = finished.rows()?;
        ensure!(
            rows.len() == 2 && rows.iter().all(|row| row.pid == pid),
            "{option}: {} rows of two processes: {rows:?}",
            rows.len()
        );
        let process = format!(r#"{{"pid":{pid},"#);
        let counted = finished.stdout.lines().last().unwrap_or_default();
        let counted = counted.matches(&process);
        ensure!(
            option != "--summary" || counted.count() == 2,
            "two processes are counted as one: {}",
            finished.stdout
        );
    }
    Ok(())
}

fn signal(tracer: &Tracer, signal: i32) -> Result<()> {
    call!(SYS_kill, tracer.pid(), signal)
        .map_err(io::Error::from_raw_os_error)
        .context("capable ended early")?;
    Ok(())
}
