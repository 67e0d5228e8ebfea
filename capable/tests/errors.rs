//! What the program says where something is wrong, and how it ends then.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

fn capable(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capable"));
    command.args(words).stdin(Stdio::null());
    command
}

/// The exit code, and standard error.
fn answer(words: &[&str]) -> (Option<i32>, String) {
    let output = capable(words).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr)
}

/// Each of these prints to standard output and needs no privileges.
const PRINTING: [&[&str]; 11] = [
    &["list"],
    &["list", "-o", "json"],
    &["explain", "all"],
    &["explain", "-o", "json", "all"],
    &["inspect", "self"],
    &["inspect", "-o", "json", "self", "/bin/sh"],
    &["doctor"],
    &["doctor", "-o", "json"],
    &["--columns", "help"],
    &["--help"],
    &["--version"],
];

#[test]
fn a_full_disk_is_an_error_that_is_named() {
    for words in PRINTING {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = capable(words).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {stderr}");
        assert_eq!(
            stderr,
            "capable: error: cannot write to stdout: No space left on device (os error 28)\n",
            "{words:?}"
        );
    }
}

#[test]
fn a_reader_who_has_gone_is_no_error() {
    for words in PRINTING {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = capable(words).stdout(writer).output().unwrap();
        // doctor's exit code is its answer.
        let expected = capable(words).stdout(Stdio::null()).status().unwrap();
        assert_eq!(output.status, expected, "{words:?}");
        assert_eq!(output.stderr, b"", "{words:?}");
    }
}

#[test]
fn where_nobody_hears_an_error_the_exit_code_still_tells() {
    for (words, code) in [
        (&["inspect", "/nonexistent"][..], 1),
        (&["-u", "no such user"], 2),
        (&["--no-such-option"], 2),
    ] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        for stderr in [Stdio::from(writer), Stdio::from(full)] {
            let status: ExitStatus = capable(words).stderr(stderr).status().unwrap();
            assert_eq!(status.signal(), None, "{words:?}");
            assert_eq!(status.code(), Some(code), "{words:?}");
        }
    }
}

#[test]
fn every_error_says_in_the_same_words_whose_it_is() {
    for (words, code) in [
        (&["--no-such-option"][..], 2),
        (&["-u", "no such user"], 2),
        (&["explain", "no_such_capability"], 2),
        (&["inspect", "/nonexistent"], 1),
        (&["--unit", "no-such"], 1),
        (&["run", "--user", "no such user", "--", "true"], 2),
    ] {
        let (found, stderr) = answer(words);
        assert_eq!(found, Some(code), "{words:?}: {stderr}");
        assert!(
            stderr.starts_with("capable: error: "),
            "{words:?}: {stderr}"
        );
        assert_eq!(stderr.matches("error: ").count(), 1, "{words:?}: {stderr}");
    }
}

#[test]
fn what_cannot_be_inspected_is_named_and_the_rest_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let link = link.to_str().unwrap();
    for (target, message) in [
        ("/nonexistent", "there is no file /nonexistent: give a path"),
        ("4194304", "no process 4194304: give the PID"),
        ("no-such.service", "no unit no-such.service"),
        ("/etc", "/etc is a directory; only regular files"),
        (link, "is a symbolic link to nowhere, which does not exist"),
    ] {
        let (code, stderr) = answer(&["inspect", target]);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.starts_with("capable: error: ") && stderr.contains(message),
            "{stderr}"
        );
    }
    let mixed = capable(&["inspect", "/nonexistent", "/bin/sh", "self"])
        .output()
        .unwrap();
    let stdout = String::from_utf8(mixed.stdout).unwrap();
    assert_eq!(mixed.status.code(), Some(1));
    assert!(
        stdout.contains("set-user-ID") && stdout.contains("ambient"),
        "{stdout}"
    );
}

#[test]
fn a_script_is_inspected_by_the_program_that_runs_it() {
    let mut script = tempfile::NamedTempFile::new().unwrap();
    script.write_all(b"#!/bin/sh\n").unwrap();
    let output = capable(&["inspect"]).arg(script.path()).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("run by /bin/sh"), "{stdout}");
}

