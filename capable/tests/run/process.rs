//! The command itself: how it starts and ends, and what it gets.

use super::*;

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
        "capable: the command was killed by signal 9 (SIGKILL)\n"
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
        let mut command = strict(CAPABLE);
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
fn stdin_stdout_and_stderr_are_the_commands() {
    let mut child = strict(CAPABLE)
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
    let mut child = strict(CAPABLE)
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
    let notes = left["notes"].as_array().unwrap();
    assert!(notes[0].as_str().unwrap().contains("still running"));
    assert!(notes[1].as_str().unwrap().contains("--wait"), "{notes:?}");

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
