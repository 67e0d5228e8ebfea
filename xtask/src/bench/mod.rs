//! `cargo xtask bench`: what tracing costs, measured side by side for `capable` and its peers.
//!
//! Instructions are counted, not time: QEMU's clock advances by one nanosecond with each
//! instruction of the guest's only CPU (`-icount shift=0,sleep=off`), so the time that a load
//! takes, minus the CPU's idle time, is what the whole system executed. This can be repeated on any
//! machine. Bursts run on two CPUs and without that clock.

mod btf;
mod cases;
mod document;
mod empty;
mod figure;
mod goals;
mod host;
pub mod load;
pub mod measure;
mod peers;
mod profile;
mod repeat;
mod soak;
mod table;
mod tool;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::binaries::as_root;
use crate::initramfs::Archive;
use crate::kernels::{self, Installed, Rows};
use crate::qemu::VirtualMachine;
use crate::tally::Lines;
use crate::{binaries, guest_root, places, process};

use figure::{Figure, Figures, HOST};

/// The memory of a guest in MiB, enough for clang's libraries and the kernel's headers.
const MEMORY: u32 = 3072;

/// Options of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The kernel to boot: 5.10, 6.1, 6.12, newest, or all of them
    #[arg(long, value_name = "NAME", default_value = "6.1", value_parser = kernels::rows)]
    kernel: Rows,
    /// Fewer checks
    #[arg(long)]
    quick: bool,
    /// Only tracers with this in their name, such as "capable fexit" (repeatable)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Only these measures, such as "rows" or "counted" (repeatable)
    #[arg(long, value_name = "NAME")]
    measure: Vec<String>,
    /// Do one thing only
    #[arg(long, value_enum)]
    part: Option<Part>,
    /// Trace at the highest rate for so many minutes, on this machine's kernel, and do nothing else
    #[arg(long, value_name = "MINUTES", conflicts_with_all = ["part", "json", "document"])]
    soak: Option<u64>,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write docs/performance.md anew from the figures
    #[arg(long)]
    document: bool,
    /// Measure the capable, built statically, and use the xtask of this folder; don't build them
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Measure nothing: take the figures of this file, as --json wrote them (repeatable, for parts
    /// that were measured apart)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["part", "json", "programs"])]
    figures: Vec<PathBuf>,
    /// Say how far another run's figures are from these (repeatable)
    #[arg(long, value_name = "FILE", requires = "figures")]
    again: Vec<PathBuf>,
    /// End a guest after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    limit: u64,
}

/// What is measured in a guest of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Instructions, on one processor
    Counts,
    /// A burst, on two
    Burst,
    /// Where the instructions go, by function; only when asked for
    Profile,
    /// Times, on this machine's kernel
    Host,
}

