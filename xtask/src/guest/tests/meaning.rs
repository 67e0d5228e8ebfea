//! Whose credentials, over which namespace, and from which function: as real programs show it.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Bench;
use super::act::{Actor, check_setuid};
use super::cast::set_name;
use crate::guest::fork::{Child, sleep_forever};
use crate::guest::identity::{Identity, OTHER, USER, become_user};
use crate::guest::runner;
use crate::guest::scene::in_virtual_machine;
use crate::guest::syscall::call;
use crate::guest::tracer::Tracer;
use crate::guest::triggers;

/// The rows of one trigger of the scenario.
fn rows_of(bench: &Bench, name: &str, identity: Identity) -> Result<Vec<Value>> {
    let trigger = triggers::all()
        .find(|trigger| trigger.name == name)
        .with_context(|| format!("no trigger {name}"))?;
    let tracer = Tracer::start(&["-c", name, "-o", "json"])?;
    let run = runner::run(trigger, identity, &bench.scene, bench.kernel)?;
    let (mut rows, _) = tracer.stop(libc::SIGINT)?.parse::<Value>()?;
    ensure!(run.skipped.is_none(), "{name}: {:?}", run.skipped);
    rows.retain(|row| row["pid"] == run.pid);
    Ok(rows)
}

/// That some row has all these values.
fn some(rows: &[Value], values: &[(&str, Value)]) -> Result<()> {
    let fits = |row: &&Value| {
        values
            .iter()
            .all(|(pointer, value)| row.pointer(pointer) == Some(value))
    };
    ensure!(
        rows.iter().any(|row| fits(&row)),
        "no row with {values:?} in {rows:?}"
    );
    Ok(())
}

/// An unprivileged user as root of a namespace of its own.
pub fn own_namespace(bench: &Bench) -> Result<()> {
    let rows = rows_of(bench, "mount-own", Identity::Userns)?;
    some(
        &rows,
        &[
            ("/uid", USER.into()),
            ("/capability", "CAP_SYS_ADMIN".into()),
            ("/result", "granted".into()),
            ("/granted_by", "capability".into()),
            ("/target_namespace/initial", false.into()),
            ("/target_namespace/relation", "own".into()),
            ("/credentials/owner", "own".into()),
        ],
    )?;
    let rows = rows_of(bench, "setns-owned", Identity::User)?;
    some(
        &rows,
        &[
            ("/uid", USER.into()),
            ("/capability", "CAP_SYS_ADMIN".into()),
            ("/result", "granted".into()),
            ("/granted_by", "ownership".into()),
            ("/target_namespace/initial", false.into()),
            ("/target_namespace/relation", "below".into()),
            ("/credentials/effective", "0x0000000000000000".into()),
        ],
    )
}

/// access(2) of a set-user-ID program, and an overlay that copies a file up.
pub fn overridden(bench: &Bench) -> Result<()> {
    let rows = rows_of(bench, "access", Identity::Root)?;
    some(
        &rows,
        &[
            ("/capability", "CAP_DAC_READ_SEARCH".into()),
            ("/result", "denied".into()),
            ("/credentials/owner", "overridden".into()),
            ("/credentials/euid", 0.into()),
            ("/credentials/effective", "0x0000000000000000".into()),
        ],
    )?;
    if in_virtual_machine() {
        let rows = rows_of(bench, "copy-up", Identity::User)?;
        // The mounter's, which is root.
        some(
            &rows,
            &[
                ("/uid", USER.into()),
                ("/capability", "CAP_SYS_ADMIN".into()),
                ("/result", "granted".into()),
                ("/credentials/owner", "overridden".into()),
                ("/credentials/euid", 0.into()),
            ],
        )?;
    }
    Ok(())
}

