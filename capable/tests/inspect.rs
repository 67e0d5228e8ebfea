//! `capable::inspect` against real processes, files and namespaces.
//!
//! Tests marked "needs root" change credentials and extended attributes; run them as root with
//! `cargo test -- --include-ignored`.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use capable::capability::{Capability, CapabilitySet};
use capable::inspect::file::{File, HeldAtStart};
use capable::inspect::process::Process;
use capable::inspect::{Error, Refusal, universe};
use rustix::fs::XattrFlags;
use rustix::process::{Pid, Signal};

/// A child that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the process as soon as it runs a program with this name.
fn wait_for(pid: u32, comm: &str) -> Process {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let process = Process::read(pid).unwrap();
        if process.comm == comm.as_bytes() {
            // The name changes before the credentials do (`begin_new_exec`, fs/exec.c).
            thread::sleep(Duration::from_millis(20));
            return Process::read(pid).unwrap();
        }
        assert!(Instant::now() < deadline, "{comm} did not start");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Starts a command that becomes the program with this name, and reads it.
fn start(command: &str, arguments: &[&str], comm: &str) -> (Running, Process) {
    let running = Running(Command::new(command).args(arguments).spawn().unwrap());
    let process = wait_for(running.0.id(), comm);
    (running, process)
}

fn set(text: &str) -> CapabilitySet {
    text.parse().unwrap()
}

#[test]
#[ignore = "needs root; cargo xtask test runs it"]
fn those_that_hold_capabilities_are_ranked_by_what_they_can_do() {
    let drop = |caps: &str| {
        let bounding = format!("--bounding-set=-all,{caps}");
        let (running, _) = start(
            "setpriv",
            &["--inh-caps=-all", &bounding, "--", "sleep", "60"],
            "sleep",
        );
        running
    };
    // CAP_SYS_ADMIN equals root, and the three together do not.
    let (few, many, none) = (
        drop("+net_broadcast,+ipc_lock,+sys_nice"),
        drop("+sys_admin"),
        drop("-chown"),
    );
    let output = Command::new(env!("CARGO_BIN_EXE_capable"))
        .arg("inspect")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |running: &Running| {
        let pid = running.0.id().to_string();
        text.lines()
            .position(|line| line.split_whitespace().next() == Some(&pid))
    };
    assert!(line(&many).unwrap() < line(&few).unwrap(), "{text}");
    assert_eq!(line(&none), None, "{text}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("without capabilities"), "{told}");
}

#[test]
fn every_process_agrees_with_capget() {
    let mut compared = 0;
    for entry in fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(process) = Process::read(pid.unsigned_abs()) else {
            continue;
        };
        let Ok(known) = rustix::thread::capabilities(Pid::from_raw(pid)) else {
            continue;
        };
        // What ended or changed in between shows in a second look.
        if Process::read(pid.unsigned_abs())
            .is_ok_and(|again| again.credentials == process.credentials)
        {
            let sets = process.credentials.sets;
            assert_eq!(sets.effective.bits(), known.effective.bits(), "{pid}");
            assert_eq!(sets.permitted.bits(), known.permitted.bits(), "{pid}");
            assert_eq!(sets.inheritable.bits(), known.inheritable.bits(), "{pid}");
            compared += 1;
        }
    }
    assert!(compared >= 2, "only {compared} processes to compare");
}

#[test]
fn a_thread_that_differs_is_shown_with_what_differs() {
    let (ready, wait) = mpsc::channel();
    let (done, finish) = mpsc::channel::<()>();
    let different = thread::spawn(move || {
        rustix::thread::set_no_new_privs(true).unwrap();
        ready.send(rustix::thread::gettid()).unwrap();
        let _ = finish.recv();
    });
    let tid = wait.recv().unwrap().as_raw_pid().unsigned_abs();
    let process = Process::read(std::process::id()).unwrap();
    let thread = process
        .differing_threads
        .iter()
        .find(|thread| thread.tid == tid)
        .unwrap();
    assert_eq!(thread.credentials.no_new_privs, Some(true));
    assert_eq!(thread.credentials.sets, process.credentials.sets);
    assert!(process.thread_count >= 2);

    let alone = Process::read(tid).unwrap();
    assert_eq!(alone.thread_of, Some(std::process::id()));
    assert_eq!(alone.credentials.no_new_privs, Some(true));
    done.send(()).unwrap();
    different.join().unwrap();
}

#[test]
fn secure_bits_are_known_of_oneself_only() {
    let (_running, other) = start("sleep", &["60"], "sleep");
    assert_eq!(other.securebits, None);
    let own = Process::read(std::process::id()).unwrap();
    assert!(own.securebits.is_some());
}

#[test]
fn a_process_that_ended_is_an_error_with_its_number() {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    let error = Process::read(pid).unwrap_err();
    assert!(matches!(error, Error::NoProcess(gone) if gone == pid));
    assert!(error.to_string().contains(&pid.to_string()));
}

#[test]
fn files_without_privileges_scripts_and_directories_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    fs::write(&script, "#! /usr/bin/env sh\necho\n").unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o6755)).unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.interpreter.as_deref(), Some(&b"/usr/bin/env"[..]));
    assert!(file.set_user_id && file.run_by_user.is_none());

    fs::write(&script, "echo\n").unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.refused_to_user, Some(Refusal::Format));
    assert_eq!(file.refused_to_root, Some(Refusal::Format));

    fs::copy("/bin/true", &script).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o4700)).unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.refused_to_user, Some(Refusal::Mode));
    assert!(file.refused_to_root.is_none() && file.run_by_root.is_some());

    fs::set_permissions(&script, Permissions::from_mode(0o2644)).unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.refused_to_root, Some(Refusal::NotExecutable));
    assert!(!file.set_group_id, "not without the group's execute bit");

    let error = File::read(directory.path(), universe()).unwrap_err();
    assert!(error.to_string().contains("is a directory"));
    let missing = directory.path().join("missing");
    let error = File::read(&missing, universe()).unwrap_err();
    assert!(error.to_string().contains("missing"));
}

