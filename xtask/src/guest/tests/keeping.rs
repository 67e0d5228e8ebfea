//! What each filter keeps and drops of a mixed load, and that what it drops never leaves the
//! kernel.

use std::collections::BTreeMap;
use std::io;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::cast::{Act, CONTAINER, Cast, DAEMON, Member, UNIT};
use crate::guest::identity::USER;
use crate::guest::rows::Row;
use crate::guest::syscall::call;
use crate::guest::tracer::{Summary, Tracer};

/// How often all members do everything under one filter.
pub const ROUNDS: u8 = 20;
/// More than a record takes: 88 bytes for the check, 8 for its group and mount namespace, 64 for
/// its details, 12 frames, and a header.
const LARGEST_RECORD: usize = 280;
/// Less than a record takes: everything except the frames.
const SMALLEST_RECORD: usize = 160;

/// Whether a filter keeps a member's act.
type Keeps = Box<dyn Fn(&Member, Act) -> bool>;

/// A filter and what it keeps.
struct FilterCase {
    arguments: Vec<String>,
    keeps: Keeps,
    /// Whether it may keep other processes than the mix.
    strangers: bool,
}

/// A filter that keeps members of the mix only.
fn only(arguments: &[&str], keeps: impl Fn(&Member, Act) -> bool + 'static) -> FilterCase {
    FilterCase {
        arguments: arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect(),
        keeps: Box::new(keeps),
        strangers: false,
    }
}

/// A filter that processes outside of the mix pass too.
fn also(arguments: &[&str], keeps: impl Fn(&Member, Act) -> bool + 'static) -> FilterCase {
    FilterCase {
        strangers: true,
        ..only(arguments, keeps)
    }
}

/// `-p`, `--tid` and `-c`.
pub fn by_task(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    let root = cast.member("cast-root")?.pid;
    let process = cast.member("cast-process")?.pid;
    let thread = cast.member("cast-thread")?.tid;
    let (root_text, process_text) = (root.to_string(), process.to_string());
    check(
        &cast,
        &[
            only(&["-p", &root_text], move |member, _| member.pid == root),
            only(
                &["-p", &root_text, "--pid", &process_text],
                move |member, _| [root, process].contains(&member.pid),
            ),
            only(&["--tid", &thread.to_string()], move |member, _| {
                member.tid == thread
            }),
            // The thread's name, not that of its process.
            only(&["-c", "cast-thr?ad", "-c", "*-w[a-p]rker"], |member, _| {
                ["cast-thread", "cast-worker"].contains(&member.comm)
            }),
        ],
    )
}

/// `-u`, by number and by name.
pub fn by_user(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    check(
        &cast,
        &[
            // Root of its own user namespace is still this user.
            only(&["-u", &USER.to_string()], |member, _| member.uid == USER),
            only(&["-u", "daemon"], |member, _| member.uid == DAEMON),
            only(&["-u", "daemon", "-u", &USER.to_string()], |member, _| {
                [USER, DAEMON].contains(&member.uid)
            }),
            only(&["-u", &format!("daemon,{USER}")], |member, _| {
                [USER, DAEMON].contains(&member.uid)
            }),
            also(&["-u", "!root,!daemon"], |member, _| member.uid == USER),
        ],
    )
}

/// `--gid`, by number and by name: the real group, regardless of the user.
pub fn by_group(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    check(
        &cast,
        &[
            only(&["--gid", &USER.to_string()], |member, _| {
                member.gid == USER
            }),
            only(&["--gid", "daemon"], |member, _| member.gid == DAEMON),
            only(&["--gid", "daemon", "-u", "root"], |member, _| {
                member.comm == "cast-group"
            }),
            also(&["--gid", "!root"], |member, _| member.gid != 0),
            only(&["-u", "root", "--gid", "!root"], |member, _| {
                member.comm == "cast-group"
            }),
        ],
    )
}

/// `-C`, `--granted` and `--denied`.
pub fn by_check(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    check(
        &cast,
        &[
            also(&["-C", "sys_boot"], |_, act| act == Act::Boot),
            also(&["-C", "CAP_SETUID,22"], |_, act| act != Act::Admin),
            also(&["-C", "!Sys_Admin", "-C", "!7"], |_, act| act == Act::Boot),
            also(&["--granted"], |member, act| member.granted.contains(&act)),
            also(&["--denied"], |member, act| !member.granted.contains(&act)),
        ],
    )
}

/// `--cgroup`, `--unit` and `--container`, all including what is below.
pub fn by_cgroup(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    let worker = cast.member("cast-worker")?.cgroup.clone();
    let worker = worker.context("the worker has a cgroup")?;
    let worker = worker.to_str().context("a path in UTF-8")?;
    let unit = |member: &Member, _| ["cast-unit", "cast-worker"].contains(&member.comm);
    let contained = |member: &Member, _| member.comm == "cast-contained";
    check(
        &cast,
        &[
            only(&["--cgroup", worker], |member, _| {
                member.comm == "cast-worker"
            }),
            only(&["--cgroup", &format!("/system.slice/{UNIT}")], unit),
            only(&["--unit", "cast-web"], unit),
            only(&["--container", &CONTAINER[..8]], contained),
            only(
                &["--container", CONTAINER, "--unit", UNIT],
                move |member, act| unit(member, act) || contained(member, act),
            ),
        ],
    )
}

