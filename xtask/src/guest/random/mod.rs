//! Random checks: compares the verdict of `capable` with what the kernel did.
//!
//! Processes with random users and sets, in user namespaces nested three deep with several owners,
//! make system calls whose success depends on a single check. The kprobe computes the verdict from
//! credentials and namespaces itself, so this proves that its walk matches the kernel's
//! (security/commoncap.c, `cap_capable`).

mod generator;
mod tree;
mod worker;

use std::collections::HashMap;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use super::exceptions::{Field, SKIPPED, may_be_unknown};
use super::folder::Folder;
use super::hooks::{HOOKS, must_work};
use super::kernel::Version;
use super::processors::Apart;
use super::tracer::Tracer;
use crate::tally::Tally;
use generator::Generator;
use tree::Tree;
use worker::{Made, Memory};

/// The name of the processes while they make checks.
const COMM: &str = "random";

/// Hooks other than the kprobe report what the kernel returned, so fewer checks are enough.
const SHARE_OF_OTHERS: usize = 10;

/// This many checks include every kind of verdict.
const ENOUGH: usize = 5000;

/// One line of `capable -o json`, with the fields that this test reads.
#[derive(Debug, Deserialize)]
struct VerdictRow {
    pid: u32,
    capability_number: i32,
    result: Option<String>,
    granted_by: Option<String>,
}

/// `xtask guest random-verdicts`.
///
/// # Errors
/// When the namespaces cannot be made. A wrong verdict is told by the exit code.
pub fn command(count: usize, seed: u64) -> Result<ExitCode> {
    let kernel = Version::running()?;
    let _folder = Folder::make()?;
    let mut tally = Tally::default();
    run(kernel, count, seed, &mut tally)?;
    Ok(tally.finish())
}

/// Runs the test with every hook of this kernel.
///
/// # Errors
/// When the namespaces cannot be made.
pub fn run(kernel: Version, count: usize, seed: u64, tally: &mut Tally) -> Result<()> {
    let mut generator = Generator::new(seed);
    let tree = Tree::grow(&mut generator)?;
    for hook in HOOKS.into_iter().filter(|hook| must_work(hook, kernel)) {
        let count = match hook {
            "kprobe" => count,
            _ => count / SHARE_OF_OTHERS,
        };
        let name = format!("random verdicts by {hook} (seed {seed})");
        let outcome = verdicts(hook, count, &tree, &mut generator).map(|summary| {
            println!("{name}: {summary}");
        });
        tally.record(&name, outcome);
    }
    Ok(())
}

fn verdicts(hook: &str, count: usize, tree: &Tree, generator: &mut Generator) -> Result<String> {
    let memory = Memory::map()?;
    let _apart = Apart::begin()?;
    let tracer = Tracer::start(&[
        "-c",
        COMM,
        "-o",
        "json",
        "--columns",
        "pid,cap,result,by",
        "--hook",
        hook,
    ])?;
    let mut made: Vec<(u32, Vec<Made>)> = Vec::new();
    let mut total = 0;
    while total < count {
        let (pid, checks) = worker::run(tree, generator, &memory)?;
        total += checks.len();
        made.push((pid, checks));
    }
    let finished = tracer.stop(libc::SIGINT)?;
    let (rows, summary) = finished.parse::<VerdictRow>()?;
    let mut by_process: HashMap<u32, Vec<VerdictRow>> = HashMap::new();
    for row in rows {
        by_process.entry(row.pid).or_default().push(row);
    }
    let mut counts = Counts::default();
    for (pid, checks) in &made {
        let rows = by_process.remove(pid).unwrap_or_default();
        if rows.len() != checks.len() {
            if summary.lost > 0 && SKIPPED.contains(&hook) && rows.len() < checks.len() {
                // It cannot be determined which of its checks was skipped.
                continue;
            }
            bail!(
                "process {pid} made {} checks and has {} rows; {} lost in all",
                checks.len(),
                rows.len(),
                summary.lost
            );
        }
        for (row, made) in rows.iter().zip(checks) {
            counts.compare(row, made, hook)?;
        }
    }
    ensure!(
        counts.all() * 2 >= total,
        "of {total} checks, only {} could be compared",
        counts.all()
    );
    if counts.all() >= ENOUGH {
        ensure!(
            counts.granted > 0 && counts.denied > 0 && counts.owned > 0,
            "one-sided: {counts:?}"
        );
    }
    Ok(format!(
        "{all} of {all} as the kernel decided ({} by the bit, {} by ownership, {} denied)",
        counts.granted,
        counts.owned,
        counts.denied,
        all = counts.all()
    ))
}

#[derive(Debug, Default)]
struct Counts {
    granted: usize,
    owned: usize,
    denied: usize,
}

impl Counts {
    fn all(&self) -> usize {
        self.granted + self.owned + self.denied
    }

    fn compare(&mut self, row: &VerdictRow, made: &Made, hook: &str) -> Result<()> {
        let (result, by) = match (made.granted, made.raised) {
            (true, true) => ("granted", Some("capability")),
            (true, false) => ("granted", Some("ownership")),
            (false, _) => ("denied", None),
        };
        let by_is_right = row.granted_by.as_deref() == by
            || (row.granted_by.is_none() && may_be_unknown(hook, Field::GrantedBy));
        ensure!(
            row.capability_number == i32::from(made.capability)
                && row.result.as_deref() == Some(result)
                && by_is_right,
            "the kernel: {made:?}; capable: {row:?}"
        );
        match by {
            Some("capability") => self.granted += 1,
            Some(_) => self.owned += 1,
            None => self.denied += 1,
        }
        Ok(())
    }
}
