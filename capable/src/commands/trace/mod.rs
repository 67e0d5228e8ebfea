//! `capable trace`: rows as checks happen.

mod args;
mod progress;
mod rows;
mod summary;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use anyhow::Result;
pub use args::Args;
use capable_common::UniqueBy;
use progress::Progress;
pub use rows::Rows;

use super::{
    Usage,
    print::{print, say, write},
    tracing::{
        self, Stop, Stopped, block_on,
        signals::{self, Signals},
    },
};
use crate::{
    capability::{Capability, CapabilitySet},
    output::{RowFormat, RowNeeds, Terminal},
    session::{CountBy, Record, Records, Session, Streaming, Summary},
};

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
            "capable does not use bcc's maps: use --cgroup PATH, --unit, --container or --mntns \
             PID instead",
        ));
    }
    let config = args
        .output
        .validate(&Terminal::of_stdout())
        .map_err(Usage::wrap)?;
    let planned = tracing::session(&args.filter, &args.tracing, args.verbose)?.plan()?;
    let sink = config.sink();
    let needs = sink.needs();
    let kernel_stack = args.kernel_stack || (needs.contains(RowNeeds::STACK) && !args.user_stack);
    let mut gaps = Vec::new();
    let mut rows = Rows::new(sink, kernel_stack, args.user_stack, &mut gaps);
    if args.user_stack && planned.features().initial_pid_namespace.is_no() {
        rows.without_user_symbols();
        gaps.push("in a pid namespace, user stacks have addresses only".to_owned());
    }
    let folded = config.format() == RowFormat::Folded;
    let progress = !io::stdout().is_terminal() && io::stderr().is_terminal() && !folded;
    block_on(async {
        let signals = Signals::catch(signals::STREAM)?;
        let mut session = planned.records(records(args, needs, kernel_stack))?;
        session.give_up_privileges(kept(args, needs))?;
        let mut progress = Progress::begin(progress, &session, &gaps);
        let stop = Stop::after(args.bounds.duration.or(args.bounds.timeout), signals);
        let most = args.bounds.count.unwrap_or(u64::MAX);
        let ended = follow(&mut session, &mut rows, &stop, &mut progress, most).await;
        let happened = session.finish(|record| show(&mut rows, record, most))?;
        let ended = ended.and_then(|end| show_last(&mut rows, end));
        if let Ok(End::Closed) = ended {
            return Ok(ExitCode::SUCCESS);
        }
        progress.end(&happened, rows.shown);
        let ended = ended?;
        if args.summary {
            let Summary { counts, losses, .. } = &happened;
            say(format_args!("{}", summary::table(counts, losses)));
        }
        Ok(match ended {
            End::Stopped(Stopped::ByTime) if args.bounds.timeout.is_some() => {
                ExitCode::from(TIMED_OUT)
            }
            _ => ExitCode::SUCCESS,
        })
    })
}

/// What the kernel side is to send.
fn records(args: &Args, needs: RowNeeds, kernel_stack: bool) -> Records {
    let depth = |asked: bool| if asked { args.stack_depth } else { 0 };
    let callers = needs.contains(RowNeeds::CALLER) || args.unique == Some(args::Unique::Stack);
    Records {
        wanted: needs.wanted(),
        kernel_frames: match depth(kernel_stack) {
            0 if callers => Records::CALLER_FRAMES,
            frames => frames,
        },
        user_frames: depth(args.user_stack),
        unique: args.unique.map_or(UniqueBy::Off, args::Unique::by),
        count: args.summary.then_some(CountBy::PROCESS),
        buffer: args.buffer.buffer_size,
        ..Records::default()
    }
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

/// Shows rows until something ends the trace.
async fn follow(
    session: &mut Session<Streaming>,
    rows: &mut Rows,
    stop: &Stop,
    progress: &mut Progress,
    most: u64,
) -> Result<End> {
    loop {
        if !write_out(&mut rows.written)? {
            return Ok(End::Closed);
        }
        if rows.shown >= most {
            return Ok(End::Enough);
        }
        progress.tick(session, rows.shown)?;
        tokio::select! {
            biased;
            stopped = stop.wait() => return Ok(End::Stopped(stopped?)),
            batch = session.next_batch(|record| show(rows, record, most)) => batch?,
        }
    }
}

fn show(rows: &mut Rows, record: Record<'_>, most: u64) {
    if let Record::Check(event) = record
        && rows.shown < most
    {
        rows.push(event);
    }
}

/// Writes the last rows and what comes after them.
fn show_last(rows: &mut Rows, end: End) -> Result<End> {
    rows.finish();
    Ok(if write_out(&mut rows.written)? {
        end
    } else {
        End::Closed
    })
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
