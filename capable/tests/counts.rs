//! Counting in the kernel, against checks that this test makes.
//!
//! Tests marked "needs root" load eBPF programs; run them as root with
//! `cargo test -- --include-ignored`.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

use std::{
    collections::HashSet,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
};

use capable::{
    capability::Capability,
    context::{kernel_symbols::KernelSymbols, syscalls},
    event::ProcessId,
    filter::{Condition, Expression},
    inspect::process::Process,
    session::{
        self, Builder, Cause, CountBy, CountSubject, Counted, CountedStack, Counting, Losses,
        Session, Who,
    },
};

/// How many checks the child makes.
const CHECKS: u64 = 500;

/// A shell that raises a limit when it is told to, each time with one check for CAP_SYS_RESOURCE
/// (`do_prlimit`, kernel/sys.c).
struct Shell(Child);

impl Shell {
    fn start() -> Self {
        let script = format!(
            "ulimit -Sn 50; read go; i=0; while [ $i -lt {CHECKS} ]; do \
             ulimit -Hn 100; ulimit -Hn 200; i=$((i + 1)); done; echo done; read go"
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn make_checks(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
        let mut answer = [0; 5];
        self.0
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut answer)
            .unwrap();
        assert_eq!(&answer, b"done\n");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Counts the checks of shells: all rows, and what happened to the checks.
fn count(shells: &mut [Shell], by: CountBy) -> (Vec<Counted>, Losses) {
    let pids = shells.iter().map(|shell| Condition::Process(shell.0.id()));
    let mut session = counting(Expression::any(pids), by);
    for shell in shells {
        shell.make_checks();
    }
    (session.counts().unwrap(), session.losses().unwrap())
}

/// Counts checks for CAP_SYS_RESOURCE.
fn counting(who: Expression, by: CountBy) -> Session<Counting> {
    let wanted = who.and(Condition::Capability(Capability::SYS_RESOURCE).into());
    let builder = Builder::new().unaudited().filter(wanted).unwrap();
    builder.counts(by).unwrap()
}

#[test]
#[ignore = "needs root"]
fn each_check_is_counted_once_under_its_process() {
    let mut shell = [Shell::start()];
    let pid = shell[0].0.id();
    let effective = Process::read(pid).unwrap().credentials.sets.effective;
    let (rows, losses) = count(&mut shell, CountBy::PROCESS);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(
        row.who,
        Who::Process(
            ProcessId::of(pid).unwrap(),
            *b"sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        )
    );
    assert_eq!(row.facts.capability, Capability::SYS_RESOURCE);
    if let Some(verdict) = row.facts.verdict {
        let granted = effective.contains(Capability::SYS_RESOURCE);
        assert_eq!(verdict.is_granted(), granted, "{verdict:?}");
    }
    assert_eq!(row.stack, CountedStack::NotAsked);
    assert_eq!(row.checks, CHECKS);
    assert_eq!(losses, Losses::default());
    let age = session::now() - row.first;
    assert!(age < 60_000_000_000, "the first check was {age} ns ago");
}

#[test]
#[ignore = "needs root"]
fn a_row_tells_stack_and_system_call_where_they_are_asked_for() {
    let by = CountBy {
        subject: CountSubject::All,
        origin: true,
        ..CountBy::PROCESS
    };
    let (rows, _) = count(&mut [Shell::start()], by);
    let checks: u64 = rows.iter().map(|row| row.checks).sum();
    assert_eq!(checks, CHECKS);
    for row in &rows {
        assert_eq!(row.who, Who::All);
        let name = row.syscall.and_then(|number| syscalls::name(number, false));
        assert!(matches!(name, None | Some("prlimit64")), "{name:?}");
    }
    let symbols = KernelSymbols::load().unwrap();
    let CountedStack::Frames(frames) = &rows[0].stack else {
        panic!("{:?}", rows[0].stack);
    };
    assert_eq!(symbols.caller(frames), Some("do_prlimit"));
}

#[test]
#[ignore = "needs root"]
fn what_does_not_fit_into_the_table_is_lost_and_said() {
    let by = CountBy {
        entries: 1,
        ..CountBy::PROCESS
    };
    let (rows, losses) = count(&mut [Shell::start(), Shell::start()], by);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].checks, losses.counts()), (CHECKS, CHECKS));
    assert_eq!(losses.by(Cause::CountsFull), CHECKS);
}

#[test]
#[ignore = "needs root"]
fn many_processes_are_all_read_and_go_together_when_they_ended() {
    // More than are read at once.
    const PROCESSES: usize = 1200;
    let directory = tempfile::tempdir().unwrap();
    let shell = directory.path().join("capable-counts");
    std::os::unix::fs::symlink("/bin/sh", &shell).unwrap();
    let who = Condition::Comm("capable-counts".to_owned());
    let mut session = counting(who.into(), CountBy::PROCESS);
    let script = format!(
        "ulimit -Sn 50; ulimit -Hn 100; i=0; while [ $i -lt {PROCESSES} ]; do \
         (ulimit -Hn 200); i=$((i + 1)); done"
    );
    let mut command = Command::new(&shell);
    command.args(["-c", &script]).stderr(Stdio::null());
    command.status().unwrap();

    assert_eq!(session.losses().unwrap(), Losses::default());
    let rows = session.counts().unwrap();
    let pids: HashSet<Who> = rows.iter().map(|row| row.who).collect();
    assert_eq!((rows.len(), pids.len()), (PROCESSES, PROCESSES));
    assert!(rows.iter().all(|row| row.checks == 1));

    assert_eq!(session.fold_ended().unwrap().len(), PROCESSES);
    let rows = session.counts().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].who, Who::Ended(*b"capable-counts\0\0"));
    assert_eq!(rows[0].checks, PROCESSES as u64);
    assert!(session.fold_ended().unwrap().is_empty());
}
