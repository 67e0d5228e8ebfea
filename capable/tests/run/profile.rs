//! `capable profile`.

use super::*;

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
    let mut child = strict(CAPABLE)
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
