//! The examples, which are what the root page of the library shows, on this machine's kernel.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

#[path = "common/strict.rs"]
mod strict;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use capable::{capability::Capability, inspect::process::Process};
use strict::strict;

/// An example, which cargo puts beside the program.
fn example(name: &str) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_capable")).with_file_name("examples");
    let file = folder.join(name);
    assert!(
        file.is_file(),
        "no {}: run `cargo build -p capable --examples` before",
        file.display()
    );
    strict(file)
}

/// A shell that raises a limit for each line that it reads, with a check for CAP_SYS_RESOURCE
/// (`do_prlimit`, kernel/sys.c).
fn shell() -> Child {
    Command::new("sh")
        .args([
            "-c",
            "ulimit -Sn 50; while read go; do ulimit -Hn 100; ulimit -Hn 200; done",
        ])
        .stdin(Stdio::piped())
        // In some containers root may not.
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Ends when it is dropped.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_example_of_a_stream_shows_the_checks_of_a_process_as_they_are_made() {
    let mut shell = Ending(shell());
    let process = Process::read(shell.0.id()).unwrap();
    let may = process.credentials.sets.effective;
    let may = may.contains(Capability::SYS_RESOURCE);
    let decision = if may { "granted" } else { "denied" };
    let pid = shell.0.id().to_string();
    let mut stream = example("stream")
        .arg(&pid)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(Ending)
        .unwrap();
    let mut plan = String::new();
    BufReader::new(stream.0.stderr.take().unwrap())
        .read_line(&mut plan)
        .unwrap();
    assert!(plan.starts_with("hook: "), "{plan}");

    shell.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let rows = BufReader::new(stream.0.stdout.take().unwrap()).lines();
    let row = rows
        .map(Result::unwrap)
        .find(|row| row.contains("CAP_SYS_RESOURCE"))
        .unwrap();
    let words: Vec<&str> = row.split_whitespace().collect();
    let expected = [&pid, "sh", decision, "CAP_SYS_RESOURCE", "in", "prlimit64"];
    assert_eq!(words, expected);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_example_of_learning_says_what_a_command_needs_and_how_systemd_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = example("learn")
        .args(["chown", "12345"])
        .arg(file.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains(": needs CAP_CHOWN.\n"), "{text}");
    assert!(text.contains("Granted in setattr_prepare"), "{text}");
    let last = text.lines().rev().nth(1);
    assert_eq!(last, Some("CapabilityBoundingSet=CAP_CHOWN"), "{text}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_example_of_observing_says_what_a_running_process_and_its_children_need() {
    let script = "while :; do nice -n -1 true; sleep 0.1; done";
    let busy = Command::new("sh").args(["-c", script]).spawn();
    let busy = Ending(busy.unwrap());
    let output = example("observe")
        .args([&busy.0.id().to_string(), "1"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains(" (sh)"), "{text}");
    assert!(text.contains("it needed CAP_SYS_NICE."), "{text}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_example_of_counting_counts_the_checks_of_the_machine_by_capability() {
    let counting = example("count")
        .arg("2")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It does not say when it has begun: the checks go on until it has ended.
    let mut shell = Ending(shell());
    let mut stdin = shell.0.stdin.take().unwrap();
    let lines = std::thread::spawn(move || {
        let mut lines = 0_u64;
        while stdin.write_all(b"go\n").is_ok() {
            lines += 1;
        }
        lines
    });
    let output = counting.wait_with_output().unwrap();
    drop(shell);
    let most = lines.join().unwrap();

    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let rows: Vec<(u64, &str)> = text
        .lines()
        .map(|row| {
            let (count, capability) = row.trim_start().split_once(' ').unwrap();
            (count.parse().unwrap(), capability)
        })
        .collect();
    assert!(
        rows.is_sorted_by_key(|&(count, _)| u64::MAX - count),
        "{text}"
    );
    let found = rows.iter().find(|row| row.1 == "CAP_SYS_RESOURCE");
    let &(count, _) = found.unwrap();
    assert!(
        count > 100 && count < 2 * most + 1000,
        "{count} of {most}: {text}"
    );
}
