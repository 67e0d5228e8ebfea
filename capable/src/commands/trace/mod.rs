//! `capable trace`: rows as checks happen.

mod args;
mod report;
mod rows;
mod summary;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
pub use args::Args;
use capable_common::UniqueBy;
use report::Report;
pub use rows::Rows;

use super::{
    Usage,
    print::{print, say, write},
    tracing::{
        Stop, Stopped, block_on, resolve,
        signals::{self, Signals},
    },
};
use crate::{
    capability::{Capability, CapabilitySet},
    kernel::{
        counts::{self, CountBy, CountSubject},
        plan::{self, plan},
        privileges,
        record::Record,
        trace::calibration,
        tracer::{Request, Tracer},
    },
    output::{RowFormat, RowNeeds, Terminal},
};

/// Frames that are enough to see who asked: the tracer's own, `cap_capable` and its helpers.
const CALLER_FRAMES: u32 = 12;

/// The exit code of timeout(1).
const TIMED_OUT: u8 = 124;

/// Traces until a bound is reached or a signal comes.
///
/// # Errors
///
/// The options do not work ([`Usage`]), or tracing does not.
pub fn run(args: &Args) -> Result<ExitCode> {
    if let Some(help) = args.output.columns_help() {
        print(&help)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.cgroupmap.is_some() || args.mntnsmap.is_some() {
        return Err(Usage::message(
            "bcc's maps are not needed here: use --cgroup PATH, --unit, --container or --mntns PID",
        ));
    }
    let config = args
        .output
        .validate(&Terminal::of_stdout())
        .map_err(Usage::wrap)?;
    let mut filters = resolve::filters(&args.filter).map_err(Usage::wrap)?;
    if args.filter.children {
        let descendants: Vec<u32> = filters
            .pids
            .iter()
            .flat_map(|&pid| resolve::descendants(pid))
            .collect();
        filters.pids.extend(descendants);
    }
    let sink = config.sink();
    let needs = sink.needs();
    let folded = config.format() == RowFormat::Folded;
    let kernel_stack = args.kernel_stack || (needs.contains(RowNeeds::STACK) && !args.user_stack);
    let depth = |asked: bool| if asked { args.stack_depth } else { 0 };
    let kernel_frames = match depth(kernel_stack) {
        0 if needs.contains(RowNeeds::CALLER) || args.unique == Some(args::Unique::Stack) => {
            CALLER_FRAMES
        }
        frames => frames,
    };
    let wanted = plan::Choice {
        hook: args.tracing.hook,
        transport: args.tracing.transport,
    };
    let features = calibration::probe();
    let plan = plan(&features, &wanted)?;
    let mut gaps = Vec::new();
    let mut rows = Rows::new(sink, kernel_stack, args.user_stack, &mut gaps);
    if args.user_stack && features.initial_pid_namespace.is_no() {
        rows.without_user_symbols();
        gaps.push("user stacks have addresses only in a pid namespace".to_owned());
    }
    let request = Request {
        audited_only: !args.verbose,
        detail: needs.contains(RowNeeds::DETAIL),
        credentials: needs.contains(RowNeeds::CREDENTIALS),
        cgroup: needs.contains(RowNeeds::CGROUP_ID),
        kernel_frames,
        user_frames: depth(args.user_stack),
        filters,
        follow: args.filter.children,
        unique: args.unique.map_or(UniqueBy::Off, unique_by),
        count: args.summary.then_some(CountBy {
            subject: CountSubject::Process,
            origin: false,
            entries: counts::ENTRIES,
        }),
        buffer: args.buffer.buffer_size,
        log_level: kernel_log_level(),
        ..Request::of(&plan)
    };
    block_on(async {
        let signals = Signals::catch(signals::STREAM)?;
        let mut tracer = Tracer::start(&request)?;
        if args.filter.children {
            for &pid in &args.filter.pids {
                for descendant in resolve::descendants(pid) {
                    tracer.follow(descendant, false)?;
                }
            }
        }
        privileges::give_up(kept(args, needs))
            .context("cannot give up the privileges that are no longer needed")?;
        let progress = !io::stdout().is_terminal() && io::stderr().is_terminal() && !folded;
        let mut report = Report::new(progress);
        report.begin(&plan, gaps.iter().chain(&tracer.gaps));
        let stop = Stop::after(args.bounds.duration.or(args.bounds.timeout), signals);
        let ended = follow(
            &mut tracer,
            &mut rows,
            &stop,
            &mut report,
            args.bounds.count,
        )
        .await;
        let ended = match ended {
            Ok(End::Closed) => return Ok(ExitCode::SUCCESS),
            Ok(ended) => ended,
            Err(error) => {
                report.end(&tracer, rows.shown)?;
                return Err(error);
            }
        };
        report.end(&tracer, rows.shown)?;
        if args.summary {
            let lost = tracer.counters()?.lost_counts;
            say(format_args!("{}", summary::table(&tracer.counts()?, lost)));
        }
        Ok(match ended {
            End::Stopped(Stopped::ByTime) if args.bounds.timeout.is_some() => {
                ExitCode::from(TIMED_OUT)
            }
            _ => ExitCode::SUCCESS,
        })
    })
}

/// What rows need after the hooks are attached: reading what belongs to other users, and opening
/// cgroups by their ids.
fn kept(args: &Args, needs: RowNeeds) -> CapabilitySet {
    let mut kept = CapabilitySet::EMPTY;
    if args.user_stack {
        kept.insert(Capability::SYS_PTRACE);
        kept.insert(Capability::DAC_READ_SEARCH);
    }
    if needs.contains(RowNeeds::CGROUP_ID) {
        kept.insert(Capability::DAC_READ_SEARCH);
    }
    kept
}

/// Why a trace ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// By a signal, or because the time was over.
    Stopped(Stopped),
    /// Enough rows were shown.
    Enough,
    /// Nobody reads the rows any more.
    Closed,
}

