//! What runs in a guest: each case in turn, its figures printed as lines of JSON.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::cases::{self, Case};
use super::empty;
use super::figure::Figure;
use super::host;
use super::load::{self, LoadKind, Taken};
use super::peers;
use super::profile;
use super::soak;
use super::tool::{Left, Output, Tool};
use crate::guest;

/// The subject of measurements without a tracer.
pub const NOTHING: &str = "nothing attached";

/// From exec to the first check that the tracer shows, in milliseconds.
pub const START: &str = "start";
/// The share of the checks of [`cases::ROWS`] that is not shown, in percent.
pub const LOST: &str = "lost at full rate";
/// The highest memory use, in KiB.
pub const MEMORY: &str = "memory";
/// The program and its libraries, in KiB.
pub const SIZE: &str = "size";
/// Context switches per second with nothing to report.
pub const IDLE: &str = "idle";
/// Rows shown for 200 000 checks that two CPUs make at the same time.
pub const BURST: &str = "burst";

/// Until then, the kernel's background work after booting makes everything more expensive.
const AFTER_BOOT: Duration = Duration::from_secs(60);
/// The name of the process that makes checks while a tracer starts.
const COMM: &str = "bench-start";
/// The checks of each of the two processes of a burst.
const BURST_CHECKS: u64 = 100_000;
/// The checks of a whole burst.
pub const BURST_TOTAL: u64 = 2 * BURST_CHECKS;

/// How many loads the median is taken of.
const REPETITIONS: usize = 3;

/// Options of `xtask guest bench`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Count instructions, or make a burst
    #[arg(long)]
    burst: bool,
    /// Compare times on this machine, with the program at this path
    #[arg(long, value_name = "CAPABLE", conflicts_with = "burst")]
    host: Option<PathBuf>,
    /// With --host: trace at the highest rate for so many seconds instead
    #[arg(long, value_name = "SECONDS", requires = "host")]
    soak: Option<u64>,
    /// Print where the instructions of rows go, by function
    #[arg(long, conflicts_with_all = ["burst", "host"])]
    profile: bool,
    /// Fewer checks
    #[arg(long)]
    quick: bool,
    /// Only what has this in its name (repeatable)
    #[arg(long)]
    only: Vec<String>,
    /// Only these measures (repeatable)
    #[arg(long)]
    measure: Vec<String>,
}

/// Runs the subcommand.
pub fn run(options: &Options) -> Result<()> {
    load::set_comm(COMM);
    for version in peers::versions() {
        println!("{}{version}", peers::VERSION);
    }
    if let (Some(capable), Some(seconds)) = (&options.host, options.soak) {
        return soak::run(capable, Duration::from_secs(seconds));
    }
    if let Some(capable) = &options.host {
        return host::figures(capable)?.iter().try_for_each(print);
    }
    if options.profile {
        for case in cases::all()? {
            let first = case.subject.starts_with("capable") && options.wants(&case.subject);
            if first && case.measures.iter().any(|what| options.profiled(what)) {
                profile::print(&case.line)?;
            }
        }
        return Ok(());
    }
    if options.burst {
        return for_each_tracer(options, burst);
    }
    sleep(AFTER_BOOT);
    floor(options)?;
    for mut case in cases::all()? {
        case.measures.retain(|measure| options.measures(measure));
        if options.wants(&case.subject)
            && !case.measures.is_empty()
            && let Err(error) = per_check(&case, options)
        {
            for measure in &case.measures {
                print(&failed(&case.subject, measure, &error))?;
            }
        }
    }
    if !options.measure.is_empty() {
        return Ok(());
    }
    for_each_tracer(options, |subject, line| lifetime(options, subject, line))
}

impl Options {
    fn wants(&self, subject: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| subject.contains(part.as_str()))
    }

    fn measures(&self, measure: &str) -> bool {
        self.measure.is_empty() || self.measure.iter().any(|wanted| wanted == measure)
    }

    /// What gets a profile of its own: the path of rows, and the path of counting.
    fn profiled(&self, measure: &str) -> bool {
        measure == cases::ROWS || (!self.quick && measure == cases::COUNT)
    }
}

