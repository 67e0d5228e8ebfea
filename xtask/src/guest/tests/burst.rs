//! Many checks at once: none may vanish without a count.

use std::io::{self, Read as _};

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use crate::guest::exceptions::SKIPPED;
use crate::guest::fork::Child;
use crate::guest::hooks::Way;
use crate::guest::syscall::call;
use crate::guest::tracer::{Summary, Tracer};

/// More than a processor keeps apart outside of the table of counts (`RECENT` of capable-common).
const PROCESSES: usize = 10;
const CHECKS_EACH: usize = 10_000;
const CHECKS: u64 = (PROCESSES * CHECKS_EACH) as u64;

/// Processes that wait, and then make one audited check per call of setuid(2).
struct Burst {
    children: Vec<Child>,
    start: io::PipeWriter,
}

impl Burst {
    fn prepare() -> Result<Self> {
        let (reader, start) = io::pipe()?;
        let raw = std::os::fd::AsRawFd::as_raw_fd(&start);
        let mut children = Vec::new();
        for _ in 0..PROCESSES {
            children.push(Child::start(|| {
                // SAFETY: the child does not use its copy of the writer.
                unsafe { libc::close(raw) };
                // The end of the pipe is the signal for all of them.
                if (&reader).read(&mut [0]).is_err() {
                    return 1;
                }
                for _ in 0..CHECKS_EACH {
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
    buffer: &[&str],
    during: impl FnOnce(&Tracer, Burst) -> Result<()>,
) -> Result<Account> {
    let burst = Burst::prepare()?;
    let filters = burst.filters();
    let mut arguments = vec![
        "--hook",
        way.hook,
        "--transport",
        way.transport,
        "--summary",
    ];
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
    let printed = finished
        .stdout
        .lines()
        .filter(|line| line.contains("SETUID"))
        .count() as u64;
    let summary = Summary::find(&finished.stderr)
        .with_context(|| format!("no summary: {:?}", finished.stderr))?;
    // CHECKS, PID, COMM, CAPABILITY and RESULT, one line for each process.
    let counted = finished
        .stderr
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

/// What became of the checks.
struct Account {
    printed: u64,
    /// Those of the table that `--summary` prints.
    counted: u64,
    summary: Summary,
}

/// 100 000 checks by ten processes: printed and lost make all of them, and so does what was counted.
pub fn all_accounted(bench: &Bench) -> Result<()> {
    let mut wrong = Vec::new();
    for &way in &bench.ways {
        let account = traced(way, &[], |_, burst| burst.run())?;
        judge(way, &account, &mut wrong);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

/// The reader is stopped until all checks are made, so that the buffer must overflow.
pub fn sleeping_reader(bench: &Bench) -> Result<()> {
    let mut wrong = Vec::new();
    for &way in &bench.ways {
        let account = traced(way, &["--buffer-size", "256K"], |tracer, burst| {
            let failed = io::Error::from_raw_os_error;
            call!(SYS_kill, tracer.pid(), libc::SIGSTOP).map_err(failed)?;
            let result = burst.run();
            call!(SYS_kill, tracer.pid(), libc::SIGCONT).map_err(failed)?;
            result
        })?;
        if account.summary.lost == 0 {
            wrong.push(format!("{} {}: nothing was lost", way.hook, way.transport));
        }
        judge(way, &account, &mut wrong);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

fn judge(way: Way, account: &Account, wrong: &mut Vec<String>) {
    let Way { hook, transport } = way;
    let &Account {
        printed,
        counted,
        summary,
    } = account;
    let account = format!(
        "{CHECKS} made, {printed} printed, {} lost, {counted} counted",
        summary.lost
    );
    println!("  {hook} {transport}: {account}");
    // A program that the kernel skips was not told whose check it was: what it missed may be
    // that of a process that was not asked for.
    let exact = !SKIPPED.contains(&hook);
    let accounted = printed + summary.lost;
    // What was lost on its way to user space is counted; what the kernel skipped is not.
    let miscounted = counted > CHECKS
        || counted + summary.lost < CHECKS
        || (hook == "kprobe" && counted != CHECKS);
    if accounted < CHECKS
        || (exact && accounted != CHECKS)
        || miscounted
        || summary.shown != printed
    {
        wrong.push(format!(
            "{hook} {transport}: {account}, summary: {summary:?}"
        ));
    }
}
