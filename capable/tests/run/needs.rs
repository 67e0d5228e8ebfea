//! What the report says is needed.

use super::*;

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

/// The kernel drops a set-group-ID bit without a word: only the mode that chmod(2) was given tells that
/// the capability was needed.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_set_group_id_bit_that_would_be_dropped_is_a_need() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let folder = folder.path().to_str().unwrap();
    let file = format!("{folder}/file");
    let packed = |mode: u32| {
        fs::write(&file, "text").unwrap();
        chown(&file, Some(0), Some(1)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let archive = format!("{folder}/{mode:o}.tar");
        let mut tar = Command::new("tar");
        let tar = tar.args(["-C", folder, "-cf", &archive, "file"]);
        assert!(tar.status().unwrap().success());
        fs::remove_file(&file).unwrap();
        archive
    };
    let mode_after = |caps: &str, archive: &str| {
        let options = format!("run --report /dev/null --caps {caps} --");
        let output = with(&options, &["tar", "-C", folder, "-xpf", archive]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
        fs::remove_file(&file).unwrap();
        mode
    };
    let shared = packed(0o2755);
    let found = report("", &["tar", "-C", folder, "-xpf", &shared]);
    assert_needs(&found, &["CAP_CHOWN", "CAP_FSETID"]);
    assert_eq!(mode_after("chown,fsetid", &shared), 0o2755);
    assert_eq!(mode_after("chown", &shared), 0o755);

    let plain = packed(0o755);
    let found = report("", &["tar", "-C", folder, "-xpf", &plain]);
    assert_needs(&found, &["CAP_CHOWN"]);
    assert_eq!(class(&found, "CAP_FSETID"), "asked_not_needed");
    assert_eq!(mode_after("chown", &plain), 0o755);
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
    let output = strict(CAPABLE)
        .args(["run", "-o", "json", "--user", "nobody", "--", "true"])
        .env("PATH", "/root/bin:/usr/bin:/bin")
        // cargo's, with folders that nobody may not search.
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(class(&report, "CAP_DAC_READ_SEARCH"), &Value::Null);
    for capability in ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"] {
        assert_eq!(class(&report, capability), &Value::Null, "{capability}");
    }
}

/// nice(1) searches for the program itself.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_search_in_the_path_of_a_command_suggests_nothing_unless_it_finds_nothing() {
    let searched = |program: &str| {
        let output = strict(CAPABLE)
            .args([
                "run",
                "-o",
                "json",
                "--user",
                "nobody",
                "--",
                "/usr/bin/nice",
                program,
            ])
            .env("PATH", "/root/bin:/usr/bin:/bin")
            // cargo's, with folders that nobody may not search.
            .env_remove("LD_LIBRARY_PATH")
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        class(&report, "CAP_DAC_READ_SEARCH").clone()
    };
    assert_eq!(searched("true"), "asked_not_needed");
    assert_eq!(searched("no-such-program"), "denied");
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
