//! What each command holds while it runs: what the table in SECURITY.md says, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::Bench;
use super::act::{Acting, Actor, check_setuid};
use crate::guest::capabilities::{
    BPF, CHOWN, Capability, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, KILL, SYS_PTRACE,
};
use crate::guest::folder;
use crate::guest::syscall::call;

const SECURITY: &str = include_str!("../../../../SECURITY.md");

/// How long it may take until it has given up what it does not need.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// The first user id that nobody uses (capable/src/kernel/bpf/privileges.rs).
const UNUSED: u32 = 0xC0DE_0000;

/// The only process that forbids itself system calls.
const READER: &str = "the reader of symbols";

/// `SECCOMP_MODE_FILTER` (include/uapi/linux/seccomp.h), as proc_pid_status(5) shows it.
const FILTER: &str = "2";

/// The capabilities in the table.
const KNOWN: [Capability; 6] = [
    CHOWN,
    DAC_OVERRIDE,
    DAC_READ_SEARCH,
    FOWNER,
    KILL,
    SYS_PTRACE,
];

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    capabilities: u64,
    /// It is a user whom nobody else is; otherwise root, as the tests are.
    unused: bool,
    /// A seccomp filter decides on its system calls.
    filtered: bool,
}

/// A command, and the rows for it and for the processes that help it, in the order in which they are
/// started.
struct Case {
    arguments: &'static [&'static str],
    row: &'static str,
    helpers: &'static [&'static str],
}

const fn case(
    arguments: &'static [&'static str],
    row: &'static str,
    helpers: &'static [&'static str],
) -> Case {
    Case {
        arguments,
        row,
        helpers,
    }
}

const CASES: &[Case] = &[
    case(&["trace"], "`trace`", &[]),
    case(&["trace", "-o", "json"], "`trace -o json`", &[]),
    case(&["trace", "-U", "-c", "actor"], "`trace -U`", &[READER]),
    case(
        &["trace", "--", "sleep", "100"],
        "`trace -- COMMAND`",
        &["the sentinel"],
    ),
    case(
        &["run", "--", "sleep", "100"],
        "`run`",
        &["the looker", "the sentinel"],
    ),
    case(
        &["why", "--", "sleep", "100"],
        "`why`",
        &["the looker", "the sentinel"],
    ),
    case(
        &[
            "run", "--report", "REPORT", "--emit", "json", "--", "sleep", "100",
        ],
        "`run --emit`",
        &["the keeper", "the looker", "the sentinel"],
    ),
    case(&["profile", "-p", "ACTOR"], "`profile`", &[]),
    case(
        &["profile", "-p", "ACTOR", "--emit", "json"],
        "`profile --emit`",
        &[],
    ),
    case(&["top", "-b"], "`top`", &[]),
];

/// Starts each command and looks at all its threads and those of its helpers.
pub fn held(_: &Bench) -> Result<()> {
    for case in CASES {
        check(case).with_context(|| format!("capable {:?}", case.arguments))?;
    }
    Ok(())
}

fn check(case: &Case) -> Result<()> {
    let actor = Actor::prepare(b"actor", || {
        // Its stack is asked for until the test is over.
        loop {
            check_setuid();
            sleep(PAUSE);
        }
    })?;
    let pid = actor.pid().to_string();
    let directory = folder::file("private");
    fs::create_dir_all(&directory)?;
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
    let report = directory.join("report");
    let arguments = case.arguments.iter().map(|&argument| match argument {
        "ACTOR" => pid.clone().into(),
        "REPORT" => report.clone().into_os_string(),
        other => other.into(),
    });
    let mut tracer = Command::new("capable")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let result = seen(&mut tracer, case, actor).and_then(|()| stop(&mut tracer, case, &report));
    // It has ended already if all is well.
    let _ = tracer.kill();
    let _ = tracer.wait();
    result
}

/// Waits until it holds what the table says.
fn seen(tracer: &mut Child, case: &Case, actor: Actor) -> Result<()> {
    let _acting: Acting = actor.start()?;
    let expected = expected(case)?;
    let begun = Instant::now();
    loop {
        let found = processes(tracer.id())?;
        if found == expected {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            bail!("holds {found:#x?} in place of {expected:#x?}");
        }
        if let Some(status) = tracer.try_wait()? {
            bail!("ended with {status}");
        }
        sleep(PAUSE);
    }
}

