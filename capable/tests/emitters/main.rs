//! What `capable run --emit` writes, read by the programs that it is for: systemd, docker's client,
//! docker-compose, podman, kubectl, setcap, capsh, AppArmor's parser, crun, systemd-nspawn and LXC, as
//! Debian has them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

mod consumers;
mod engine;
#[path = "../common/strict.rs"]
mod strict;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use consumers::inside;
use engine::docker;
use serde_json::{Value, json};
use strict::strict;

const CAPABLE: &str = env!("CARGO_BIN_EXE_capable");

/// Needs CAP_SYS_CHROOT and CAP_SYS_NICE.
const TWO: [&str; 6] = ["chroot", "/", "nice", "-n", "-5", "true"];

/// As another user, who holds what is needed.
const NOBODY: [&str; 4] = ["--user", "nobody", "--caps", "sys_chroot,sys_nice"];

/// Prints the sets that it holds.
const STATUS: &str = "cat /proc/self/status";

/// What `capable run --emit FORMAT` writes of a command under these options.
fn emitted(format: &str, options: &[&str], command: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emitted");
    let output = strict(CAPABLE)
        .args(["run", "--report", "/dev/null", "--emit"])
        .arg(format!("{format}={}", file.display()))
        .args(options)
        .arg("--")
        .args(command)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::read_to_string(&file).unwrap()
}

/// The line that is no comment.
fn line(emitted: &str) -> &str {
    let mut lines = emitted.lines().filter(|line| !line.starts_with('#'));
    let line = lines.next().unwrap();
    assert_eq!(lines.next(), None, "{emitted}");
    line
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A shell's words, on this machine, as root.
fn sh(words: &str) -> Output {
    Command::new("sh").args(["-c", words]).output().unwrap()
}

/// The mask of capabilities in a field of a process's status.
fn set(status: &str, field: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(field));
    let value = value.unwrap_or_else(|| panic!("no {field} in {status}"));
    u64::from_str_radix(value.trim_start_matches(':').trim(), 16).unwrap()
}

/// CAP_SYS_CHROOT and CAP_SYS_NICE (include/uapi/linux/capability.h).
const TWO_BITS: u64 = 1 << 18 | 1 << 23;

