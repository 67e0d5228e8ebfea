//! Commands that are not trusted, and what a command finds of the program that started us.

use super::*;

/// Waits for the end, which a hanging program never comes to.
fn end(mut child: Child) -> Output {
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            return child.wait_with_output().unwrap();
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    panic!("still running: {:?}", child.wait_with_output().unwrap());
}

/// What a shell prints that starts `capable` in this way; `$CAPABLE` is the program.
fn shell(text: &str) -> Output {
    let child = Command::new("sh")
        .args(["-c", text])
        .env("CAPABLE", CAPABLE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    end(child)
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_script_that_becomes_a_pipe_does_not_make_the_report_wait() {
    let folder = tempfile::tempdir().unwrap();
    let changing = script(
        folder.path(),
        "changing",
        "#!/bin/sh\nrm \"$0\"\nmkfifo \"$0\"\nexit 5\n",
    );
    let output = shell(&format!("$CAPABLE run -- {changing}"));
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains("checks"), "{}", stderr(&output));
}

/// What a command gets that tries to type into a terminal of its own, under these options.
fn typed(options: &str) -> String {
    let perl = r#"for (0x5412, 0x541c) { my $c = "\x06"; print ioctl(STDIN, $_, $c) ? "done" : $!, "\n" }"#;
    let folder = tempfile::tempdir().unwrap();
    let program = script(
        folder.path(),
        "types",
        &format!("#!/usr/bin/perl\n{perl}\n"),
    );
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let line = format!("{CAPABLE} run --report /dev/null {options} -- {program}");
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    stdout(&output)
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_caged_command_cannot_type_into_the_terminal() {
    let refused = "Operation not permitted";
    for options in [
        "--user nobody --caps none --no-new-privs",
        "--user nobody",
        "--drop net_raw",
    ] {
        let answers = typed(options);
        assert_eq!(answers.matches(refused).count(), 2, "{options}: {answers}");
    }
    // A pseudoterminal has no TIOCLINUX: only the filter answers it with EPERM.
    let answers = typed("");
    assert_eq!(answers.matches(refused).count(), 0, "{answers}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn ignored_signals_are_handed_on_and_lose_nothing() {
    let started = |ignoring: &str, command: &[&str]| {
        // Not by a shell, which has its own ideas of SIGCHLD.
        let program = format!("$SIG{{{ignoring}}} = 'IGNORE'; exec @ARGV");
        let child = Command::new("perl")
            .args([
                "-e",
                &program,
                CAPABLE,
                "run",
                "--report",
                "/dev/null",
                "--",
            ])
            .args(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        end(child)
    };
    let ignored = |ignoring: &str| {
        let ended = started(ignoring, &["sh", "-c", "exit 7"]);
        assert_eq!(code(&ended), 7, "{}", stderr(&ended));
        let mask = stdout(&started(
            ignoring,
            &["grep", "SigIgn:", "/proc/self/status"],
        ));
        u64::from_str_radix(mask.trim_start_matches("SigIgn:").trim(), 16).unwrap()
    };
    let (pipe, child) = (1 << (13 - 1), 1 << (17 - 1));
    assert_eq!(ignored("USR2") & (pipe | child), 0);
    assert_eq!(ignored("PIPE") & (pipe | child), pipe);
    assert_eq!(ignored("CHLD") & (pipe | child), child);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_signal_to_the_group_reaches_the_command_once() {
    let counts = "$SIG{TERM} = sub { $n++ }; $| = 1; print \"ready\\n\"; \
                  select(undef, undef, undef, 0.02) until $n; \
                  select(undef, undef, undef, 0.3) for 1 .. 3; print \"$n\\n\"";
    let mut child = strict(CAPABLE)
        .args(["run", "--report", "/dev/null", "--", "perl", "-e", counts])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process_group(group, Signal::TERM).unwrap();
    line.clear();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "1\n");
    assert_eq!(code(&end(child)), 0);
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_full_disk_leaves_the_old_report() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "mount -t tmpfs -o size=8k none {0} && cd {0} && echo old > report && \
         head -c 4096 /dev/zero > full && \
         {{ $CAPABLE run -o json --report report -- true; echo $?; cat report; ls; }}",
        folder.path().display()
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &text])
        .env("CAPABLE", CAPABLE)
        .output()
        .unwrap();
    assert_eq!(
        stdout(&output),
        "125\nold\nfull\nreport\n",
        "{}",
        stderr(&output)
    );
    assert!(
        stderr(&output).contains("No space left"),
        "{}",
        stderr(&output)
    );
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn nothing_without_an_end_is_read() {
    let output = shell("ulimit -v 4000000; TZ=/dev/zero $CAPABLE trace -n 1 -v -- true");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let output = shell("ulimit -v 4000000; $CAPABLE run --allow /dev/zero -- true");
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("it is a device"),
        "{}",
        stderr(&output)
    );
}