fn for_each_tracer(
    options: &Options,
    measure: impl Fn(&str, &[String]) -> Result<Vec<Figure>>,
) -> Result<()> {
    for (subject, line) in cases::tracers()? {
        if options.wants(&subject) {
            match measure(&subject, &line) {
                Ok(figures) => figures.iter().try_for_each(print)?,
                Err(error) => print(&failed(&subject, "all", &error))?,
            }
        }
    }
    Ok(())
}

fn failed(subject: &str, measure: &str, error: &anyhow::Error) -> Figure {
    Figure::missing(subject, measure, &format!("{error:#}"))
}

fn print(figure: &Figure) -> Result<()> {
    println!("{}", serde_json::to_string(figure)?);
    Ok(())
}

/// What the loads cost untraced, and under programs that do nothing.
fn floor(options: &Options) -> Result<()> {
    let needed = |load: &&str| {
        let mut measures = cases::PER_CHECK.into_iter();
        measures.any(|measure| options.measures(measure) && cases::load_named(measure) == *load)
    };
    for measure in cases::LOADS.into_iter().filter(|load| needed(load)) {
        let load = cases::load_of(measure, options.quick);
        let cost = repeated(load, || Ok(0))?;
        print(&Figure::new(NOTHING, measure, cost.whole))?;
        let mut hooks: Vec<_> = guest::ways()?.into_iter().map(|(hook, _)| hook).collect();
        hooks.dedup();
        for hook in hooks {
            let subject = format!("empty {hook}");
            let figure = empty::attach(hook).and_then(|_attached| {
                let cost = repeated(load, || Ok(0))?;
                Ok(Figure::new(&subject, measure, cost.whole))
            });
            print(&figure.unwrap_or_else(|error| failed(&subject, measure, &error)))?;
        }
    }
    Ok(())
}

/// Instructions per check.
struct Cost {
    whole: f64,
    of_process: f64,
}

/// The median of several runs of a load; `used` reads the processor time of the tracer.
fn repeated(load: load::Options, used: impl Fn() -> Result<u64>) -> Result<Cost> {
    let mut costs = Vec::new();
    for _ in 0..REPETITIONS {
        let before = used()?;
        let taken = run_load(load)?;
        let process = used()? - before;
        costs.push(Cost {
            whole: taken.busy as f64 / load.checks as f64,
            of_process: process as f64 / load.checks as f64,
        });
    }
    costs.sort_by(|a, b| a.whole.total_cmp(&b.whole));
    Ok(costs.swap_remove(costs.len() / 2))
}

/// Runs a load as a process of its own.
pub fn run_load(load: load::Options) -> Result<Taken> {
    let output = spawn_load(load)?.wait_with_output()?;
    serde_json::from_slice(&output.stdout).context("the load did not say what it took")
}

