//! `capable run` and `capable profile`, on this kernel.
//!
//! Tests marked "needs root" trace; `cargo xtask test` runs them, and so does root with
//! `cargo test -- --include-ignored`.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

#[path = "../common/ended.rs"]
mod ended;
mod gate;
mod needs;
mod process;
mod profile;
#[path = "../common/strict.rs"]
mod strict;
mod untrusted;
mod why;

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use ended::{code, stderr};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use strict::strict;

const CAPABLE: &str = env!("CARGO_BIN_EXE_capable");

/// Runs `capable` with these arguments, which stand between blanks.
fn capable(arguments: &str) -> Output {
    with(arguments, &[])
}

/// The same, with more arguments behind.
fn with(arguments: &str, more: &[&str]) -> Output {
    strict(CAPABLE)
        .args(arguments.split_whitespace())
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The report of a command, run under these options.
fn report(options: &str, command: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let options = format!("run -o json --report {} {options} --", file.display());
    let output = with(&options, command);
    let text = fs::read_to_string(&file).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
}

/// What a report says is needed; where that is something else, why is printed.
fn assert_needs(report: &Value, needed: &[&str]) {
    let found = &report["needed"];
    assert_eq!(
        found,
        &serde_json::json!(needed),
        "{}",
        serde_json::to_string_pretty(report).unwrap()
    );
}

/// A child that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The class of a capability in a report; null where it was not asked for.
fn class<'a>(report: &'a Value, capability: &str) -> &'a Value {
    report["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|each| each["capability"] == capability)
        .map_or(&Value::Null, |each| &each["class"])
}

/// The fields of a process's own status, by name.
fn status(options: &str, field: &str) -> String {
    let output = with(
        &format!("run --report /dev/null {options} --"),
        &["cat", "/proc/self/status"],
    );
    let text = stdout(&output);
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap_or_else(|| panic!("{}", stderr(&output)))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn script(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn what_was_typed_wrong_is_a_usage_error() {
    for arguments in [
        "run",
        "run --caps nonsense -- true",
        "run --caps chown --drop kill -- true",
        "run --user no-such-user-here -- true",
        "run --user 3999999999 -- true",
        "run --allow no/such/file -- true",
        "run --baseline /no/such/file -- true",
        "run --report /no/such/folder/report -- true",
        "run --emit nonsense -- true",
        "run -o json --emit systemd -- true",
        "profile",
        // Where checks are counted, no records are sent.
        "profile --pid 1 --buffer-size 8M",
        "top --buffer-size 8M",
    ] {
        let output = capable(arguments);
        assert_eq!(code(&output), 2, "{arguments}: {}", stderr(&output));
        assert!(!output.stderr.is_empty(), "{arguments}");
    }
}
