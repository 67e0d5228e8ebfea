//! Every command tells what it lost.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

#[path = "common/flood.rs"]
mod flood;
#[path = "common/strict.rs"]
mod strict;

use std::process::{Output, Stdio};

use flood::flooded;
use strict::strict;

const BUFFER: &str = "the buffer was full (try --buffer-size)";
const TABLE: &str = "the table of counts was full (try --table-size, or a filter)";

fn capable(words: &[&str]) -> Output {
    strict(env!("CARGO_BIN_EXE_capable"))
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What was written, without the breaks of lines.
fn words(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn trace_tells_while_it_runs_and_at_its_end() {
    let own = std::process::id().to_string();
    for transport in ["ring", "perf"] {
        let small = ["--buffer-size", "4K", "--transport", transport];
        let line = [&["trace", "-o", "json", "-d", "4s", "-p", &own], &small[..]].concat();
        let stderr = words(&flooded(|| capable(&line)).stderr);
        if stderr.contains("does not work here") {
            continue;
        }
        let (while_it_ran, at_its_end) = stderr.split_once(" checks seen, ").unwrap();
        assert!(while_it_ran.contains("capable: so far lost "), "{stderr}");
        for part in [while_it_ran, at_its_end] {
            assert!(part.contains(BUFFER), "{transport}: {stderr}");
        }
        assert!(!at_its_end.contains(" 0 lost"), "{transport}: {stderr}");
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn trace_tells_what_its_summary_lacks() {
    let script = "for n in 1 2 3; do nice -n -1 true; done";
    let line = ["trace", "--summary", "--table-size", "1"];
    let output = capable(&[&line[..], &["--", "sh", "-c", script]].concat());
    let (stdout, stderr) = (words(&output.stdout), words(&output.stderr));
    assert!(stderr.contains(TABLE), "{stderr}");
    assert!(stdout.contains(" more were lost, see above"), "{stdout}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn run_tells_in_its_report() {
    let flood = "ulimit -Sn 50; i=0; while [ $i -lt 20000 ]; do ulimit -Hn 100; ulimit -Hn 200; \
                 i=$((i + 1)); done";
    let report = capable(&["run", "--buffer-size", "4K", "--", "sh", "-c", flood]);
    let stderr = words(&report.stderr);
    assert!(stderr.contains("INCOMPLETE: "), "{stderr}");
    assert!(stderr.contains(BUFFER), "{stderr}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn profile_tells_while_it_counts_and_in_its_report() {
    let own = std::process::id().to_string();
    let line = ["profile", "-p", &own, "-d", "7s", "--table-size", "1"];
    let made = flooded(|| capable(&line));
    let (stdout, stderr) = (words(&made.stdout), words(&made.stderr));
    assert!(stderr.contains("capable: so far lost "), "{stderr}");
    assert!(stdout.contains("INCOMPLETE: "), "{stdout}");
    assert!(stdout.contains(TABLE), "{stdout}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn top_tells_above_its_table() {
    let own = std::process::id().to_string();
    let line = [
        &["top", "-v", "-b", "-n", "1"],
        &["--table-size", "1", "-p", &own][..],
    ]
    .concat();
    let stdout = words(&flooded(|| capable(&line)).stdout);
    assert!(stdout.contains(TABLE), "{stdout}");
    assert!(!stdout.contains(", 0 lost"), "{stdout}");
}
