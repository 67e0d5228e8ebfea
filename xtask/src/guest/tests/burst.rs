//! Many checks at once: none may disappear without being counted.

use std::hint::black_box;
use std::io::{self, Read as _};

use anyhow::{Context as _, Result, bail, ensure};

use super::Bench;
use crate::guest::exceptions::SKIPPED;
use crate::guest::fork::Child;
use crate::guest::hooks::Way;
use crate::guest::syscall::call;
use crate::guest::tracer::{Summary, Tracer};

/// How processes make checks.
#[derive(Clone, Copy)]
struct Load {
    processes: u32,
    checks_each: u32,
    /// Iterations of an idle loop between two checks.
    turns: u32,
}

/// Without pauses, by more processes than a CPU tracks outside of the table of counts (`RECENT` of
/// capable-common).
const BURST: Load = Load {
    processes: 10,
    checks_each: 10_000,
    turns: 0,
};

/// More busy processes than CPUs, none of which yields, at a rate that a reader with its share of
/// CPU time can follow.
const PREEMPTED: Load = Load {
    processes: 12,
    checks_each: 1_000,
    turns: 20_000,
};

impl Load {
    fn checks(self) -> u64 {
        u64::from(self.processes * self.checks_each)
    }
}

/// Processes that wait, and then make one audited check with each call of setuid(2).
struct Burst {
    children: Vec<Child>,
    start: io::PipeWriter,
}

impl Burst {
    fn prepare(load: Load) -> Result<Self> {
        let (reader, start) = io::pipe()?;
        let raw = std::os::fd::AsRawFd::as_raw_fd(&start);
        let mut children = Vec::new();
        for _ in 0..load.processes {
            children.push(Child::start(|| {
                // SAFETY: the child does not use its copy of the writer.
                unsafe { libc::close(raw) };
                // Closing the pipe is the signal for all of them.
                if (&reader).read(&mut [0]).is_err() {
                    return 1;
                }
                for _ in 0..load.checks_each {
                    (0..load.turns).for_each(|turn| {
                        black_box(turn);
                    });
                    if call!(SYS_setuid, 0).is_err() {
                        return 1;
                    }
                }
                0
            })?);
        }
        Ok(Self { children, start })
    }

    fn filters(&self) -> Vec<String> {
        let pids = self.children.iter().map(Child::pid);
        pids.flat_map(|pid| ["-p".to_owned(), pid.to_string()])
            .collect()
    }

    fn run(self) -> Result<()> {
        let Self { children, start } = self;
        drop(start);
        for child in children {
            ensure!(child.wait()? == 0, "a process of the burst failed");
        }
        Ok(())
    }
}

fn traced(
    way: Way,
    load: Load,
    buffer: &[&str],
    during: impl FnOnce(&Tracer, Burst) -> Result<()>,
) -> Result<Account> {
    let burst = Burst::prepare(load)?;
    let filters = burst.filters();
    let mut arguments = vec!["--summary"];
    arguments.extend(way.options());
    arguments.extend(filters.iter().map(String::as_str));
    arguments.extend(buffer);
    let tracer = Tracer::start(&arguments)?;
    during(&tracer, burst)?;
    let finished = tracer.stop(libc::SIGINT)?;
    ensure!(
        finished.status.success(),
        "capable ended with {}",
        finished.status
    );
    // The rows, the sums by program, and those by process.
    let parts: Vec<&str> = finished.stdout.split("    CHECKS ").collect();
    let [rows, _, processes] = parts[..] else {
        bail!("no sums: {}", finished.stdout);
    };
    let printed = rows.lines().filter(|line| line.contains("SETUID")).count() as u64;
    let summary = Summary::find(&finished.stderr)
        .with_context(|| format!("no summary: {:?}", finished.stderr))?;
    // CHECKS, PID, COMM, CAPABILITY and RESULT, one line for each process.
    let counted = processes
        .lines()
        .filter(|line| line.contains("CAP_SETUID"))
        .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Ok(Account {
        printed,
        counted,
        summary,
    })
}

/// The fate of the checks.
struct Account {
    printed: u64,
    /// The total of the table that `--summary` prints.
    counted: u64,
    summary: Summary,
}

/// 100 000 checks by ten processes: printed and lost ones add up to all of them, and so do the
/// counts.
pub fn all_accounted(bench: &Bench) -> Result<()> {
    let mut wrong = Vec::new();
    for &way in &bench.ways {
        let account = traced(way, BURST, &[], |_, burst| burst.run())?;
        judge(way, BURST, &account, &mut wrong);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

/// The reader is stopped until all checks have been made, so that the buffer must overflow.
pub fn sleeping_reader(bench: &Bench) -> Result<()> {
    let mut wrong = Vec::new();
    for &way in &bench.ways {
        let account = traced(way, BURST, &["--buffer-size", "256K"], |tracer, burst| {
            let failed = io::Error::from_raw_os_error;
            call!(SYS_kill, tracer.pid(), libc::SIGSTOP).map_err(failed)?;
            let result = burst.run();
            call!(SYS_kill, tracer.pid(), libc::SIGCONT).map_err(failed)?;
            result
        })?;
        if account.summary.lost == 0 {
            wrong.push(format!("{} {}: nothing was lost", way.hook, way.transport));
        }
        judge(way, BURST, &account, &mut wrong);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

/// Processes that preempt each other, sometimes in the middle of a check: the kprobe, which the
/// kernel runs with preemption off, shows every check, and the other hooks show or count it.
pub fn preempted(bench: &Bench) -> Result<()> {
    let mut wrong = Vec::new();
    for way in bench.hooks() {
        let account = traced(way, PREEMPTED, &[], |_, burst| burst.run())?;
        judge(way, PREEMPTED, &account, &mut wrong);
        if way.hook == "kprobe" && account.printed != PREEMPTED.checks() {
            wrong.push(format!("kprobe: {} lost", account.summary.lost));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

fn judge(way: Way, load: Load, account: &Account, wrong: &mut Vec<String>) {
    let Way { hook, transport } = way;
    let made = load.checks();
    let &Account {
        printed,
        counted,
        summary,
    } = account;
    let account = format!(
        "{made} made, {printed} printed, {} lost, {counted} counted",
        summary.lost
    );
    println!("  {hook} {transport}: {account}");
    // A program that the kernel skips does not learn whose check it was: what it missed may have
    // been a check of some other process.
    let exact = !SKIPPED.contains(&hook);
    let accounted = printed + summary.lost;
    // Checks lost on the way to user space are counted; those that the kernel skipped are not.
    let miscounted =
        counted > made || counted + summary.lost < made || (hook == "kprobe" && counted != made);
    if accounted < made || (exact && accounted != made) || miscounted || summary.shown != printed {
        wrong.push(format!(
            "{hook} {transport}: {account}, summary: {summary:?}"
        ));
    }
}
