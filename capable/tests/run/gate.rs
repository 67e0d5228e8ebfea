//! What is made of the report: the gate, and what emitters write.

use super::*;

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
        "capable: CAP_SYS_NICE was needed (1 check by nice), but is not in --allow: granted in \
         can_nice, for setpriority(2): without it, setpriority(2) to a higher priority than \
         RLIMIT_NICE allows fails\n"
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
    assert!(stderr(&new).contains("but is not in --baseline: granted"));
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
fn emitters_write_to_stdout_or_to_their_file() {
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
}

/// What a pipe reads is what was asked for, whatever the command prints.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn stdout_has_only_what_is_emitted_or_the_report_as_json() {
    let script = ["sh", "-c", "echo of the command; exec nice -n -5 true"];
    let emitted = with("run --emit docker --", &script);
    let [line] = stdout(&emitted)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert!(line.starts_with("docker run "), "{line}");
    let others = stderr(&emitted);
    for part in ["of the command\n", "needs CAP_SYS_NICE"] {
        assert!(others.contains(part), "{others}");
    }

    let json = with("run -o json --", &script);
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_needs(&report, &["CAP_SYS_NICE"]);
    assert_eq!(stderr(&json), "of the command\n");

    // Where nothing else goes there, stdout is the command's.
    let text = with("run --", &script);
    assert_eq!(stdout(&text), "of the command\n");
}
