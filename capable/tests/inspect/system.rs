//! All processes of this machine.

use std::fs;
use std::process::Command;

use capable::inspect::process::Process;
use rustix::process::Pid;

use crate::{Running, start};

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