/// What systemd says of a service with a drop-in: on reading it, and what the service may do, by
/// setting.
fn systemd(drop_in: &str, user: &str) -> (Output, Value) {
    let script = format!(
        "mkdir -p /tmp/units/prog.service.d
        printf '[Service]\nExecStart=/bin/true\n{user}' >/tmp/units/prog.service
        printf '%s' \"$1\" >/tmp/units/prog.service.d/capable.conf
        systemd-analyze verify --man=no --recursive-errors=no /tmp/units/prog.service >&2
        systemd-analyze security --offline=yes --json=short /tmp/units/prog.service"
    );
    let output = inside(&script, drop_in);
    let settings = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, settings)
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn systemd_reads_the_drop_in_without_a_word_and_bounds_the_service_by_it() {
    for (options, user, command) in [
        (&[][..], "", &TWO[..]),
        (&NOBODY[..], "User=prog\n", &TWO[..]),
        (&[][..], "", &["true"][..]),
    ] {
        let drop_in = emitted("systemd", options, command);
        let (output, settings) = systemd(&drop_in, user);
        assert_eq!(text(&output.stderr), "", "{drop_in}");
        assert!(output.status.success(), "{drop_in}");
        let is_set = |field: &str| {
            let settings = settings.as_array().unwrap();
            let found = settings.iter().find(|each| each["json_field"] == field);
            found.unwrap_or_else(|| panic!("no {field}"))["set"] == true
        };
        let needs_two = command.len() > 1;
        assert!(is_set("NoNewPrivileges"));
        for (field, is_bounded) in [
            ("SYS_ADMIN", true),
            ("CHOWN_FSETID_SETFCAP", true),
            ("SYS_CHROOT", !needs_two),
            ("SYS_NICE_RESOURCE", !needs_two),
        ] {
            let field = format!("CapabilityBoundingSet_CAP_{field}");
            assert_eq!(is_set(&field), is_bounded, "{field}: {drop_in}");
        }
        // "Does not receive ambient capabilities".
        assert_eq!(is_set("AmbientCapabilities"), user.is_empty(), "{drop_in}");
    }
    let (wrong, _) = systemd("[Service]\nCapabilityBoundsSet=\n", "");
    assert!(
        text(&wrong.stderr).contains("Unknown key"),
        "{}",
        text(&wrong.stderr)
    );
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn dockers_client_asks_the_engine_for_the_container_that_was_meant() {
    let created = |options: &[&str], command: &[&str]| {
        let emitted = emitted("docker", options, command);
        let (asked, output) = docker(&line(&emitted).replace("IMAGE", "debian:12"));
        asked.unwrap_or_else(|| panic!("{emitted}: {}", text(&output.stderr)))
    };
    let asked = created(&[], &TWO);
    assert_eq!(asked["Image"], "debian:12");
    let host = &asked["HostConfig"];
    assert_eq!(host["CapDrop"], json!(["ALL"]));
    assert_eq!(host["CapAdd"], json!(["SYS_CHROOT", "SYS_NICE"]));
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));

    let asked = created(&NOBODY, &TWO);
    assert_eq!(asked["User"], "nobody");
    assert_eq!(asked["HostConfig"]["SecurityOpt"], Value::Null);

    let asked = created(&[], &["true"]);
    assert_eq!(asked["HostConfig"]["CapAdd"], Value::Null);

    let (asked, output) = docker("docker run --cap-drops=ALL debian:12");
    assert_eq!(asked, None);
    assert!(text(&output.stderr).contains("unknown flag"));
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_container_of_podman_holds_exactly_the_set() {
    // Of the machine, which is no part of the line: neither network nor cgroups nor limits that
    // root may not raise here.
    const PODMAN: &str = "podman --cgroup-manager=cgroupfs --events-backend=file --root /tmp/root \
         --runroot /tmp/runroot --tmpdir /tmp/tmp run --rootfs --network=none --cgroups=disabled \
         --ulimit=nofile=512:512 --ulimit=nproc=500:500";
    for (options, user, command, bits) in [
        (&[][..], "0", &TWO[..], TWO_BITS),
        (&NOBODY[..], "65534", &TWO[..], TWO_BITS),
        (&[][..], "0", &["true"][..], 0),
    ] {
        let emitted = emitted("podman", options, command);
        let rest = line(&emitted).strip_prefix("podman run ").unwrap();
        let rest = rest.strip_suffix(" IMAGE").unwrap();
        let script = format!(
            "mkdir -p /tmp/image/bin /tmp/image/etc /tmp/image/proc /tmp/image/sys /tmp/image/dev
            cp /bin/busybox /tmp/image/bin/cat
            cp /etc/passwd /etc/group /tmp/image/etc
            {PODMAN} {rest} /tmp/image {STATUS}"
        );
        let output = inside(&script, "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let status = text(&output.stdout);
        for field in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(set(&status, field), bits, "{field}: {status}");
        }
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        assert!(status.contains(&format!("Uid:\t{user}\t")), "{status}");
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn docker_compose_puts_the_service_into_a_project() {
    let merged = |options: &[&str], command: &[&str]| {
        let script = r#"
            printf 'version: "3.8"\nservices: {SERVICE: {image: debian}}\n' >/tmp/compose.yaml
            printf '%s' "$1" >/tmp/override.yaml
            docker-compose -f /tmp/compose.yaml -f /tmp/override.yaml config"#;
        let output = inside(script, &emitted("compose", options, command));
        assert_eq!(text(&output.stderr), "");
        assert!(output.status.success());
        text(&output.stdout)
    };
    assert_eq!(
        merged(&[], &TWO),
        "services:\n  SERVICE:\n    cap_add:\n    - SYS_CHROOT\n    - SYS_NICE\n    cap_drop:\n    \
         - ALL\n    image: debian\n    security_opt:\n    - no-new-privileges:true\nversion: '3.8'\n\n"
    );
    let nobody = merged(&NOBODY, &TWO);
    assert!(nobody.contains("    user: nobody\n"), "{nobody}");
    assert!(!nobody.contains("security_opt"), "{nobody}");
    let nothing = merged(&[], &["true"]);
    assert!(!nothing.contains("cap_add"), "{nothing}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn kubectl_reads_the_context_into_the_type_of_a_container() {
    // `set` reads into the type and writes it again: what the type lacks does not come back.
    let context = |emitted: &str| {
        let indented = emitted.replace('\n', "\n    ");
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: pod}}\nspec:\n  containers:\n  - name: \
             prog\n    image: prog\n    {indented}\n"
        );
        let script = "printf '%s' \"$1\" | kubectl set env --local -f - -o json A=b";
        let output = inside(script, &pod);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        read["spec"]["containers"][0]["securityContext"].clone()
    };
    assert_eq!(
        context(&emitted("kubernetes", &[], &TWO)),
        json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"], "add": ["SYS_CHROOT", "SYS_NICE"]},
        })
    );
    // Without an entry in /etc/passwd: a number, which is what the field takes.
    let number = [
        "--user",
        "12345",
        "--group",
        "12345",
        "--caps",
        "sys_chroot,sys_nice",
    ];
    assert_eq!(
        context(&emitted("kubernetes", &number, &TWO)),
        json!({
            "runAsNonRoot": true,
            "runAsUser": 12345,
            "capabilities": {"drop": ["ALL"], "add": ["SYS_CHROOT", "SYS_NICE"]},
        })
    );
    assert_eq!(
        context(&emitted("kubernetes", &[], &["true"])),
        json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}})
    );
    let unknown = "securityContext:\n  dropAll: true";
    assert_eq!(context(unknown), json!({}));
}