#[test]
#[ignore = "needs root"]
fn the_five_sets_of_a_process_are_those_it_was_given() {
    let options = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=-all,+net_raw,+kill",
        "--ambient-caps=-all,+net_raw",
        "--bounding-set=-all,+net_raw,+kill,+chown",
        "--no-new-privs",
        "sleep",
        "60",
    ];
    let (_running, process) = start("setpriv", &options, "sleep");
    let sets = process.credentials.sets;
    assert_eq!(sets.effective, Capability::NET_RAW.into());
    assert_eq!(sets.permitted, Capability::NET_RAW.into());
    assert_eq!(sets.inheritable, set("net_raw,kill"));
    assert_eq!(sets.bounding, set("net_raw,kill,chown"));
    assert_eq!(sets.ambient, Capability::NET_RAW.into());
    assert_eq!(process.credentials.uid.real, 65534);
    assert_eq!(process.credentials.no_new_privs, Some(true));
    assert_eq!(process.user_namespace.initial, Some(true));
}

#[test]
#[ignore = "needs root"]
fn what_execve_gives_is_foretold() {
    let ways: [&[&str]; 6] = [
        &[],
        &["--bounding-set=-sys_admin"],
        &["--inh-caps=+net_raw", "--ambient-caps=+net_raw"],
        &["--reuid=65534", "--clear-groups"],
        &[
            "--reuid=65534",
            "--clear-groups",
            "--inh-caps=+kill",
            "--ambient-caps=+kill",
        ],
        &["--no-new-privs", "--euid=65534", "--clear-groups"],
    ];
    for options in ways {
        let mut arguments = options.to_vec();
        arguments.extend(["bash", "-p", "-c", "sleep 60 & echo $!; wait"]);
        let child = Command::new("setpriv")
            .args(&arguments)
            .stdout(Stdio::piped())
            .spawn();
        let mut shell = Running(child.unwrap());
        let mut line = String::new();
        BufReader::new(shell.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let started: i32 = line.trim().parse().unwrap();
        let after = Process::read(shell.0.id()).unwrap().after_execve.unwrap();
        let sets = wait_for(started.unsigned_abs(), "sleep").credentials.sets;
        rustix::process::kill_process(Pid::from_raw(started).unwrap(), Signal::KILL).unwrap();
        assert_eq!(
            (after.effective, after.permitted),
            (sets.effective, sets.permitted),
            "{options:?}"
        );
    }
}

#[test]
#[ignore = "needs root"]
fn a_user_namespace_is_told_with_its_owner_and_its_root() {
    let arguments = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "unshare",
        "--user",
        "--map-root-user",
        "sleep",
        "60",
    ];
    let (_running, process) = start("setpriv", &arguments, "sleep");
    let namespace = process.user_namespace;
    assert_eq!(namespace.initial, Some(false));
    assert_eq!(namespace.owner, Some(65534));
    assert_eq!(namespace.root, Some(65534));
    assert_eq!(namespace.uid_map.len(), 1);
    // Its root is uid 65534 here, and execve gives it everything there.
    assert_eq!(process.after_execve.unwrap().effective, universe());
}