#[test]
fn a_pid_that_is_a_name_is_answered_with_what_goes_by_names() {
    let (code, stderr) = answer(&["-p", "nginx"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("'nginx'") && stderr.contains("-c NAME"),
        "{stderr}"
    );
}

#[test]
fn a_value_that_does_not_work_is_answered_with_what_does_and_no_more() {
    for (words, expected) in [
        (
            &["-n", "x"][..],
            "invalid value 'x' for '--count <ROWS>': it takes a whole number, 1 or more, such as 10",
        ),
        (
            &["--pid", "-1"],
            "invalid value '-1' for '--pid <PID>': it takes the number of a process or thread (see \
             ps -eL), such as 812; to filter by name use -c NAME, by service use --unit NAME",
        ),
        (
            &["-o", "xml"],
            "invalid value 'xml' for '--output <FORMAT>'\n  [possible values: table, wide, json, csv, \
             csv-raw, folded]",
        ),
        (
            &["--gid", "no such group"],
            "there is no group \"no such group\"; give a name that `getent group` knows, or a number",
        ),
    ] {
        let (code, stderr) = answer(words);
        assert_eq!(code, Some(2), "{words:?}");
        assert_eq!(stderr, format!("capable: error: {expected}\n"));
    }
    let (_, stderr) = answer(&["--no-such-option"]);
    assert!(stderr.contains("try '--help'"), "{stderr}");
}

#[test]
fn every_one_of_several_pids_is_looked_at() {
    for words in [&["-p", "1,4194304"][..], &["profile", "-p", "4194304"]] {
        let (code, stderr) = answer(words);
        assert_eq!(code, Some(1), "{words:?}");
        assert_eq!(
            stderr,
            "capable: error: there is no process 4194304: list the processes with ps -e\n"
        );
    }
}

#[test]
fn a_shell_that_becomes_capable_does_not_make_it_watch_itself() {
    let script = format!("exec {} profile -p $$ -d 1", env!("CARGO_BIN_EXE_capable"));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("is this capable itself"), "{stderr}");
}

#[test]
fn the_maps_of_bcc_are_answered_with_what_takes_their_place() {
    for (option, instead) in [("--cgroupmap", "--cgroup"), ("--mntnsmap", "--mntns")] {
        let (code, stderr) = answer(&[option, "/sys/fs/bpf/map"]);
        assert_eq!(code, Some(2));
        assert!(stderr.contains(instead), "{stderr}");
    }
}

#[test]
fn where_pages_would_go_to_standard_output_a_directory_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for what in ["man", "completions"] {
        let mut command = capable(&["generate", what, "-"]);
        let output = command.current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("give a directory"), "{stderr}");
        assert!(!folder.path().join("-").exists());
    }
}

/// What `capable` says, and its exit code, in a mount namespace of its own after `prepared`.
fn elsewhere(prepared: &str, words: &str) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_capable");
    let output = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            &format!("{prepared} {program} {words}"),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), said)
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_mount_that_is_missing_is_named() {
    for (mount, words, named) in [
        ("/proc", "inspect 1", "/proc does not show it"),
        ("/proc", "profile --pid 1 -d 1", "/proc does not show it"),
        ("/proc", "trace -p 1 -d 1", "/proc does not show it"),
        ("/proc", "trace --unit x.service -d 1", "is /proc mounted?"),
        ("/proc", "inspect", "is /proc mounted?"),
        ("/sys", "trace -d 1", "/sys is not mounted"),
        ("/sys", "top -d 1", "/sys is not mounted"),
        ("/sys", "profile --pid 1 -d 1", "/sys is not mounted"),
        ("/sys", "doctor", "mount -t sysfs sysfs /sys"),
        (
            "/sys",
            "trace --unit x.service -d 1",
            "no cgroup version 2 hierarchy",
        ),
    ] {
        let (code, said) = elsewhere(&format!("umount --lazy --recursive {mount} &&"), words);
        assert!(said.contains(named), "{words} without {mount}: {said}");
        assert_eq!(code, Some(1), "{words} without {mount}: {said}");
    }
    let (code, said) = elsewhere("umount --lazy --recursive /sys &&", "run -- true");
    assert_eq!(code, Some(125), "{said}");
    assert!(said.contains("/sys is not mounted"), "{said}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_process_that_proc_hides_is_not_said_to_be_gone() {
    // Each mount has options of its own since Linux 5.8.
    let hidden = "mount -t proc -o hidepid=2 proc /proc && setpriv --reuid=65534 --regid=65534 --clear-groups \
                  --bounding-set=-all --inh-caps=-all";
    let (code, said) = elsewhere(hidden, "inspect 1");
    assert!(
        said.contains("process 1 exists, but /proc does not show it"),
        "{said}"
    );
    assert_eq!(code, Some(1), "{said}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn too_few_open_files_are_an_error_that_says_how_many_it_takes() {
    for files in [9, 12, 20, 40] {
        for (words, code) in [
            ("trace -d 1", 1),
            ("top -d 1", 1),
            ("run -- true", 125),
            ("doctor", 1),
        ] {
            let (ended, said) = elsewhere(&format!("ulimit -n {files} &&"), words);
            let named = format!("this process may have {files} files open");
            assert!(said.contains(&named), "{words}: {said}");
            assert_eq!(ended, Some(code), "{words}: {said}");
        }
    }
}