/// Ends it as a user does, and sees that it could still do what is left to do.
fn stop(tracer: &mut Child, case: &Case, report: &std::path::Path) -> Result<()> {
    call!(SYS_kill, tracer.id(), libc::SIGTERM).map_err(io::Error::from_raw_os_error)?;
    let status = tracer.wait()?;
    ensure!(status.signal().is_none(), "a signal ended it: {status}");
    // A command that is ended by the signal that is passed on to it.
    let code = if case.arguments.contains(&"sleep") {
        128 + libc::SIGTERM
    } else {
        0
    };
    ensure!(status.code() == Some(code), "it ended with {status}");
    if case.arguments.contains(&"REPORT") {
        let text = fs::read_to_string(report).context("no report")?;
        ensure!(text.contains("sleep 100"), "not a report: {text}");
    }
    Ok(())
}

fn expected(case: &Case) -> Result<Vec<Held>> {
    let rows = [case.row].into_iter().chain(case.helpers.iter().copied());
    let mut held: Vec<Held> = rows.map(row).collect::<Result<_>>()?;
    if bpf_is_refused()? {
        held[0].capabilities |= 1 << BPF.number;
    }
    Ok(held)
}

/// What the table says.
fn row(name: &str) -> Result<Held> {
    let begin = format!("| {name} |");
    let line = SECURITY.lines().find(|line| line.starts_with(&begin));
    let line = line.with_context(|| format!("SECURITY.md has no row {begin}"))?;
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, _, held, user, ..] = cells[..] else {
        bail!("not a row: {line}");
    };
    let mut capabilities = 0;
    for word in held.split(", ").filter(|&word| word != "none") {
        let mut known = KNOWN.iter();
        let known = known.find(|known| word.strip_prefix("CAP_") == Some(known.name));
        capabilities |= 1
            << known
                .with_context(|| format!("no capability {word}"))?
                .number;
    }
    let unused = match user {
        "unused" => true,
        "as started" => false,
        _ => bail!("{user} is no user: {line}"),
    };
    Ok(Held {
        capabilities,
        unused,
        // As "Who reads symbols" says.
        filtered: name == READER,
    })
}

/// Whether the kernel asks for CAP_BPF for maps that are open: before 5.19, if the sysctl is set
/// (`__sys_bpf`, kernel/bpf/syscall.c).
fn bpf_is_refused() -> Result<bool> {
    let disabled = fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled")?;
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split('.').map(str::parse::<u32>);
    let version = match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => bail!("not a release: {release}"),
    };
    Ok(version < (5, 19) && disabled.trim() != "0")
}

/// What a process holds, and those of its children that are `capable` too, the oldest first.
fn processes(pid: u32) -> Result<Vec<Held>> {
    let mut pids = BTreeSet::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        for child in fs::read_to_string(thread?.path().join("children"))?.split_whitespace() {
            let child: u32 = child.parse()?;
            // The command that is traced is none of them.
            let exe = fs::read_link(format!("/proc/{child}/exe")).unwrap_or_default();
            if exe.file_name() == Some("capable".as_ref()) {
                pids.insert(child);
            }
        }
    }
    [pid].into_iter().chain(pids).map(process).collect()
}

/// What all threads of a process hold, which must be the same.
fn process(pid: u32) -> Result<Held> {
    let mut all = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        all.extend(thread_of(&status));
    }
    all.dedup();
    match all.len() {
        1 => all.pop().context("no thread"),
        // Not yet, or not all of them.
        _ => Ok(Held {
            capabilities: u64::MAX,
            unused: false,
            filtered: false,
        }),
    }
}

/// What a thread holds; `None` if it could get more than it holds.
fn thread_of(status: &str) -> Option<Held> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.strip_prefix(':')?.trim())
    };
    let set = |name| u64::from_str_radix(field(name)?, 16).ok();
    let ids = |name| -> Option<Vec<u32>> {
        field(name)?
            .split_whitespace()
            .map(|id| id.parse().ok())
            .collect()
    };
    let permitted = set("CapPrm")?;
    let nothing = [set("CapInh")?, set("CapBnd")?, set("CapAmb")?] == [0; 3];
    let confined = nothing && set("CapEff")? == permitted && field("NoNewPrivs")? == "1";
    let (users, groups) = (ids("Uid")?, ids("Gid")?);
    let unused = users.iter().chain(&groups).all(|&id| id >= UNUSED);
    let own = users.iter().chain(&groups).all(|&id| id == users[0]);
    let no_groups = field("Groups")?.is_empty() || !unused;
    (confined && own && no_groups).then_some(Held {
        capabilities: permitted,
        unused,
        filtered: field("Seccomp")? == FILTER,
    })
}