/// Shows rows until something ends the trace; then what was received before.
async fn follow(
    tracer: &mut Tracer,
    rows: &mut Rows,
    stop: &Stop,
    report: &mut Report,
    count: Option<u64>,
) -> Result<End> {
    if !write_out(&mut rows.written)? {
        return Ok(End::Closed);
    }
    let most = count.unwrap_or(u64::MAX);
    let end = loop {
        tokio::select! {
            biased;
            stopped = stop.wait() => break End::Stopped(stopped?),
            waited = tracer.stream.wait() => waited?,
        }
        tracer.stream.read(|record| show(rows, record, most));
        if !write_out(&mut rows.written)? {
            return Ok(End::Closed);
        }
        if rows.shown >= most {
            break End::Enough;
        }
        report.tick(tracer, rows.shown)?;
        tracer.flush_log();
    };
    tracer.detach();
    tracer.flush_log();
    tracer.stream.finish(|record| show(rows, record, most));
    rows.finish();
    if !write_out(&mut rows.written)? {
        return Ok(End::Closed);
    }
    Ok(end)
}

fn show(rows: &mut Rows, record: Record<'_>, most: u64) {
    if let Record::Check(event) = record
        && rows.shown < most
    {
        rows.push(event);
    }
}

/// Writes a batch at once; false where nobody reads any more, which is no error.
fn write_out(written: &mut Vec<u8>) -> Result<bool> {
    if written.is_empty() {
        return Ok(true);
    }
    let read = write(written);
    written.clear();
    read
}

fn unique_by(typed: args::Unique) -> UniqueBy {
    match typed {
        args::Unique::Process => UniqueBy::Process,
        args::Unique::Cgroup => UniqueBy::Cgroup,
        args::Unique::Comm => UniqueBy::Comm,
        args::Unique::Stack => UniqueBy::Stack,
    }
}

/// The kernel side logs as much as the program does; aya-log's levels are the log crate's.
fn kernel_log_level() -> u8 {
    log::max_level() as u8
}