/// `--userns`, `--mntns` and `--pidns`, by process and by number.
pub fn by_namespace(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    let mut cases = Vec::new();
    for (option, kind, comm) in [
        ("--userns", "user", "cast-userns"),
        ("--mntns", "mnt", "cast-mounts"),
        ("--pidns", "pid", "cast-inner"),
    ] {
        let member = cast.member(comm)?;
        cases.push(only(
            &[option, &member.pid.to_string()],
            move |member, _| member.comm == comm,
        ));
        // Numbers of all kinds are handled the same way.
        if kind == "mnt" {
            let number = member.mount_namespace.to_string();
            cases.push(only(&[option, &number], move |member, _| {
                member.comm == comm
            }));
        }
    }
    // Repeated filters are alternatives.
    let user = cast.member("cast-userns")?.pid.to_string();
    let own = std::process::id().to_string();
    cases.push(also(&["--userns", &user, "--userns", &own], |_, _| true));
    check(&cast, &cases)
}

/// Different filters must all match.
pub fn by_many(_: &Bench) -> Result<()> {
    let cast = Cast::assemble()?;
    let user = USER.to_string();
    let process = cast.member("cast-process")?.pid;
    check(
        &cast,
        &[
            only(
                &["-u", &user, "--granted", "-C", "setuid,sys_boot"],
                |member, act| member.comm == "cast-userns" && act == Act::SetUid,
            ),
            only(
                &["--unit", UNIT, "-c", "*-worker", "-C", "!setuid"],
                |member, act| member.comm == "cast-worker" && act != Act::SetUid,
            ),
            only(
                &["-p", &process.to_string(), "-c", "*-thread", "--granted"],
                |member, _| member.comm == "cast-thread",
            ),
            only(&["-p", &process.to_string(), "--denied"], |_, _| false),
        ],
    )
}

fn check(cast: &Cast, cases: &[FilterCase]) -> Result<()> {
    for case in cases {
        check_one(cast, case).with_context(|| case.arguments.join(" "))?;
    }
    Ok(())
}

/// Runs one filter with a reader that sleeps while the checks are made, and a buffer that has room
/// only for those that are kept. If there are many more of the others, they would not fit: losing
/// nothing shows that they were never sent.
fn check_one(cast: &Cast, case: &FilterCase) -> Result<()> {
    let mut expected = BTreeMap::new();
    let made = cast.members.len() * Act::ALL.len() * usize::from(ROUNDS);
    for member in &cast.members {
        for act in Act::ALL {
            if (case.keeps)(member, act) {
                let result = if member.granted.contains(&act) {
                    "granted"
                } else {
                    "denied"
                };
                let key = (member.comm, act.capability().name, result);
                expected.insert(key, usize::from(ROUNDS));
            }
        }
    }
    let kept: usize = expected.values().sum();
    let buffer = (kept * LARGEST_RECORD).next_power_of_two().max(4096);
    let proves = (made - kept) * SMALLEST_RECORD > buffer;
    ensure!(
        proves || kept * 6 > made,
        "the mix is too small: {kept} of {made} are kept"
    );

    let buffer = buffer.to_string();
    let mut arguments = vec!["-o", "json", "--buffer-size", &buffer];
    arguments.extend(case.arguments.iter().map(String::as_str));
    let tracer = Tracer::start(&arguments)?;
    signal(&tracer, libc::SIGSTOP)?;
    let played = cast.play(ROUNDS);
    signal(&tracer, libc::SIGCONT)?;
    played?;
    let (rows, summary) = tracer.rows()?;

    let mut shown = BTreeMap::new();
    let mut strangers = 0;
    for row in &rows {
        match cast.members.iter().find(|member| member.tid == row.tid) {
            Some(member) => {
                let who = (row.pid, row.uid, row.gid, row.comm.as_str());
                ensure!(
                    who == (member.pid, member.uid, Some(member.gid), member.comm)
                        && row.mount_namespace == Some(member.mount_namespace),
                    "a row that is not that of {member:?}: {row:?}"
                );
                *shown.entry(key(member, row)).or_insert(0) += 1;
            }
            None => strangers += 1,
        }
    }
    ensure!(
        shown == expected,
        "shown: {shown:?}; in place of {expected:?}"
    );
    ensure!(
        strangers == 0 || case.strangers,
        "{strangers} rows of others: {rows:?}"
    );
    counts_fit(summary, made, rows.len())
}

/// Checks the kernel's own counts: everything was seen, what was kept was shown, and nothing was
/// lost.
///
/// # Errors
/// If they differ.
pub fn counts_fit(summary: Summary, made: usize, rows: usize) -> Result<()> {
    ensure!(
        summary.seen >= made as u64 && summary.shown == rows as u64 && summary.lost == 0,
        "{made} checks made, {rows} rows, but the summary says {summary:?}"
    );
    Ok(())
}

/// What distinguishes the checks of the mix.
fn key<'a>(member: &Member, row: &'a Row) -> (&'static str, &'a str, &'a str) {
    (
        member.comm,
        row.capability.trim_start_matches("CAP_"),
        row.result.as_deref().unwrap_or("-"),
    )
}

fn signal(tracer: &Tracer, signal: i32) -> Result<()> {
    call!(SYS_kill, tracer.pid(), signal)
        .map_err(io::Error::from_raw_os_error)
        .context("capable ended early")?;
    Ok(())
}
