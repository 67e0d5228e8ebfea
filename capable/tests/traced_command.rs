//! `capable trace -- COMMAND`, on this kernel.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

#[path = "common/ended.rs"]
mod ended;
#[path = "common/strict.rs"]
mod strict;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use ended::{code, stderr};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use strict::strict;

const CAPABLE: &str = env!("CARGO_BIN_EXE_capable");

/// Runs `capable` with these options in front of a command.
fn traced(options: &str, command: &[&str]) -> Output {
    strict(CAPABLE)
        .args(options.split_whitespace())
        .arg("--")
        .args(command)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The rows among what was written to stdout.
fn rows(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Checks that programs make for themselves, not the kernel when it loads one.
fn named<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter()
        .filter(|row| row["capability"] == name)
        .collect()
}

#[test]
fn a_command_and_a_process_are_a_usage_error() {
    for options in [
        "trace -p 1",
        "-p 1",
        "trace --tid 1",
        "trace -p 1 --children",
        "-n 0",
    ] {
        let output = traced(options, &["true"]);
        assert_eq!(code(&output), 2, "{options}: {}", stderr(&output));
    }
    // Without --, a word is a subcommand.
    let output = strict(CAPABLE).arg("true").output().unwrap();
    assert_eq!(code(&output), 2);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_rows_are_the_commands_and_its_descendants_from_its_first_check_on() {
    for start in ["trace -o json", "-o json"] {
        let script = "nice -n -1 true; sh -c 'nice -n -1 true'; echo written; exit 7";
        let output = traced(start, &["sh", "-c", script]);
        let rows = rows(&output);
        assert_eq!(code(&output), 7, "{}", stderr(&output));
        let nice = named(&rows, "CAP_SYS_NICE");
        assert_eq!(nice.len(), 2, "{rows:?}");
        assert!(nice.iter().all(|row| row["comm"] == "nice"), "{rows:?}");
        assert_ne!(nice[0]["pid"], nice[1]["pid"]);
        // Its own output is where it would be without capable.
        assert!(output.stdout.ends_with(b"\n"));
        assert!(String::from_utf8_lossy(&output.stdout).contains("written\n"));
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn filters_uniqueness_and_sums_are_of_the_commands_checks() {
    let script = "for n in 1 2 3; do chown 1:1 /proc/self/fd/0; nice -n -1 true; done 2>/dev/null";
    let output = traced("-o json -C sys_nice --summary", &["sh", "-c", script]);
    let rows = rows(&output);
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(named(&rows, "CAP_SYS_NICE").len(), 3, "{rows:?}");
    let sum = stderr(&output);
    assert_eq!(sum.matches("CAP_SYS_NICE").count(), 3, "{sum}");
    assert!(!sum.contains("CAP_CHOWN"), "{sum}");
    let output = traced("-o json -C sys_nice --unique=comm", &["sh", "-c", script]);
    let rows = self::rows(&output);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let output = traced("-o json -C !sys_nice", &["sh", "-c", script]);
    let rows = self::rows(&output);
    assert!(named(&rows, "CAP_SYS_NICE").is_empty(), "{rows:?}");
    assert!(!named(&rows, "CAP_CHOWN").is_empty(), "{rows:?}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_exit_code_says_how_the_command_ended_or_why_it_did_not_begin() {
    let codes = |options: &str, command: &[&str]| code(&traced(options, command));
    assert_eq!(codes("trace", &["true"]), 0);
    assert_eq!(codes("trace", &["no-such-command-here"]), 127);
    assert_eq!(codes("trace", &["/dev/null"]), 126);
    let output = traced("trace", &["sh", "-c", "kill -KILL $$"]);
    assert_eq!(code(&output), 137);
    let told = stderr(&output);
    assert!(
        told.contains("the command was killed by signal 9"),
        "{told}"
    );
    assert_eq!(codes("trace --columns nonsense", &["true"]), 2);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn what_outlives_the_trace_runs_on_to_its_end() {
    let script = "for n in 1 2 3 4; do nice -n -1 true; sleep 0.5; done; exit 7";
    for bound in ["-n 1", "-d 0.2"] {
        let output = traced(
            &format!("-o json -C sys_nice {bound}"),
            &["sh", "-c", script],
        );
        assert_eq!(code(&output), 7, "{bound}: {}", stderr(&output));
        assert_eq!(rows(&output).len(), 1, "{bound}");
        let told = stderr(&output);
        assert!(
            told.contains("runs on and is no longer traced"),
            "{bound}: {told}"
        );
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_timeout_ends_the_command_as_timeout_1_does() {
    let begun = Instant::now();
    // Also if the rows ended before.
    for bound in ["", "-n 1"] {
        let script = "trap 'kill $!; echo ended; exit 3' TERM; nice -n -1 true; sleep 60 >/dev/null 2>&1 & wait";
        let output = traced(
            &format!("-C sys_nice {bound} --timeout 1"),
            &["sh", "-c", script],
        );
        assert_eq!(code(&output), 124, "{}", stderr(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("ended"));
    }
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn signals_reach_the_command_which_decides() {
    let mut traced = strict(CAPABLE)
        .args(["trace", "--", "sh", "-c"])
        .arg("trap 'kill $!; exit 9' TERM; echo ready; sleep 60 >/dev/null 2>&1 & wait")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(traced.stdout.take().unwrap()).lines();
    while lines.next().unwrap().unwrap() != "ready" {}
    kill_process(Pid::from_child(&traced), Signal::TERM).unwrap();
    let status = traced.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(9), None));
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_reader_who_has_seen_enough_does_not_end_the_command() {
    let mut traced = strict(CAPABLE)
        .args(["trace", "-o", "json", "--", "sh", "-c"])
        .arg("exec >&2; for n in 1 2 3 4; do nice -n -1 true; sleep 0.3; done; echo done; exit 4")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut row = String::new();
    let mut stdout = BufReader::new(traced.stdout.take().unwrap());
    stdout.read_line(&mut row).unwrap();
    drop(stdout);
    let mut told = String::new();
    let mut stderr = traced.stderr.take().unwrap();
    stderr.read_to_string(&mut told).unwrap();
    assert_eq!(traced.wait().unwrap().code(), Some(4), "{told}");
    assert!(told.contains("done\n"), "{told}");
}