/// A copy of a program of this machine, in a folder that everybody may search.
fn copy(folder: &Path, program: &str, name: &str) -> String {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let file = folder.join(name);
    fs::copy(program, &file).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A child that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// renice(1) executes nothing, and its copy is not known to do what it is told.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn setcap_gives_the_file_what_it_needs_and_verifies_it() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let program = copy(folder.path(), "/usr/bin/renice", "a nice program");
    let sleeping = || Running(Command::new("sleep").arg("60").uid(65534).spawn().unwrap());
    let as_nobody = || {
        let target = sleeping();
        let pid = target.0.id().to_string();
        let mut renice = Command::new(&program);
        let renice = renice.args(["-n", "-5", "-p", &pid]).uid(65534).gid(65534);
        renice.output().unwrap().status.success()
    };
    assert!(!as_nobody());

    let target = sleeping();
    let pid = target.0.id().to_string();
    let emitted_text = emitted("setcap", &[], &[&program, "-n", "-1", "-p", &pid]);
    let applied = sh(line(&emitted_text));
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    let check = emitted_text
        .lines()
        .find_map(|line| line.strip_prefix("# ").filter(|line| line.contains(" -v ")))
        .unwrap();
    let verified = sh(check);
    assert!(
        verified.status.success(),
        "{check}: {}",
        text(&verified.stdout)
    );
    assert!(as_nobody());

    // What is found as root takes nothing away.
    let version = [&*program, "--version"];
    let none = emitted("setcap", &[], &version);
    assert!(commands(&none).is_empty(), "{none}");
    let none = emitted("setcap", &["--user", "nobody"], &version);
    assert!(sh(line(&none)).status.success(), "{none}");
    assert!(!sh(check).status.success());
    assert!(!as_nobody());
}

