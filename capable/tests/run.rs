//! `capable run` and `capable profile`, on this kernel.
//!
//! Tests marked "needs root" trace; `cargo xtask test` runs them, and so does root with
//! `cargo test -- --include-ignored`.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const CAPABLE: &str = env!("CARGO_BIN_EXE_capable");

/// Runs `capable` with these arguments, which stand between blanks.
fn capable(arguments: &str) -> Output {
    with(arguments, &[])
}

/// The same, with more arguments behind.
fn with(arguments: &str, more: &[&str]) -> Output {
    Command::new(CAPABLE)
        .args(arguments.split_whitespace())
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
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
        "profile --pid 4194305",
        // Where checks are counted, no records are sent.
        "profile --pid 1 --buffer-size 8M",
        "top --buffer-size 8M",
    ] {
        let output = capable(arguments);
        assert_eq!(code(&output), 2, "{arguments}: {}", stderr(&output));
        assert!(!output.stderr.is_empty(), "{arguments}");
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_report_says_what_a_command_needs_and_who_asked() {
    let report = report("", &["nice", "-n", "-5", "true"]);
    assert_needs(&report, &["CAP_SYS_NICE"]);
    assert_eq!(report["incomplete"], Value::Null);
    assert_eq!(report["processes"], 1);
    let needed = &report["capabilities"][0];
    assert_eq!(needed["programs"][0]["name"], "nice");
    assert_eq!(needed["places"][0]["caller"], "can_nice");
    assert_eq!(needed["places"][0]["syscall"], "setpriority");
    assert!(report["duration_ns"].as_u64().unwrap() > 0);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_needed_set_is_enough_for_another_user_and_without_it_the_command_fails() {
    let nice = "nice -n -5 sh -c nice";
    let run = |caps: &str| {
        let options = format!("run --report /dev/null --user nobody --caps {caps} -- {nice}");
        stdout(&capable(&options)).trim().to_owned()
    };
    assert_eq!(run("sys_nice"), "-5");
    assert_eq!(run("none"), "0");
    let without = report(
        "--user nobody --caps none",
        &["/usr/bin/nice", "-n", "-5", "/bin/true"],
    );
    assert_eq!(class(&without, "CAP_SYS_NICE"), "denied");
    assert_needs(&without, &[]);
}

/// Debian's own programs as root, the set that the report gives, and the same as nobody with
/// exactly that set, and with none.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_sets_of_debians_programs_are_enough_and_none_is_too_many() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let open = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    open(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["owned", "secret", "program"] {
        fs::write(path(name), "text").unwrap();
    }
    chown(path("secret"), Some(1), Some(1)).unwrap();
    fs::set_permissions(path("secret"), Permissions::from_mode(0o600)).unwrap();
    let other = Running(Command::new("sleep").arg("600").uid(1).spawn().unwrap());

    let mknod = format!("mknod {} c 1 3 && rm {0}", path("device"));
    let kill = format!("kill -0 {}", other.0.id());
    let programs: [(&str, &[&str]); 9] = [
        ("CAP_SYS_NICE", &["nice", "-n", "-5", "true"]),
        ("CAP_SYS_NICE", &["chrt", "-f", "1", "true"]),
        ("CAP_CHOWN", &["chown", "1", &path("owned")]),
        ("CAP_SYS_CHROOT", &["chroot", "/", "true"]),
        ("CAP_MKNOD", &["sh", "-ec", &mknod]),
        ("CAP_DAC_READ_SEARCH", &["cat", &path("secret")]),
        ("CAP_KILL", &["sh", "-c", &kill]),
        ("CAP_SYS_ADMIN", &["unshare", "--mount", "true"]),
        ("CAP_SETFCAP", &["setcap", "cap_kill+ep", &path("program")]),
    ];
    for (set, command) in programs {
        let report = report("", command);
        assert_needs(&report, &[set]);
        let caged = |caps: &str| {
            chown(path("owned"), Some(0), None).unwrap();
            let options = format!("run --report /dev/null --user nobody --caps {caps} --");
            with(&options, command)
        };
        let enough = caged(set);
        assert_eq!(code(&enough), 0, "{command:?}: {}", stderr(&enough));
        // nice(1) only says that it could not.
        let none = caged("none");
        assert!(
            code(&none) != 0 || stderr(&none).contains("cannot set"),
            "{command:?}"
        );
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_cage_is_what_was_asked_for() {
    let caged = "--user nobody --caps net_raw";
    let net_raw = format!("{:016x}", 1 << 13);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(status(caged, set), net_raw, "{set}");
    }
    assert_eq!(status(caged, "Uid:"), "65534 65534 65534 65534");
    assert_eq!(status(caged, "NoNewPrivs:"), "0");
    assert_eq!(status("--no-new-privs", "NoNewPrivs:"), "1");
    assert_eq!(status("--user nobody", "CapEff:"), format!("{:016x}", 0));
    assert_eq!(status("--group 7", "Gid:"), "7 7 7 7");
    assert_eq!(status("--group 7", "Groups:"), "");
    for set in ["CapPrm:", "CapEff:", "CapBnd:"] {
        let rest = status("--drop sys_admin", set);
        let bits = u64::from_str_radix(&rest, 16).unwrap();
        assert_eq!(bits & (1 << 21), 0, "{set}");
        assert_ne!(bits & 1, 0, "{set}");
    }
    // Root holds nothing where SECBIT_NOROOT is set.
    let noroot = "--securebits noroot,noroot-locked";
    assert_eq!(status(noroot, "CapEff:"), format!("{:016x}", 0));
    let all = "--user nobody --caps net_raw --securebits noroot,no-cap-ambient-raise";
    assert_eq!(status(all, "CapAmb:"), net_raw);
    assert_eq!(status(all, "CapPrm:"), net_raw);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn not_one_of_two_thousand_processes_is_missed_and_their_noise_is_advisory() {
    let folder = tempfile::tempdir().unwrap();
    let forks = script(
        folder.path(),
        "forks",
        "#!/bin/sh\ni=0\nwhile [ $i -lt 2000 ]; do /bin/true; i=$((i+1)); done\n",
    );
    let report = report("", &[&forks]);
    assert_eq!(report["incomplete"], Value::Null);
    assert_eq!(report["processes"], 2001);
    assert_needs(&report, &[]);
    assert_eq!(class(&report, "CAP_SYS_ADMIN"), "advisory");
    let programs = report["capabilities"][0]["programs"].as_array().unwrap();
    let mut names: Vec<_> = programs
        .iter()
        .map(|program| program["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["forks", "true"]);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_launch_and_the_search_in_the_path_are_left_out() {
    // Root's own folder may not be searched by nobody: the launcher tries it in vain.
    let output = Command::new(CAPABLE)
        .args(["run", "-o", "json", "--user", "nobody", "--", "true"])
        .env("PATH", "/root/bin:/usr/bin:/bin")
        // cargo's, with folders that nobody may not search.
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(class(&report, "CAP_DAC_READ_SEARCH"), &Value::Null);
    for capability in ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"] {
        assert_eq!(class(&report, capability), &Value::Null, "{capability}");
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_exit_code_is_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &[&str]| code(&with("run --report /dev/null --", command));
    assert_eq!(run(&["true"]), 0);
    assert_eq!(run(&["sh", "-c", "exit 7"]), 7);
    assert_eq!(run(&["sh", "-c", "kill -TERM $$"]), 143);
    assert_eq!(run(&["sh", "-c", "kill -KILL $$"]), 137);
    let killed = with("run --report /dev/null --", &["sh", "-c", "kill -KILL $$"]);
    assert_eq!(
        stderr(&killed),
        "capable: the command was ended by signal 9 (SIGKILL)\n"
    );
    assert_eq!(run(&["no-such-command-here"]), 127);
    assert_eq!(run(&["/no/such/command"]), 127);
    assert_eq!(run(&["/etc/passwd"]), 126);
    assert_eq!(run(&["/"]), 126);
    let orphan = script(folder.path(), "orphan", "#!/no/such/interpreter\n");
    assert_eq!(run(&[&orphan]), 127);
    // A script without #! is run by sh, as execvp(3) does it.
    let plain = script(folder.path(), "plain", "exit $1\n");
    assert_eq!(run(&[&plain, "5"]), 5);
}

#[test]
fn a_file_that_cannot_be_what_the_gate_is_given_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    for (option, content, reason) in [
        (
            "--allow",
            "net_raw\nbogus\n",
            "line 2: unknown capability 'bogus'",
        ),
        (
            "--allow",
            "{\"checks\": 1",
            "this is not a report of capable",
        ),
        ("--allow", "\u{0}", "line 1: unknown capability"),
        ("--baseline", "net_raw\n", "this is not a report of capable"),
        ("--baseline", "{}", "missing field `schema`"),
        ("--baseline", "", "this is not a report of capable"),
        (
            "--baseline",
            "{\"schema\": \"capable.report/99\"}",
            "capable.report/99",
        ),
    ] {
        let file = folder.path().join("given");
        fs::write(&file, content).unwrap();
        let file = file.to_str().unwrap();
        let output = capable(&format!("run {option} {file} -- touch {file}.ran"));
        let message = stderr(&output);
        assert_eq!(code(&output), 2, "{content:?}: {message}");
        assert!(message.contains(file), "{content:?}: {message}");
        assert!(message.contains(reason), "{content:?}: {message}");
        assert!(!Path::new(&format!("{file}.ran")).exists());
    }
    for (given, reason) in [
        (
            "--allow /no/such/file",
            "cannot read /no/such/file: No such file",
        ),
        ("--allow kil", "did you mean CAP_KILL?"),
        ("--baseline /", "cannot read /: Is a directory"),
    ] {
        let output = capable(&format!("run {given} -- true"));
        assert_eq!(code(&output), 2, "{given}");
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn where_capable_itself_fails_the_exit_code_is_125() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("capable");
    fs::copy(CAPABLE, &program).unwrap();
    let output = Command::new(&program)
        .args(["run", "--", "true"])
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    assert_eq!(code(&output), 125, "{}", stderr(&output));
    let output = capable("run --report /dev/full -- true");
    assert_eq!(code(&output), 125, "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot write /dev/full"));
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn it_keeps_its_exit_code_where_nobody_reads_its_complaints() {
    let unheard = |arguments: &str| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(CAPABLE);
        command
            .args(arguments.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(writer);
        command.status().unwrap().code()
    };
    let gate = "run --report /dev/null --allow net_raw -- nice -n -5 true";
    assert_eq!(unheard(gate), Some(3));
    assert_eq!(unheard("run -- sh -c kill${IFS}-9${IFS}$$"), Some(128 + 9));
    assert_eq!(unheard("run -- /nonexistent"), Some(127));
    assert_eq!(unheard("profile --duration 1s --pid 1"), Some(0));
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_gate_fails_a_run_that_needs_more_than_is_allowed() {
    let gate = |options: &str| {
        with(
            &format!("run --report /dev/null {options} --"),
            &["nice", "-n", "-5", "true"],
        )
    };
    let shut = gate("--allow net_raw");
    assert_eq!(code(&shut), 3);
    assert_eq!(
        stderr(&shut),
        "capable: not allowed: CAP_SYS_NICE (needed, 1 check by nice): granted in can_nice, for \
         setpriority(2): the priority is higher than RLIMIT_NICE allows; within that limit it is not \
         asked for\n"
    );
    assert_eq!(code(&gate("--allow sys_nice")), 0);

    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("baseline.json");
    let made = with(
        &format!("run -o json --report {} --", baseline.display()),
        &["true"],
    );
    assert_eq!(code(&made), 0);
    let options = format!("--baseline {}", baseline.display());
    let new = gate(&options);
    assert_eq!(code(&new), 3);
    assert!(stderr(&new).contains("not allowed: CAP_SYS_NICE"));
    // The baseline may be the file that the report goes to.
    let options = format!(
        "--allow sys_nice -o json --baseline {0} --report {0}",
        baseline.display()
    );
    let again = with(&format!("run {options} --"), &["nice", "-n", "-5", "true"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert_eq!(
        code(&gate(&format!("--baseline {}", baseline.display()))),
        0
    );
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn stdin_stdout_and_stderr_are_the_commands() {
    let mut child = Command::new(CAPABLE)
        .args(["run", "--report", "/dev/null", "--"])
        .args(["sh", "-c", "cat; echo to-stderr >&2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"through\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(stdout(&output), "through\n");
    assert_eq!(stderr(&output), "to-stderr\n");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_signal_is_passed_on_and_the_report_made() {
    let mut child = Command::new(CAPABLE)
        .args(["run", "--"])
        .args([
            "sh",
            "-c",
            "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 9);
    let report = stderr(&output);
    assert!(report.contains(" checks by "), "{report}");
    assert_eq!(output.status.signal(), None);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn who_runs_on_is_named_and_wait_waits_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    // Until it may, or this test is gone.
    let waits = format!(
        "while [ -d {} ] && [ ! -e {} ]; do sleep 0.1; done",
        folder.path().display(),
        go.display()
    );
    let text = format!("(setsid sh -c '{waits}; nice -n -3 true') >/dev/null 2>&1 & exit 4");
    let daemon = ["sh", "-c", &text];
    let left = report("", &daemon);
    fs::write(&go, "").unwrap();
    assert_needs(&left, &[]);
    let note = left["notes"][0].as_str().unwrap();
    assert!(note.contains("--wait"), "{note}");

    let waited = report("--wait", &daemon);
    assert_needs(&waited, &["CAP_SYS_NICE"]);
    assert_eq!(waited["notes"], serde_json::json!([]));
    let output = with("run --report /dev/null --wait --", &daemon);
    assert_eq!(code(&output), 4);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_set_user_id_program_gains_nothing_with_no_new_privs_and_the_report_says_so() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("nice");
    fs::copy("/usr/bin/nice", &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o4755)).unwrap();
    let program = program.to_str().unwrap();
    let command = [program, "-n", "-5", "/bin/true"];
    let gains = report("--user nobody", &command);
    assert_needs(&gains, &["CAP_SYS_NICE"]);
    let gains = report("--user nobody --no-new-privs", &command);
    assert_eq!(class(&gains, "CAP_SYS_NICE"), "denied");
    let note = gains["notes"][0].as_str().unwrap();
    assert!(
        note.contains("no_new_privs") && note.contains(program),
        "{note}"
    );
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn what_is_needed_while_starting_only_is_told_from_the_rest() {
    let starting = |settle: &str, text: &str| {
        let text = format!("nice -n -1 true; {text}");
        let report = report(&format!("--settle {settle}"), &["sh", "-c", &text]);
        report["capabilities"][0]["starting_only"].clone()
    };
    assert_eq!(starting("1s", "sleep 2"), true);
    assert_eq!(starting("1s", "sleep 2; nice -n -2 true"), false);
    // A command that ends before says nothing of the kind.
    assert_eq!(starting("60s", "sleep 0.1"), false);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn emitters_write_behind_the_report_or_to_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nice.conf");
    let options = format!(
        "run --report /dev/null --emit systemd={} --emit docker=- --",
        file.display()
    );
    let output = with(&options, &["nice", "-n", "-5", "true"]);
    let drop_in = fs::read_to_string(&file).unwrap();
    assert!(
        drop_in.contains("CapabilityBoundingSet=CAP_SYS_NICE"),
        "{drop_in}"
    );
    assert!(
        stdout(&output).contains("--cap-add=SYS_NICE"),
        "{}",
        stdout(&output)
    );
    let output = with("run --emit setcap --", &["nice", "-n", "-5", "true"]);
    assert!(stderr(&output).contains("setcap cap_sys_nice+ep /usr/bin/nice"));
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_running_process_and_its_children_are_profiled_until_the_time_is_over_or_ctrl_c() {
    let busy = Running(
        Command::new("sh")
            .args(["-c", "while :; do nice -n -1 true; sleep 0.1; done"])
            .spawn()
            .unwrap(),
    );
    let options = format!("profile --pid {} -o json", busy.0.id());
    let timed = capable(&format!("{options} --duration 1s"));
    let mut child = Command::new(CAPABLE)
        .args(options.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut begun = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    begun.read_line(&mut line).unwrap();
    thread::sleep(Duration::from_millis(700));
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let mut text = String::new();
    let mut written = child.stdout.take().unwrap();
    written.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{line}");
    drop(busy);

    for text in [stdout(&timed), text] {
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_needs(&report, &["CAP_SYS_NICE"]);
        assert_eq!(class(&report, "CAP_SYS_ADMIN"), "advisory");
        let subject = report["subject"].as_str().unwrap();
        assert!(
            subject.starts_with("process ") && subject.ends_with(" (sh)"),
            "{subject}"
        );
        assert_eq!(report["incomplete"], Value::Null);
    }
    assert_eq!(code(&timed), 0);
}

/// Root holds CAP_SYS_ADMIN, and would be granted it as the owner of the namespace all the same.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_user_namespace_of_its_own_needs_nothing_of_root_and_works_without() {
    let command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "mount",
        "-t",
        "tmpfs",
        "none",
        "/mnt",
    ];
    let as_root = report("", &command);
    assert_needs(&as_root, &[]);
    assert_eq!(as_root["left_out"][0]["rule"], "namespace");
    let without = with(
        "run --report /dev/null --user nobody --caps none --",
        &command,
    );
    assert_eq!(code(&without), 0, "{}", stderr(&without));
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_profile_of_processes_that_ended_tells_their_namespaces_apart() {
    let script =
        "while :; do unshare -Urm mount -t tmpfs none /mnt; nice -n -1 true; sleep 0.1; done";
    let busy = Running(Command::new("sh").args(["-c", script]).spawn().unwrap());
    let options = format!("profile --pid {} -o json --duration 1s", busy.0.id());
    let output = capable(&options);
    drop(busy);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_needs(&report, &["CAP_SYS_NICE"]);
    assert_eq!(class(&report, "CAP_SYS_ADMIN"), "asked_not_needed");
    assert_eq!(report["left_out"][0]["rule"], "namespace");
    assert_eq!(report["unknowns"], serde_json::json!([]));
}
