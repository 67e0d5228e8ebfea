//! Without root: what CAP_BPF and CAP_PERFMON are enough for, and what CAP_SYSLOG adds.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::{fs, ptr};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Bench;
use super::act::{Actor, check_setuid};
use super::conditions::{Setting, hold_only, traces};
use crate::guest::capabilities::{BPF, PERFMON, SYSLOG};
use crate::guest::folder;
use crate::guest::identity::{USER, become_user};
use crate::guest::syscall::{Argument, call};
use crate::guest::tracer::{Finished, Prepare, Tracer};

/// What tracing needs.
const TWO: u64 = 1 << BPF.number | 1 << PERFMON.number;

/// What it needs to name kernel functions too.
const THREE: u64 = TWO | 1 << SYSLOG.number;

/// It traces, even where the kernel reserves perf events for root.
pub fn two_capabilities(_: &Bench) -> Result<()> {
    let _setting = Setting::change("kernel/perf_event_paranoid", "3")?;
    traces(hold_two, &[])?;
    Ok(())
}

/// As `doctor` advises, the limit on locked memory is lifted first: kernels before 5.11 charge BPF
/// memory to it.
fn lift_limit() {
    let limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // A host may hold no CAP_SYS_RESOURCE, and its kernel needs none.
    let _ = call!(SYS_setrlimit, libc::RLIMIT_MEMLOCK, Argument::read(&limit));
}

fn hold_two() -> io::Result<()> {
    lift_limit();
    hold_only(USER, TWO)
}

fn hold_three() -> io::Result<()> {
    lift_limit();
    hold_only(USER, THREE)
}

/// A check for more memory, which is never audited, must not pass for an audited one where nothing
/// tells them apart: by the tracepoint, only the names of kernel functions do, and these take
/// CAP_SYSLOG.
pub fn undecided(bench: &Bench) -> Result<()> {
    // With 3, the kernels of Debian let only CAP_SYS_ADMIN attach kprobes.
    let _setting = Setting::change("kernel/perf_event_paranoid", "2")?;
    for way in bench.hooks() {
        let told = way.hook != "tracepoint";
        println!("  {}: the audit flag is told: {told}", way.hook);
        audited(way.hook, hold_two, told)?;
        audited(way.hook, hold_three, true)?;
        let (rows, said) = asked(&["--hook", way.hook, "-v"], hold_two)?;
        for (capability, audit) in [("CAP_SYS_ADMIN", false), ("CAP_SETUID", true)] {
            let audit = if told { audit.into() } else { Value::Null };
            let mut rows = rows.iter().filter(|row| row["capability"] == capability);
            ensure!(
                rows.any(|row| row["audit"] == audit),
                "no row of {capability} with audit {audit}: {said}"
            );
        }
    }
    Ok(())
}

/// What is shown where audited checks are asked for.
fn audited(hook: &str, prepare: fn() -> io::Result<()>, told: bool) -> Result<()> {
    let (rows, said) = asked(&["--hook", hook], prepare)?;
    for row in &rows {
        ensure!(row["audit"] == true, "not known to be audited: {row}");
    }
    ensure!(
        rows.iter().any(|row| row["capability"] == "CAP_SETUID") == told,
        "the audited check: {rows:?}"
    );
    let left_out = said.contains("left out ") && said.contains("-v shows them; CAP_SYSLOG");
    ensure!(left_out != told, "what is left out: {said}");
    Ok(())
}

/// The rows of two checks, one of each kind, and what is said. A kernel that can be preempted skips
/// programs that run already, and says so: then once more.
fn asked(options: &[&str], prepare: fn() -> io::Result<()>) -> Result<(Vec<Value>, String)> {
    const TIMES: usize = 8;
    for _ in 1..TIMES {
        let seen = asked_once(options, prepare);
        if seen.is_ok() {
            return seen;
        }
    }
    asked_once(options, prepare)
}

fn asked_once(options: &[&str], prepare: fn() -> io::Result<()>) -> Result<(Vec<Value>, String)> {
    let actor = Actor::prepare(b"asks", || ask_for_memory() && check_setuid())?;
    let arguments = [&["-o", "json", "-c", "asks"], options].concat();
    let tracer = Tracer::start_after(&arguments, Prepare::Child(prepare))?;
    actor.run()?;
    rows_of(&tracer.stop(libc::SIGINT)?)
}

fn rows_of(finished: &Finished) -> Result<(Vec<Value>, String)> {
    let (rows, summary) = finished.parse()?;
    ensure!(summary.lost == 0, "lost: {summary:?}");
    Ok((rows, finished.stderr.clone()))
}

/// `cap_vm_enough_memory` asks for CAP_SYS_ADMIN without audit (security/commoncap.c).
fn ask_for_memory() -> bool {
    const LENGTH: usize = 1 << 20;
    // SAFETY: a new mapping, which nothing else uses.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            LENGTH,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    // SAFETY: what was mapped above.
    start != libc::MAP_FAILED && unsafe { libc::munmap(start, LENGTH) } == 0
}

/// A copy of the program that gives whoever executes it what tracing needs.
pub fn file_capabilities(_: &Bench) -> Result<()> {
    let copy = folder::file("capable-with-capabilities");
    let program = Command::new("sh")
        .args(["-c", "command -v capable"])
        .output()?;
    fs::copy(String::from_utf8(program.stdout)?.trim(), &copy)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    let path = copy.to_str().context("not UTF-8")?;
    for (capabilities, caller) in [
        ("cap_bpf,cap_perfmon+ep", false),
        ("cap_bpf,cap_perfmon,cap_syslog+ep", true),
    ] {
        let set = Command::new("setcap").args([capabilities, path]).status()?;
        ensure!(set.success(), "setcap ended with {set}");
        let actor = Actor::prepare(b"asks", check_setuid)?;
        let tracer = Tracer::start_program(
            path,
            &["-v", "-o", "json", "-c", "asks"],
            Prepare::Child(|| {
                lift_limit();
                become_user(USER)
            }),
        )?;
        actor.run()?;
        let (rows, said) = rows_of(&tracer.stop(libc::SIGINT)?)?;
        let mut rows = rows.iter().filter(|row| row["capability"] == "CAP_SETUID");
        let row = rows.next().with_context(|| format!("no row: {said}"))?;
        ensure!(
            row["caller"].is_null() != caller && said.contains("CAP_SYSLOG") != caller,
            "with {capabilities}: {row}; {said}"
        );
    }
    Ok(())
}