/// A copy of sleep that everyone can run.
struct Program {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Program {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("program");
        fs::copy("/bin/sleep", &path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self {
            path,
            _directory: directory,
        }
    }

    fn with_attribute(words: &[u32]) -> Self {
        let program = Self::new();
        let value: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let name = c"security.capability";
        rustix::fs::setxattr(&program.path, name, &value, XattrFlags::empty()).unwrap();
        program
    }

    fn read(&self) -> File {
        File::read(&self.path, universe()).unwrap()
    }

    /// What a user holds who really runs it.
    fn run_by(&self, uid: u32) -> HeldAtStart {
        let ids = format!("--reuid={uid}");
        let path = self.path.to_str().unwrap();
        let arguments = [ids.as_str(), "--clear-groups", path, "60"];
        let (_running, process) = start("setpriv", &arguments, "program");
        let credentials = process.credentials;
        let euid = credentials.uid.effective;
        HeldAtStart {
            becomes_uid: (euid != uid).then_some(euid),
            effective: credentials.sets.effective,
            permitted: credentials.sets.permitted,
        }
    }

    /// What is foretold is what happens, as far as this machine's bounding set lets it.
    fn assert_foretold(&self) {
        let own = Process::read(std::process::id()).unwrap();
        let bounding = own.credentials.sets.bounding;
        let file = self.read();
        for (uid, foretold) in [(65534, file.run_by_user), (0, file.run_by_root)] {
            let mut foretold = foretold.unwrap();
            foretold.effective = foretold.effective.intersection(bounding);
            foretold.permitted = foretold.permitted.intersection(bounding);
            assert_eq!(foretold, self.run_by(uid), "uid {uid}");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn a_file_with_capabilities_gives_what_is_foretold() {
    Program::new().assert_foretold();
    let program = Program::with_attribute(&[0x0200_0001, 0x2000, 0x20, 0, 0]);
    let own = program.read().capabilities.unwrap();
    assert_eq!((own.version, own.effective), (2, true));
    assert_eq!(own.permitted, Capability::NET_RAW.into());
    assert_eq!(own.inheritable, Capability::KILL.into());
    program.assert_foretold();

    let without_bit = Program::with_attribute(&[0x0200_0000, 0x2000, 0, 0, 0]);
    let run = without_bit.read().run_by_user.unwrap();
    assert_eq!(run.permitted, Capability::NET_RAW.into());
    assert!(run.effective.is_empty());
    without_bit.assert_foretold();
}

#[test]
#[ignore = "needs root"]
fn version_3_gives_nothing_outside_its_user_namespace() {
    let program = Program::with_attribute(&[0x0300_0001, 0x2000, 0, 0, 0, 100_000]);
    let file = program.read();
    let own = file.capabilities.unwrap();
    assert_eq!((own.version, own.root_uid), (3, Some(100_000)));
    assert_eq!(own.permitted, Capability::NET_RAW.into());
    assert!(file.run_by_user.unwrap().permitted.is_empty());
    program.assert_foretold();
}

#[test]
#[ignore = "needs root"]
fn set_user_id_gives_what_is_foretold_for_root_and_for_others() {
    for owner in [0, 1234] {
        let program = Program::new();
        chown(&program.path, Some(owner), None).unwrap();
        fs::set_permissions(&program.path, Permissions::from_mode(0o4755)).unwrap();
        let run = program.read().run_by_user.unwrap();
        assert_eq!(run.becomes_uid, Some(owner));
        assert_eq!(run.permitted.is_empty(), owner != 0);
        program.assert_foretold();
    }
}

#[test]
#[ignore = "needs root"]
fn a_mount_with_nosuid_takes_it_all_away() {
    let directory = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o nosuid none {0} && cp /bin/sleep {0}/program && \
         chmod 4755 {0}/program && mkdir {0}/suid {0}/noexec && mount -t tmpfs none {0}/suid && \
         mount -t tmpfs -o noexec none {0}/noexec && cp -p {0}/program {0}/suid && \
         cp -p {0}/program {0}/noexec && exec sleep 60",
        directory.path().display()
    );
    let (_running, process) = start("unshare", &["--mount", "sh", "-c", &script], "sleep");
    let root = Path::new("/proc")
        .join(process.pid.to_string())
        .join("root");
    let inside = |file: &str| {
        let folder = directory.path().strip_prefix("/").unwrap();
        root.join(folder).join(file)
    };
    let path = inside("program");
    let file = File::read(&path, universe()).unwrap();
    assert!(file.set_user_id);
    assert_eq!(file.nosuid, Some(true));
    assert_eq!(file.path, path, "it has no other name here");
    assert_eq!(file.run_by_user.unwrap().becomes_uid, None);

    // A mount of another mount namespace is like nosuid; before 5.8 the kernel does not tell.
    let file = File::read(&inside("suid/program"), universe()).unwrap();
    assert_eq!(file.nosuid, Some(false));
    if file.foreign_mount.is_some() {
        assert_eq!(file.foreign_mount, Some(true));
        assert_eq!(file.run_by_user.unwrap().becomes_uid, None);
    }
    let file = File::read(&inside("noexec/program"), universe()).unwrap();
    assert_eq!(file.refused_to_root, Some(Refusal::Noexec));
    assert_eq!(file.refused_to_user, Some(Refusal::Noexec));
}

#[test]
#[ignore = "needs root"]
fn what_a_file_insists_on_is_refused_where_the_bounding_set_lacks_it() {
    // Version 2, the effective bit, CAP_NET_RAW permitted.
    let program = Program::with_attribute(&[0x0200_0001, 0x2000, 0, 0, 0]);
    assert_eq!(program.read().refused_to_root, None);
    let path = program.path.to_str().unwrap();
    let bounded = ["--bounding-set=-net_raw", "--"];
    let inspect = [env!("CARGO_BIN_EXE_capable"), "inspect", "-o", "json", path];
    let said = output("setpriv", &[&bounded[..], &inspect].concat());
    assert!(
        said.contains("\"refused_to_root\":\"bounding_set\""),
        "{said}"
    );
    let executed = Command::new("setpriv").args(bounded).arg(path).output();
    let executed = executed.unwrap();
    let error = String::from_utf8_lossy(&executed.stderr);
    assert!(error.contains("Operation not permitted"), "{error}");
}

/// Reads the text of cap_to_text(3), such as `=ep cap_sys_resource-ep`: effective, permitted and
/// inheritable.
fn from_libcap(text: &str) -> [CapabilitySet; 3] {
    let mut sets = [CapabilitySet::EMPTY; 3];
    for clause in text.split_whitespace() {
        let start = clause.find(['=', '+', '-']).unwrap();
        let named = match &clause[..start] {
            "" | "all" => universe(),
            names => set(names),
        };
        let mut operator = '=';
        // An equals sign without flags lowers all three.
        for character in clause[start..].chars() {
            match character {
                '=' => sets = sets.map(|each| each.difference(named)),
                '+' | '-' => {}
                flag => {
                    let index = "epi".find(flag).unwrap();
                    sets[index] = match operator {
                        '-' => sets[index].difference(named),
                        _ => sets[index].union(named),
                    };
                    continue;
                }
            }
            operator = character;
        }
    }
    sets
}

/// What a program prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[test]
#[ignore = "needs root and getpcaps of libcap2-bin"]
fn ten_processes_agree_with_getpcaps() {
    let ways: [&[&str]; 10] = [
        &[],
        &["--bounding-set=-sys_admin"],
        &["--inh-caps=+net_raw"],
        &["--inh-caps=+net_raw", "--ambient-caps=+net_raw"],
        &[
            "--inh-caps=+bpf,+perfmon",
            "--bounding-set=-all,+bpf,+perfmon",
        ],
        &["--reuid=65534", "--clear-groups"],
        &["--reuid=65534", "--clear-groups", "--inh-caps=+chown,+kill"],
        &[
            "--reuid=65534",
            "--clear-groups",
            "--inh-caps=+kill,+bpf",
            "--ambient-caps=+bpf",
        ],
        &["--no-new-privs", "--bounding-set=-all,+net_bind_service"],
        &[
            "--securebits=+noroot",
            "--inh-caps=+kill",
            "--ambient-caps=+kill",
        ],
    ];
    for options in ways {
        let mut arguments = options.to_vec();
        arguments.extend(["sleep", "60"]);
        let (running, process) = start("setpriv", &arguments, "sleep");
        let pid = running.0.id().to_string();
        let text = output("getpcaps", &[&pid]);
        let (_, text) = text.trim().split_once(": ").unwrap();
        let sets = process.credentials.sets;
        assert_eq!(
            [sets.effective, sets.permitted, sets.inheritable],
            from_libcap(text),
            "{options:?}: {text}"
        );
    }
}

#[test]
#[ignore = "needs root and getcap of libcap2-bin"]
fn files_agree_with_getcap() {
    let versions: [&[u32]; 10] = [
        &[0x0200_0001, 0x2000, 0, 0, 0],
        &[0x0200_0000, 0x2000, 0, 0, 0],
        &[0x0200_0000, 0, 0x20, 0, 0],
        &[0x0200_0001, 0x2001, 0x2021, 0, 0],
        &[0x0200_0001, 0, 0, 0xc0, 0],
        &[0x0200_0001, u32::MAX, 0, 0x1ff, 0],
        &[0x0200_0000, u32::MAX, u32::MAX, 0x1ff, 0x1ff],
        &[0x0300_0001, 0x2000, 0, 0, 0, 100_000],
        &[0x0300_0000, 0, 0x20, 0x100, 0, 231_072],
        &[0x0300_0001, 0x400, 0x400, 0, 0, 0],
    ];
    for words in versions {
        let program = Program::with_attribute(words);
        let file = program.read();
        let own = file.capabilities.unwrap();
        let path = program.path.to_str().unwrap();
        let text = output("getcap", &["-n", path]);
        let text = text.trim().strip_prefix(path).unwrap();
        let (text, root) = match text.split_once(" [rootid=") {
            Some((text, root)) => (text, root.trim_end_matches(']').parse().ok()),
            None => (text, None),
        };
        let [effective, permitted, inheritable] = from_libcap(text);
        // The kernel hands out version 2 where the root user is the reader's.
        assert_eq!(own.root_uid, root, "{words:x?}");
        assert_eq!(own.permitted, permitted, "{words:x?}: {text}");
        assert_eq!(own.inheritable, inheritable, "{words:x?}: {text}");
        let some = permitted.union(inheritable);
        assert_eq!(
            effective,
            if own.effective {
                some
            } else {
                CapabilitySet::EMPTY
            },
            "{words:x?}: {text}"
        );
    }
    let plain = Program::new();
    assert!(output("getcap", &[plain.path.to_str().unwrap()]).is_empty());
    assert!(plain.read().capabilities.is_none());
}
