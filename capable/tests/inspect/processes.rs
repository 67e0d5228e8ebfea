//! One process: its threads, its sets, its user namespace, and what execve(2) gives it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use capable::capability::Capability;
use capable::inspect::process::Process;
use capable::inspect::{Error, universe};
use rustix::process::{Pid, Signal};

use crate::{Running, set, start, wait_for};

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