/// The lines that are no comments.
fn commands(emitted: &str) -> Vec<&str> {
    let lines = emitted.lines();
    lines.filter(|line| !line.starts_with('#')).collect()
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn no_shell_and_no_launcher_gets_capabilities_but_each_file_that_asked_for_itself() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let program = copy(folder.path(), "/usr/bin/renice", "renicer");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let script = format!(
        "chown 1 {}; nice -n -5 true; {program} -n -1 -p $$",
        file.display()
    );
    // What a process was is known, however quickly it ended.
    for _ in 0..3 {
        let emitted = emitted("setcap", &[], &["sh", "-c", &script]);
        let expected = format!("setcap cap_sys_nice+ep {program}");
        assert_eq!(commands(&emitted), [expected], "{emitted}");
        let words = emitted.replace("\n# ", " ");
        for refused in [
            "No setcap cap_chown+ep for chown: /usr/bin/chown does what its arguments say",
            "No setcap cap_sys_nice+ep for nice: /usr/bin/nice executes the program",
        ] {
            assert!(words.contains(refused), "{words}");
        }
    }
    fs::write(&file, "text\n").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    chown(&file, Some(1), Some(1)).unwrap();
    let script = format!("read line <{}", file.display());
    let shell = emitted("setcap", &[], &["sh", "-c", &script]);
    assert!(shell.contains("for sh: /usr/bin/"), "{shell}");
    assert!(commands(&shell).is_empty(), "{shell}");
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn what_secure_execution_takes_away_is_said() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let program = copy(folder.path(), "/usr/bin/renice", "renicer");
    let script =
        format!("exec {CAPABLE} run --report /dev/null --emit setcap=- -- {program} -n -1 $$");
    let output = strict("sh")
        .args(["-c", &script])
        .env("TMPDIR", "/var/tmp")
        .output()
        .unwrap();
    let emitted = text(&output.stdout).replace("\n# ", " ");
    assert!(emitted.contains("Its environment has"), "{emitted}");
    assert!(emitted.contains("TMPDIR"), "{emitted}");
    assert!(emitted.contains("AT_SECURE"), "{emitted}");
}

/// su(1) is set-user-ID, and ends before its process can be looked at.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn no_new_privs_is_decided_by_what_was_executed_the_same_at_each_run() {
    for (script, is_set) in [
        ("true; su --version; true", false),
        ("true; nice -n -5 true; true", true),
    ] {
        for run in 0..5 {
            let emitted = emitted("systemd", &[], &["sh", "-c", script]);
            let lines = commands(&emitted);
            assert_eq!(
                lines.contains(&"NoNewPrivileges=yes"),
                is_set,
                "{run}: {emitted}"
            );
        }
    }
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn apparmors_parser_takes_the_rules_into_a_profile() {
    let parsed = |rules: &str| {
        let profile = format!("profile prog /usr/bin/prog {{\n{rules}\n}}\n");
        let script = "printf '%s' \"$1\" >/tmp/prog; apparmor_parser -Q -K -S /tmp/prog | wc -c";
        inside(script, &profile)
    };
    for command in [&TWO[..], &["true"]] {
        let rules = emitted("apparmor", &[], command);
        let output = parsed(&rules);
        let said = text(&output.stderr);
        // What it says where the kernel has no AppArmor.
        let said = said
            .lines()
            .filter(|line| !line.starts_with("Cache read/write disabled"));
        assert_eq!(said.collect::<String>(), "", "{rules}");
        assert!(output.status.success(), "{rules}");
    }
    let wrong = parsed("capability sys_nicer,");
    assert!(
        text(&wrong.stderr).contains("sys_nicer"),
        "{}",
        text(&wrong.stderr)
    );
}