fn spawn_load(load: load::Options) -> Result<std::process::Child> {
    Command::new(env::current_exe()?)
        .args(["guest", "load", "--kind", load.kind.name()])
        .args(["--checks", &load.checks.to_string()])
        .args(["--burst", &load.burst.to_string()])
        .args(["--pause", &load.pause.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run the load")
}

fn per_check(case: &Case, options: &Options) -> Result<()> {
    let mut tool = Tool::spawn(&case.line, case.output)?;
    tool.settle(|| {})?;
    let mut figures = Vec::new();
    for measure in &case.measures {
        let load = cases::load_of(measure, options.quick);
        // The first rows touch memory that the later ones find already mapped.
        run_load(load::Options {
            checks: load.checks / 10,
            ..load
        })?;
        let cost = repeated(load, || tool.used())?;
        figures.push(Figure {
            of_process: Some(cost.of_process),
            of_programs: Some(programs(&tool, load)?),
            ..Figure::new(&case.subject, measure, cost.whole)
        });
    }
    // A tool that is still busy with its backlog has been measured anyway.
    let lost = tool.stop().ok().map(|left| left.lost());
    if let Some(last) = figures.last_mut() {
        last.lost = lost;
    }
    figures.iter().try_for_each(print)
}

/// Instructions per check that a tracer's eBPF programs spend, measured with a separate load,
/// because the kernel's accounting for them costs something itself.
fn programs(tool: &Tool, load: load::Options) -> Result<f64> {
    let switch = "/proc/sys/kernel/bpf_stats_enabled";
    let set = |value| fs::write(switch, value).with_context(|| format!("cannot write {switch}"));
    set("1")?;
    let before = tool.programs_ran()?;
    run_load(load)?;
    let ran = tool.programs_ran()? - before;
    set("0")?;
    Ok(ran as f64 / load.checks as f64)
}

/// From exec to the first check that the tracer shows.
pub fn start(subject: &str, line: &[String]) -> Result<Figure> {
    let mut tool = Tool::spawn(line, Output::File)?;
    let made = settle_under_checks(&mut tool)?;
    first_seen(subject, &made, &tool.stop()?)
}

/// Waits for a tracer while making checks continuously; returns the times of the checks since exec.
///
/// After a second the checks become rarer, because libbpf-tools would never finish otherwise.
fn settle_under_checks(tool: &mut Tool) -> Result<Vec<u64>> {
    const OFTEN: u64 = 1_000_000_000;
    const SELDOM: u64 = 10_000_000;
    let started = tool.started;
    let mut made: Vec<u64> = Vec::new();
    tool.settle(|| {
        let now = load::monotonic() - started;
        let last = made.last().copied().unwrap_or_default();
        if now < OFTEN || now - last > SELDOM {
            made.push(now);
            load::check(LoadKind::Audited);
        }
    })?;
    Ok(made)
}

/// The checks missing from the rows were made before the tracer was attached.
fn first_seen(subject: &str, made: &[u64], left: &Left) -> Result<Figure> {
    let rows = left.rows(COMM) as usize;
    let first = made.len().checked_sub(rows).filter(|_| rows > 0);
    let Some(first) = first else {
        bail!("{} checks were made, {rows} shown", made.len());
    };
    Ok(Figure::new(subject, START, made[first] as f64 / 1e6))
}

/// Its start, its memory use after work, its size, and what it does while there is nothing to do.
fn lifetime(options: &Options, subject: &str, line: &[String]) -> Result<Vec<Figure>> {
    const SECONDS: u64 = 10;
    let mut tool = Tool::spawn(line, Output::File)?;
    let checks = settle_under_checks(&mut tool)?;
    let load = cases::load_of(cases::ROWS, options.quick);
    run_load(load)?;
    sleep(Duration::from_secs(1));
    let before = tool.switches()?;
    sleep(Duration::from_secs(SECONDS));
    let switches = (tool.switches()? - before) as f64 / SECONDS as f64;
    let memory = tool.peak_memory()? as f64;
    let size = tool.size()? as f64 / 1024.0;

    let left = tool.stop()?;
    let made = load.checks + load::WARM_UP;
    let lost = made.saturating_sub(left.rows(load::COMM));
    Ok(vec![
        first_seen(subject, &checks, &left)?,
        Figure::new(subject, IDLE, switches),
        Figure::new(subject, MEMORY, memory),
        Figure::new(subject, SIZE, size),
        Figure::new(subject, LOST, lost as f64 * 100.0 / made as f64),
    ])
}

/// Two processes make checks as fast as they can; measures how many rows come out.
fn burst(subject: &str, line: &[String]) -> Result<Vec<Figure>> {
    let mut tool = Tool::spawn(line, Output::File)?;
    tool.settle(|| {})?;
    let load = load::Options {
        checks: BURST_CHECKS - load::WARM_UP,
        burst: u64::MAX,
        pause: 0,
        kind: LoadKind::Audited,
    };
    let loads = [spawn_load(load)?, spawn_load(load)?];
    for load in loads {
        load.wait_with_output()?;
    }
    tool.settle(|| {})?;
    let left = tool.stop()?;
    Ok(vec![Figure {
        lost: Some(left.lost()),
        ..Figure::new(subject, BURST, left.rows(load::COMM) as f64)
    }])
}