/// Root opens the map of a user's namespace, and another user writes to it.
pub fn opened_by_another(_: &Bench) -> Result<()> {
    let (mut reader, mut writer) = io::pipe()?;
    let namespace = Child::start(|| {
        let entered = become_user(USER).is_ok()
            && call!(SYS_unshare, libc::CLONE_NEWUSER).is_ok()
            && writer.write_all(&[1]).is_ok();
        if entered { sleep_forever() } else { 1 }
    })?;
    drop(writer);
    reader
        .read_exact(&mut [0])
        .context("no user namespace could be made")?;
    let map = OpenOptions::new()
        .write(true)
        .open(format!("/proc/{}/uid_map", namespace.pid()))?;
    let tracer = Tracer::start(&["-c", "map-writer", "-o", "json"])?;
    let child = Child::start(|| {
        let ready = become_user(OTHER).is_ok();
        set_name("map-writer");
        // One write: the kernel takes no second.
        let refused = (&map).write(b"0 1000 1\n").is_err();
        set_name("done");
        i32::from(!(ready && refused))
    })?;
    ensure!(child.wait()? == 0, "another user could write the map");
    let (rows, _) = tracer.stop(libc::SIGINT)?.parse::<Value>()?;
    some(
        &rows,
        &[
            ("/uid", OTHER.into()),
            ("/capability", "CAP_SYS_ADMIN".into()),
            ("/result", "granted".into()),
            ("/credentials/owner", "foreign".into()),
            ("/credentials/euid", 0.into()),
            ("/target_namespace/initial", false.into()),
        ],
    )?;
    // Both the opener and the writer must have it, and the writer has not.
    some(
        &rows,
        &[
            ("/uid", OTHER.into()),
            ("/capability", "CAP_SETUID".into()),
            ("/result", "denied".into()),
            ("/credentials/owner", "own".into()),
            ("/credentials/euid", OTHER.into()),
        ],
    )
}

/// `-U`: this program has symbols, Debian's C library exports them, busybox has none.
pub fn user_stacks(_: &Bench) -> Result<()> {
    let (mut release, wait) = io::pipe().map(|(reader, writer)| (writer, reader))?;
    let actor = Actor::prepare(b"stacked", || {
        // It lives until its symbols are read.
        check_setuid() && (&wait).read(&mut [0]).is_ok()
    })?;
    let tracer = Tracer::start(&["-U", "-c", "stacked", "-o", "json", "-n", "1"])?;
    let pid = actor.pid();
    let running = actor.start();
    let finished = tracer.wait();
    release.write_all(&[0])?;
    running.wait()?;
    let (rows, _) = finished?.parse::<Value>()?;
    let frame = innermost(&rows, "CAP_SETUID")?;
    ensure!(
        frame["function"] == "syscall",
        "process {pid}: the function that made the syscall is not syscall: {rows:?}"
    );

    let frame = shell_frame("busybox", &["sh"])?;
    ensure!(
        frame["function"].is_null() && ends(&frame, "busybox") && frame["address"].is_string(),
        "a program without symbols: {frame}"
    );
    if Path::new("/usr/bin/dash").exists() {
        let frame = shell_frame("dash", &[])?;
        let function = frame["function"].as_str().unwrap_or_default();
        ensure!(
            function.contains("rlimit") && ends(&frame, "libc.so.6"),
            "a program with a shared library: {frame}"
        );
    }
    Ok(())
}

/// The innermost frame of a shell that raises a limit of its own and then waits.
fn shell_frame(program: &str, arguments: &[&str]) -> Result<Value> {
    let tracer = Tracer::start(&[
        "-U",
        "-c",
        program,
        "-C",
        "sys_resource",
        "-n",
        "1",
        "-o",
        "json",
    ])?;
    let mut shell = Command::new(program)
        .args(arguments)
        .args(["-c", "ulimit -S -c 0; ulimit -H -l unlimited; read line"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let finished = tracer.wait();
    drop(shell.stdin.take());
    let start = Instant::now();
    while shell.try_wait()?.is_none() {
        ensure!(
            start.elapsed() < Duration::from_secs(30),
            "{program} does not end"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let (rows, _) = finished?.parse::<Value>()?;
    innermost(&rows, "CAP_SYS_RESOURCE").with_context(|| program.to_owned())
}

fn innermost(rows: &[Value], capability: &str) -> Result<Value> {
    let row = rows
        .iter()
        .find(|row| row["capability"] == capability)
        .with_context(|| format!("no row for {capability} in {rows:?}"))?;
    ensure!(
        row["user_stack_state"] == "captured",
        "no user stack: {row}"
    );
    Ok(row["user_stack"][0].clone())
}

fn ends(frame: &Value, file: &str) -> bool {
    frame["module"]
        .as_str()
        .is_some_and(|path| path.ends_with(file))
}