/// The object is put over what `crun spec` writes.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn a_bundle_of_oci_runs_with_exactly_the_sets() {
    for (options, command, bits, ambient) in [
        (&[][..], &TWO[..], TWO_BITS, 0),
        (&NOBODY[..], &TWO[..], TWO_BITS, TWO_BITS),
        (&[][..], &["true"][..], 0, 0),
    ] {
        let part: Value = serde_json::from_str(&emitted("oci", options, command)).unwrap();
        let spec = inside("cd /tmp; crun spec; cat config.json", "");
        let mut config: Value = serde_json::from_slice(&spec.stdout).unwrap();
        config["process"]["capabilities"] = part["process"]["capabilities"].clone();
        config["process"]["noNewPrivileges"] = part["process"]["noNewPrivileges"].clone();
        config["annotations"] = part["annotations"].clone();
        config["process"]["args"] = json!(["/bin/cat", "/proc/self/status"]);
        config["process"]["terminal"] = json!(false);
        config["process"]["rlimits"] = json!([]);
        if !options.is_empty() {
            config["process"]["user"] = json!({"uid": 65534, "gid": 65534});
        }
        let script =
            "mkdir -p /tmp/b/rootfs/bin /tmp/b/rootfs/proc /tmp/b/rootfs/dev /tmp/b/rootfs/sys
            cp /bin/busybox /tmp/b/rootfs/bin/cat
            printf '%s' \"$1\" >/tmp/b/config.json
            crun --cgroup-manager=disabled --root /tmp/state run --bundle /tmp/b prog";
        let output = inside(script, &config.to_string());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let status = text(&output.stdout);
        for field in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(set(&status, field), bits, "{field}: {status}");
        }
        assert_eq!(set(&status, "CapAmb"), ambient, "{status}");
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    }
}

/// A line of its log that begins with the name of the file says what is wrong there. The container
/// itself cannot start in the folder of the consumers.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn nspawn_reads_the_settings_without_a_word() {
    let read = |settings: &str| {
        let script = "mkdir -p /tmp/image/etc /run/systemd/nspawn
            touch /tmp/image/etc/os-release
            printf '%s' \"$1\" >/run/systemd/nspawn/prog.nspawn
            SYSTEMD_LOG_LEVEL=debug SYSTEMD_NSPAWN_LOCK=0 systemd-nspawn --register=no --keep-unit \
                --console=pipe -D /tmp/image -M prog /bin/true 2>&1 || true";
        let said = text(&inside(script, settings).stdout);
        assert!(said.contains("Settings are trusted: yes"), "{said}");
        let complaints = said
            .lines()
            .filter(|line| line.starts_with("/run/systemd/nspawn/"));
        complaints.map(str::to_owned).collect::<Vec<_>>()
    };
    for (options, command) in [
        (&[][..], &TWO[..]),
        (&NOBODY[..], &TWO[..]),
        (&[][..], &["true"][..]),
    ] {
        let settings = emitted("nspawn", options, command);
        assert_eq!(read(&settings), Vec::<String>::new(), "{settings}");
    }
    assert_eq!(read("[Exec]\nDropCapability=CAP_NO_SUCH\n").len(), 1);
}

/// The list that liblxc keeps, as it gives it back. It refuses a configuration that has both lists.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn lxc_reads_which_capabilities_are_kept() {
    let read = |lines: &str| {
        let config =
            format!("lxc.cap.drop = mac_admin sys_time\nlxc.rootfs.path = dir:/tmp\n{lines}");
        let script = "mkdir -p /tmp/lxc/prog; printf '%s' \"$1\" >/tmp/lxc/prog/config
            for key in cap.keep no_new_privs
            do lxc-info -P /tmp/lxc -n prog -c lxc.$key; done";
        let output = inside(script, &config);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        read(&emitted("lxc", &[], &TWO)),
        "lxc.cap.keep = sys_chroot sys_nice lxc.no_new_privs = 1"
    );
    assert_eq!(
        read(&emitted("lxc", &[], &["true"])),
        "lxc.cap.keep = lxc.no_new_privs = 1",
        "none is a list that is there and empty"
    );
}

#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_command_of_capsh_runs_the_program_with_exactly_the_set() {
    let command = format!("chroot / nice -n -5 true; {STATUS}");
    for options in [&[][..], &NOBODY[..]] {
        let emitted = emitted("capsh", options, &["sh", "-c", &command]);
        let output = sh(line(&emitted));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let status = text(&output.stdout);
        for field in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(set(&status, field), TWO_BITS, "{field}: {emitted}{status}");
        }
        let ambient = if options.is_empty() { 0 } else { TWO_BITS };
        assert_eq!(set(&status, "CapAmb"), ambient, "{status}");
    }
}
