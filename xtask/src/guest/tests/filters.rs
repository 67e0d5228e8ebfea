//! Which checks are shown.

use std::collections::BTreeSet;
use std::thread;

use anyhow::{Result, bail, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use crate::guest::exceptions::{self, SKIPPED};
use crate::guest::identity::{Identity, USER};
use crate::guest::runner;
use crate::guest::scene::in_virtual_machine;
use crate::guest::syscall::call;
use crate::guest::tracer::Tracer;
use crate::guest::triggers;

const THREADS: usize = 20;

/// `-p` keeps every thread of the process, and nothing else.
pub fn process_with_threads(bench: &Bench) -> Result<()> {
    for way in bench.hooks() {
        let actor = Actor::prepare(b"threads", || {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| thread::spawn(|| call!(SYS_setuid, 0).is_ok()))
                .collect();
            threads
                .into_iter()
                .all(|thread| thread.join().unwrap_or(false))
        })?;
        let stranger = Actor::prepare(b"stranger", check_setuid)?;
        let pid = actor.pid().to_string();
        let tracer = Tracer::start(&["-p", &pid, "-o", "json", "--hook", way.hook])?;
        let wanted = u32::try_from(actor.pid())?;
        stranger.run()?;
        actor.run()?;
        let (rows, summary) = tracer.rows()?;
        let threads: BTreeSet<u32> = rows
            .iter()
            .filter(|row| row.capability == "CAP_SETUID" || row.capability == "SETUID")
            .map(|row| row.tid)
            .collect();
        let skipped = match summary.lost {
            0 => 0,
            lost if SKIPPED.contains(&way.hook) => usize::try_from(lost)?,
            lost => bail!("{}: {lost} lost", way.hook),
        };
        ensure!(
            threads.len() <= THREADS && threads.len() + skipped >= THREADS,
            "{}: rows of {} threads in place of {THREADS}, {skipped} skipped",
            way.hook,
            threads.len()
        );
        ensure!(
            !threads.contains(&wanted),
            "{}: the first thread made no check, and has a row",
            way.hook
        );
        for row in &rows {
            ensure!(
                row.pid == wanted,
                "{}: a row of another process: {row:?}",
                way.hook
            );
        }
    }
    Ok(())
}

/// Reading the kernel's symbol table is an unaudited check.
pub fn verbose(bench: &Bench) -> Result<()> {
    for way in bench.hooks() {
        for verbose in [false, true] {
            let actor = Actor::prepare(b"symbols", || {
                call!(SYS_open, c"/proc/kallsyms", libc::O_RDONLY).is_ok() && check_setuid()
            })?;
            let pid = actor.pid().to_string();
            let mut arguments = vec!["-p", &pid, "-o", "json", "--hook", way.hook];
            if verbose {
                arguments.push("-v");
            }
            let tracer = Tracer::start(&arguments)?;
            actor.run()?;
            let (rows, _) = tracer.rows()?;
            let audited = rows.iter().filter(|row| row.audit == Some(true)).count();
            let unaudited = rows.len() - audited;
            ensure!(
                audited == 1,
                "{}: {audited} audited checks in place of 1: {rows:?}",
                way.hook
            );
            ensure!(
                (unaudited > 0) == verbose,
                "{}: {unaudited} unaudited checks, verbose: {verbose}",
                way.hook
            );
        }
    }
    Ok(())
}

/// Loading programs makes many checks; none of the tracer's own are shown.
pub fn own_process(bench: &Bench) -> Result<()> {
    for way in bench.hooks() {
        let tracer = Tracer::start(&["-v", "-o", "json", "--hook", way.hook])?;
        let own = tracer.pid();
        let actor = Actor::prepare(b"somebody", check_setuid)?;
        let other = u32::try_from(actor.pid())?;
        actor.run()?;
        let (rows, _) = tracer.rows()?;
        ensure!(
            rows.iter().any(|row| row.pid == other),
            "{}: nothing was traced at all",
            way.hook
        );
        ensure!(
            rows.iter().all(|row| row.pid != own),
            "{}: the tracer shows itself",
            way.hook
        );
    }
    Ok(())
}

/// The UID of a row is the process's own real user. Overlayfs lets a process write with the
/// credentials of its mounter, and then `bpf_get_current_uid_gid` (kernel/bpf/helpers.c) returns
/// the user of those.
pub fn real_user(bench: &Bench) -> Result<()> {
    let Some(copy_up) = triggers::all().find(|trigger| trigger.name == "copy-up") else {
        bail!("there is no trigger copy-up");
    };
    let reading = |hook: &str| !exceptions::WITHOUT_STRUCTURES.contains(&hook);
    for way in bench.hooks().filter(|way| reading(way.hook)) {
        let tracer = Tracer::start(&["-o", "json", "-c", copy_up.name, "--hook", way.hook])?;
        let kernel = bench.machine.kernel;
        let run = runner::run(copy_up, Identity::User, &bench.scene, kernel)?;
        let (rows, _) = tracer.rows()?;
        if run.skipped.is_some() && !in_virtual_machine() {
            return Ok(());
        }
        ensure!(!rows.is_empty(), "{}: {run:?} shows nothing", way.hook);
        for row in &rows {
            ensure!(
                row.uid == USER,
                "{}: uid {} of {} for a process of user {USER}",
                way.hook,
                row.uid,
                row.capability
            );
        }
    }
    Ok(())
}
