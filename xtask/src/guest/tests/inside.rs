//! Tracing from inside a pid namespace, where processes have other numbers than in the kernel.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Bench;

/// Runs as process 1 of the namespace: two shells in the background ask for a capability all the
/// time, because the file's mode lets not even its owner, root, read it. `OPTIONS` is replaced.
const SCRIPT: &str = "\
closed=$(mktemp); chmod 0 $closed
asks() { while :; do : < $closed; done; }
asks & ONE=$!
asks & OTHER=$!
echo $ONE $OTHER
timeout 60 capable -o json --columns pid,inner_pid,tid,inner_tid,comm OPTIONS
code=$?; rm $closed; exit $code";

/// `-p` and `--tid` take the numbers of the namespace, and rows show those of the host.
pub fn own_numbers(_: &Bench) -> Result<()> {
    for (options, one, other) in [
        ("-p $ONE", true, false),
        ("--tid $OTHER", false, true),
        ("-p $ONE -p $OTHER", true, true),
    ] {
        let (numbers, rows) = inside(&format!("--unique -d 4 {options}"))?;
        let seen: BTreeSet<u64> = rows
            .iter()
            .filter_map(|row| row["inner_pid"].as_u64())
            .collect();
        let expected: BTreeSet<u64> = [(numbers[0], one), (numbers[1], other)]
            .into_iter()
            .filter_map(|(number, expected)| expected.then_some(number))
            .collect();
        ensure!(seen == expected, "{options}: {seen:?}, not {expected:?}");
        for row in rows {
            // The machine has had more processes than the namespace.
            ensure!(row["pid"].as_u64() > row["inner_pid"].as_u64(), "{row}");
        }
    }
    Ok(())
}

/// The tracer recognises itself by the number that the kernel side sees.
pub fn own_checks(_: &Bench) -> Result<()> {
    // Each of its mappings makes a check for memory.
    let (_, rows) = inside("-v -c capable --pidns 1 -d 2")?;
    ensure!(rows.is_empty(), "its own checks: {rows:?}");
    Ok(())
}

/// With the host's number for a process, functions of a different process would be named.
pub fn user_stacks(_: &Bench) -> Result<()> {
    let (_, rows) = inside("-U -p $ONE -n 1")?;
    let frames = rows.first().and_then(|row| row["user_stack"].as_array());
    let frames = frames.with_context(|| format!("no user stack: {rows:?}"))?;
    ensure!(!frames.is_empty(), "an empty user stack");
    for frame in frames {
        ensure!(frame["function"].is_null(), "a function: {frame}");
    }
    Ok(())
}

/// The numbers of the two shells in the namespace, and the rows of `capable` with these options.
fn inside(options: &str) -> Result<([u64; 2], Vec<Value>)> {
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "sh", "-c"])
        .arg(SCRIPT.replace("OPTIONS", options))
        .output()
        .context("cannot run unshare(1)")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{options}: {}: {said}",
        output.status
    );
    ensure!(
        said.contains("the columns nspid and nstid"),
        "{options}: nothing is said of the numbers: {said}"
    );
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    let numbers: Vec<u64> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let numbers = numbers.try_into().ok().context("no numbers were printed")?;
    let rows = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok((numbers, rows))
}
