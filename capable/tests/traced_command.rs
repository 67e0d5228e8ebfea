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
use serde_json::{Value, json};
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
        .filter(|line: &Value| line["schema"] == "capable.check/1")
        .collect()
}

/// What `--summary` adds, as JSON.
fn sums(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {text}"))
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
    let sums = sums(&output);
    let program = json!([{
        "comm": "nice", "capability": "CAP_SYS_NICE", "result": "granted", "checks": 3,
    }]);
    assert_eq!(sums["programs"], program);
    assert_eq!(sums["processes"].as_array().unwrap().len(), 3, "{sums}");
    assert_eq!(sums["lost"], 0);
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
fn sums_alone_come_without_rows_as_a_table_or_as_json() {
    let script = [
        "sh",
        "-c",
        "for n in 1 2 3; do nice -n -1 true; done; exit 7",
    ];
    let output = traced("-o json -C sys_nice --summary=only", &script);
    assert_eq!(code(&output), 7, "{}", stderr(&output));
    assert_eq!(rows(&output), Vec::<Value>::new());
    assert_eq!(sums(&output)["programs"][0]["checks"], 3);
    let output = traced("-C sys_nice --summary=only", &script);
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .collect();
    assert_eq!(lines[0], ["CHECKS", "COMM", "CAPABILITY", "RESULT"]);
    assert_eq!(lines[1], ["3", "nice", "CAP_SYS_NICE", "granted"]);
    assert_eq!(lines[3], ["CHECKS", "PID", "COMM", "CAPABILITY", "RESULT"]);
    assert_eq!(lines.len(), 7, "{text}");
    for refused in ["-o csv", "-n 3", "-K"] {
        let output = traced(&format!("{refused} --summary=only"), &["true"]);
        assert_eq!(code(&output), 2, "{refused}: {}", stderr(&output));
    }
}

/// What a terminal shows of a command line.
fn on_a_terminal(line: &str) -> String {
    let output = strict("script")
        .args([
            "-qec",
            &format!("stty cols 80; {CAPABLE} {line}"),
            "/dev/null",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn repeats_are_folded_with_their_count_only_where_a_terminal_watches() {
    let script = "ulimit -Sn 50; i=0; while [ $i -lt 377 ]; do ulimit -Hn 100; ulimit -Hn 200; \
                  i=$((i+1)); done 2>/dev/null";
    let shown = on_a_terminal(&format!(
        "--color never -C sys_resource -- sh -c '{script}'"
    ));
    let rows: Vec<_> = shown
        .lines()
        .filter(|line| line.contains("CAP_SYS_RESOURCE"))
        .collect();
    assert!(rows.len() < 30, "{shown}");
    let checks = rows.iter().map(|row| match row.trim().strip_prefix('×') {
        Some(row) => row
            .split_whitespace()
            .next()
            .unwrap()
            .parse::<u64>()
            .unwrap(),
        None => 1,
    });
    assert!(
        rows.iter().all(|row| row.trim_end().chars().count() <= 80),
        "{shown}"
    );
    assert_eq!(checks.sum::<u64>(), 377, "{shown}");
    let piped = traced("-C sys_resource", &["sh", "-c", script]);
    let piped = String::from_utf8_lossy(&piped.stdout).into_owned();
    assert_eq!(piped.matches("CAP_SYS_RESOURCE").count(), 377);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_silent_trace_says_on_a_terminal_what_it_saw_and_filtered() {
    let shown = on_a_terminal("-c no-such-name -d 6s");
    let line = shown.lines().find(|line| line.contains("in 5 s"));
    let line = line.unwrap_or_else(|| panic!("{shown}"));
    assert!(
        line.contains("none matched the filters") && line.contains("no-such-name"),
        "{shown}"
    );
}

/// Root in a user namespace of its own, and root in the initial one.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_grant_over_another_user_namespace_is_marked_in_the_table() {
    let result = |command: &[&str]| {
        let output = traced("-C sys_admin", command);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mount = text.lines().filter(|line| line.contains(" mount "));
        let results = mount.filter_map(|line| line.split_whitespace().last());
        results.map(str::to_owned).collect::<Vec<_>>()
    };
    let mount = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"];
    let initial = result(&mount);
    assert!(
        !initial.is_empty() && initial.iter().all(|result| result == "granted"),
        "{initial:?}"
    );
    let own = result(&[&["unshare", "--user", "--map-root-user"], &mount[1..]].concat());
    assert!(own.contains(&"userns".to_owned()), "{own:?}");
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