/// Runs the subcommand.
pub fn run(options: &Options) -> Result<ExitCode> {
    if !options.figures.is_empty() {
        let (reports, again) = (read(&options.figures)?, read(&options.again)?);
        for report in &reports {
            println!("{}", table::text(report));
            println!("{}", repeat::text(report, &again));
        }
        return document(options, &reports, &again);
    }
    let programs = match &options.programs {
        Some(folder) => ["capable", "xtask"].map(|name| folder.join(name)).to_vec(),
        None => binaries::release()?,
    };
    if let Some(minutes) = options.soak {
        let (folder, _) = on_this_machine(&programs)?;
        soak(folder, minutes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut reports = Vec::new();
    if options.part != Some(Part::Host) {
        let base = guest_root::base(&programs)?;
        for kernel in kernels::install_all(&options.kernel.0, false)? {
            let peers = peers::fetch(&kernel)?;
            let mut report = Figures::new(kernel.name, &kernel.release, options.quick);
            let parts = match options.part {
                Some(part) => vec![part],
                None => vec![Part::Counts, Part::Burst],
            };
            let measured = parts
                .into_iter()
                .try_for_each(|part| guest(options, &kernel, &base, &peers, part, &mut report));
            // Keep what was measured, even if the guest did not finish.
            finish(options, report, &mut reports)?;
            measured?;
        }
    }
    if options.part.is_none_or(|part| part == Part::Host) {
        let report = this_machine(&programs)?;
        finish(options, report, &mut reports)?;
    }
    document(options, &reports, &[])
}

/// Traces at the highest rate for so many minutes with the programs in a folder.
pub fn soak(folder: &Path, minutes: u64) -> Result<()> {
    let seconds = (minutes * 60).to_string();
    process::run(
        as_root(folder)?
            .args(["guest", "bench", "--soak", &seconds, "--host"])
            .arg(folder.join("capable")),
    )
}

/// The figures of these files, merged for each kernel.
fn read(paths: &[PathBuf]) -> Result<Vec<Figures>> {
    let mut reports: Vec<Figures> = Vec::new();
    for path in paths {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let read: Vec<Figures> = serde_json::from_str(&text)
            .with_context(|| format!("{} holds no figures", path.display()))?;
        for report in read {
            match reports.iter_mut().find(|known| known.row == report.row) {
                Some(known) => known.figures.extend(report.figures),
                None => reports.push(report),
            }
        }
    }
    Ok(reports)
}

/// Writes the document if requested.
fn document(options: &Options, reports: &[Figures], again: &[Figures]) -> Result<ExitCode> {
    if options.document {
        let path = places::workspace().join("docs/performance.md");
        fs::write(&path, document::text(reports, again))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the figures of a kernel and writes them, whatever happens to the next one.
fn finish(options: &Options, report: Figures, reports: &mut Vec<Figures>) -> Result<()> {
    println!("{}", table::text(&report));
    reports.push(report);
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(reports)?;
        fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The directory of the programs that are measured, and the tracer in it.
fn on_this_machine(programs: &[PathBuf]) -> Result<(&Path, PathBuf)> {
    let folder = programs.first().and_then(|capable| capable.parent());
    let folder = folder.context("there are no programs")?;
    Ok((folder, folder.join("capable")))
}

/// Measures on this machine's kernel, with the programs that go into a guest.
fn this_machine(programs: &[PathBuf]) -> Result<Figures> {
    let (folder, capable) = on_this_machine(programs)?;
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut report = Figures::new(HOST, release.trim(), false);
    let output = process::output(
        as_root(folder)?
            .args(["guest", "bench", "--host"])
            .arg(capable),
    )?;
    for line in output.lines() {
        report.figures.extend(serde_json::from_str::<Figure>(line));
    }
    Ok(report)
}

/// Boots a guest, measures in it, and takes the figures as they come.
fn guest(
    options: &Options,
    kernel: &Installed,
    base: &Archive,
    peers: &PathBuf,
    part: Part,
    report: &mut Figures,
) -> Result<()> {
    let machine = VirtualMachine {
        kernel,
        base,
        layers: std::slice::from_ref(peers),
        files: Archive::default(),
        append: "",
        processors: 2,
        memory: MEMORY,
        disk: None,
        count_instructions: part != Part::Burst,
    };
    let mut script = "xtask guest bench".to_owned();
    if part == Part::Burst {
        script += " --burst";
    }
    if part == Part::Profile {
        script += " --profile";
    }
    if options.quick {
        script += " --quick";
    }
    for name in &options.only {
        script += &format!(" --only '{}'", name.replace('\'', r"'\''"));
    }
    for name in &options.measure {
        script += &format!(" --measure '{}'", name.replace('\'', r"'\''"));
    }
    let mut take = |line: &str| {
        if let Ok(figure) = serde_json::from_str::<Figure>(line) {
            eprintln!("{}: {figure}", kernel.name);
            report.figures.push(figure);
        } else if let Some(version) = line.strip_prefix(peers::VERSION) {
            if !report.versions.iter().any(|known| known == version) {
                report.versions.push(version.into());
            }
        } else {
            eprintln!("{}: {line}", kernel.name);
        }
    };
    let mut lines = Lines::default();
    let limit = Duration::from_secs(options.limit);
    let outcome = machine.run(&script, limit, |bytes| lines.push(bytes, &mut take))?;
    lines.finish(&mut take);
    if outcome.status != 0 {
        bail!("measuring on {} failed", kernel.release);
    }
    Ok(())
}
