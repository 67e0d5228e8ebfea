//! What `capable why` says of refusals.

use super::*;

/// `capable why` of a script that nobody runs.
fn why(options: &[&str], script: &str) -> Output {
    strict(CAPABLE)
        .arg("why")
        .args(options)
        .args(["--user", "nobody", "--", "sh", "-c", script])
        // cargo's are in directories of root's, where each program looks for its libraries.
        .env_remove("LD_LIBRARY_PATH")
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What is said of it, on one line.
fn said(script: &str) -> (Option<i32>, String) {
    let output = why(&[], script);
    let text = stderr(&output);
    let words: Vec<_> = text.split_whitespace().collect();
    (output.status.code(), words.join(" "))
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_file_that_may_not_be_read_is_named_with_its_mode_and_the_capability() {
    let (code, said) = said("exec cat /etc/shadow");
    assert_eq!(code, Some(1));
    for part in [
        "openat /etc/shadow: EACCES",
        "CAP_DAC_READ_SEARCH would allow it, and was not held.",
        "/etc/shadow is -rw-r----- root shadow",
        "exited with 1; 1 refusal.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_relative_path_is_told_from_the_root_and_the_directory_that_refuses_is_named() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let private = folder.path().join("private");
    fs::create_dir(&private).unwrap();
    fs::set_permissions(&private, Permissions::from_mode(0o700)).unwrap();
    let (_, said) = said(&format!("cd {}; cat private/x", folder.path().display()));
    let file = format!("openat {}/x: EACCES", private.display());
    let directory = format!("{} is drwx------ root root", private.display());
    assert!(said.contains(&file) && said.contains(&directory), "{said}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_folder_of_path_that_may_not_be_searched_is_no_refusal() {
    let (code, said) = said("PATH=/root/bin:/usr/bin:/bin; env true");
    assert_eq!(code, Some(0));
    assert!(
        said.ends_with("exited with 0; nothing was refused."),
        "{said}"
    );
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_command_that_fails_without_a_refusal_is_not_said_to_have_had_one() {
    let (code, said) = said("cat /nowhere");
    assert_eq!(code, Some(1));
    assert!(said.contains("no system call was refused"), "{said}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn json_is_the_report_with_its_refusals_and_nothing_else_on_stdout() {
    let output = why(&["-o", "json"], "echo said; exec cat /etc/shadow");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["exit"]["code"], 1);
    let refusal = &report["refusals"][0];
    assert_eq!(refusal["call"], "openat");
    assert_eq!(refusal["object"], "/etc/shadow");
    assert_eq!(refusal["errno"], "EACCES");
    assert_eq!(refusal["verdict"], "capability");
    assert_eq!(refusal["capability"], "CAP_DAC_READ_SEARCH");
    assert!(stderr(&output).contains("said"));
}
