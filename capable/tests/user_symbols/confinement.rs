//! What the reader has and may.

use std::process::{Command, Stdio};

use super::{
    one_at_a_time,
    program::{Program, names},
    reader_of, status, symbols,
};

#[test]
fn the_reader_holds_nothing_and_may_nothing() {
    let _alone = one_at_a_time();
    let Some(program) = Program::compile(&["-O1", "-g"]) else {
        return;
    };
    let own = std::process::id();
    let mut symbols = symbols(true);
    assert_eq!(reader_of(own), None, "it is started when it is needed");
    let running = program.start();
    let stack = symbols.symbolize(running.child.id(), &running.frames());
    assert_eq!(names(&stack)[1], "asks_for_it");
    let reader = reader_of(own).unwrap();
    let is = |key: &str| status(reader, key).unwrap();
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(is(set), "0000000000000000", "{set}");
    }
    // SAFETY: the call takes nothing and cannot fail.
    if unsafe { libc::geteuid() } == 0 {
        assert_eq!(is("CapBnd"), "0000000000000000");
    }
    assert_eq!((&*is("NoNewPrivs"), &*is("Seccomp")), ("1", "2"));
    let limits = std::fs::read_to_string(format!("/proc/{reader}/limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let mut numbers = line[name.len()..].split_whitespace();
        let (soft, hard) = (numbers.next().unwrap(), numbers.next().unwrap());
        assert_eq!(soft, hard, "{name}");
        soft.to_owned()
    };
    assert_eq!(limit("Max address space"), (1u64 << 30).to_string());
    for name in ["Max file size", "Max core file size", "Max processes"] {
        assert_eq!(limit(name), "0", "{name}");
    }
    drop(symbols);
    assert_eq!(reader_of(own), None, "it ends with whom it reads for");
}

#[test]
fn who_starts_a_reader_by_hand_gets_none() {
    use std::os::unix::process::CommandExt as _;
    let started = |version: &str| {
        Command::new(env!("CARGO_BIN_EXE_capable"))
            .arg0("capable-reader")
            .arg(version)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    assert_eq!(started("another version").status.code(), Some(2));
    let no_socket = started("1");
    assert_eq!(no_socket.status.code(), Some(1));
    assert!(no_socket.stdout.is_empty());
}
