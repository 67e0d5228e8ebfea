//! `capable trace`: rows as checks happen.

mod args;
mod folding;
mod naming;
mod only;
mod progress;
mod rows;
mod summary;
mod until;
#[cfg(test)]
mod way;

use std::{
    fs::{self, Metadata},
    io::{self, IsTerminal as _},
    os::unix::fs::MetadataExt as _,
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
pub use args::Args;
use capable_common::UniqueBy;
use progress::Progress;
use rows::Rows;
use summary::Sums;
use until::{End, Until};

use super::{
    Usage,
    print::{print, say, write},
    tracing::{
        self, Deadline, Named, Running, Stopped, Wanted, block_on,
        signals::{self, Signals},
    },
};
use crate::{
    capability::{Capability, CapabilitySet},
    inspect::process::Process,
    launcher::Waiting,
    learn::LearnError,
    output::{RowFormat, RowNeeds, Terminal},
    session::{CountBy, KeptIds, Record, Records, Session, Streaming, Summary},
};

/// The exit code of timeout(1).
const TIMED_OUT: u8 = 124;

/// How long names are waited for when a signal has ended the trace.
const LAST_NAMES: Duration = Duration::from_secs(1);

/// Traces until a bound is reached, a signal comes or the command ends.
///
/// # Errors
///
/// The options do not work ([`Usage`]), or tracing does not. With a command, failures are reported
/// on stderr and in the exit code.
pub fn run(args: &Args) -> Result<ExitCode> {
    let result = attempt(args);
    if args.command.is_empty() {
        result
    } else {
        tracing::exit_code(result)
    }
}

fn attempt(args: &Args) -> Result<ExitCode> {
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
    let only_sums = args.only_sums().map_err(Usage::message)?;
    let command = args.command();
    let wanted = Wanted::of(&args.filter, args.verbose)?;
    // Descendants may outlive them.
    let named = match args.filter.children {
        true => Named::nothing(),
        false => Named::watch(&args.filter.pids),
    };
    let mut planned = wanted.session(&args.tracing)?.plan()?;
    if command.is_some() && !planned.numbers_as_here() {
        return Err(LearnError::PidNamespace.into());
    }
    if only_sums {
        let waiting = command.as_ref().map(Waiting::fork).transpose()?;
        if let Some(waiting) = &waiting {
            planned = planned.command(waiting.pid());
        }
        return block_on(only::count(args, &planned, &wanted, waiting, named));
    }
    let sink = config.sink();
    let needs = sink.needs();
    let kernel_stack = args.kernel_stack || (needs.contains(RowNeeds::STACK) && !args.user_stack);
    let mut gaps = Vec::new();
    let mut rows = Rows::new(sink, kernel_stack, args.user_stack, &mut gaps);
    if let Some(time) = config.repeats_from().filter(|_| io::stdout().is_terminal()) {
        rows.fold(time);
    }
    if args.user_stack && !planned.numbers_as_here() {
        rows.without_user_symbols();
        gaps.push("in a pid namespace, user stacks have addresses only".to_owned());
    } else if args.user_stack && !holds(Capability::SYS_PTRACE) {
        gaps.push(
            "user stacks of other users' processes have addresses only: reading their maps takes \
             CAP_SYS_PTRACE"
                .to_owned(),
        );
    }
    // Before signals are caught: the child inherits them as they were.
    let waiting = command.as_ref().map(Waiting::fork).transpose()?;
    if let Some(waiting) = &waiting {
        planned = planned.command(waiting.pid());
    }
    let folded = config.format() == RowFormat::Folded;
    // Anything that a command writes to the terminal would end up in the middle of the line.
    let progress =
        !io::stdout().is_terminal() && io::stderr().is_terminal() && !folded && waiting.is_none();
    block_on(async {
        let signals = match waiting.as_ref().map(Waiting::pid) {
            Some(pid) => Signals::for_command(pid),
            None => Signals::catch(signals::STREAM),
        }?;
        let mut session = planned.records(records(args, needs, kernel_stack))?;
        let mut progress = Progress::begin(progress, &session, &gaps);
        let most = args.bounds.count.unwrap_or(u64::MAX);
        // The header must come before anything that the command writes.
        let read = write_out(&mut rows.written)?;
        let mut until = Until::begin(waiting, signals, args.bounds.longest(), named)?;
        session.give_up_privileges(kept(args, needs), ids(args))?;
        let ended = match read {
            true => {
                let mut reports = (&mut progress, &wanted);
                follow(&mut session, &mut rows, &mut until, &mut reports, most).await
            }
            false => Ok(End::Closed),
        };
        let happened = session.finish(|record| show(&mut rows, record, most))?;
        let end = match ended {
            Ok(end) => show_last(&mut rows, &until, end).await,
            error => error,
        };
        if !matches!(end, Ok(End::Closed)) {
            if let (Ok(End::Processes), Until::Stop(_, named)) = (&end, &until) {
                say(format_args!("capable: {}\n", named.sentence()));
            }
            progress.end(&happened, rows.shown, &wanted);
            if let Some(left_out) = rows.left_out() {
                say(format_args!("capable: {left_out}\n"));
            }
        }
        let end = end?;
        if args.summary.is_some() && end != End::Closed {
            print_sums(args, &happened)?;
        }
        exit(args, until, end).await
    })
}

/// Prints the sums to stdout, in the form of the rows; where rows have a form that sums do not have, to
/// stderr.
fn print_sums(args: &Args, happened: &Summary) -> Result<()> {
    let sums = Sums::of(happened);
    match args.output.format() {
        RowFormat::Table | RowFormat::Wide => print(&sums.text()),
        RowFormat::Json => print(&sums.json()?),
        RowFormat::Csv | RowFormat::CsvRaw | RowFormat::Folded => {
            say(format_args!("{}", sums.text()));
            Ok(())
        }
    }
}

/// The exit code of a trace: that of the command, if there is one.
async fn exit(args: &Args, until: Until, end: End) -> Result<ExitCode> {
    Ok(match until {
        Until::Command(command, deadline) => {
            let deadline = args.bounds.timeout.map(|_| deadline);
            outlived(*command, end, deadline).await?
        }
        Until::Stop(..)
            if end == End::Stopped(Stopped::ByTime) && args.bounds.timeout.is_some() =>
        {
            ExitCode::from(TIMED_OUT)
        }
        Until::Stop(..) => ExitCode::SUCCESS,
    })
}

/// The exit code of a command. If the command outlives the trace, this waits for its end; if it has
/// a timeout, it is ended then, as timeout(1) does.
async fn outlived(mut command: Running, end: End, timeout: Option<Deadline>) -> Result<ExitCode> {
    let pid = command.pid();
    if matches!(end, End::Stopped(_) | End::Enough) && timeout.is_none() {
        say(format_args!(
            "capable: the command ({pid}) runs on and is no longer traced\n"
        ));
    }
    let ended = match timeout {
        None => command.end().await?,
        Some(deadline) => {
            tokio::select! {
                biased;
                ended = command.end() => ended?,
                () = deadline.over() => {
                    say(format_args!("capable: the time is over: ending the command ({pid})\n"));
                    command.signal(libc::SIGTERM);
                    command.end().await?;
                    return Ok(ExitCode::from(TIMED_OUT));
                }
            }
        }
    };
    tracing::tell_signal(ended);
    Ok(ExitCode::from(ended.exit_code()))
}

/// What the kernel side must send.
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
        count: args.summary.map(|_| CountBy {
            entries: args.table_size,
            ..CountBy::PROCESS
        }),
        buffer: args.buffer.buffer_size,
        ..Records::default()
    }
}

/// The capabilities that rows need after the hooks are attached: to read what belongs to other
/// users, and to open cgroups by their ids.
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

/// Whether to become another user. To read symbols, this program is executed again, which another
/// user may not be allowed to.
fn ids(args: &Args) -> KeptIds {
    let by_others = |file: Metadata| file.mode() & 0o001 != 0;
    match args.user_stack && !fs::metadata("/proc/self/exe").is_ok_and(by_others) {
        true => KeptIds::Kept,
        false => KeptIds::Unused,
    }
}

/// Whether this process holds a capability; false if it cannot be known.
fn holds(capability: Capability) -> bool {
    Process::read(std::process::id())
        .is_ok_and(|own| own.credentials.sets.effective.contains(capability))
}

/// Shows rows until something ends the trace.
async fn follow(
    session: &mut Session<Streaming>,
    rows: &mut Rows,
    until: &mut Until,
    (progress, wanted): &mut (&mut Progress, &Wanted),
    most: u64,
) -> Result<End> {
    loop {
        rows.show_due();
        if !write_out(&mut rows.written)? {
            return Ok(End::Closed);
        }
        let wait = rows.wait();
        if rows.shown >= most && !wait {
            return Ok(End::Enough);
        }
        progress.tick(session, rows.shown, wanted)?;
        let due = [rows.due(), progress.due()].into_iter().flatten().min();
        let due = Deadline::at(due);
        if wait {
            // What comes meanwhile waits in the buffer, and what it does not hold counts as lost.
            tokio::select! {
                biased;
                end = until.wait() => return Ok(end?),
                () = due.over() => {}
                () = rows.name() => {}
            }
        } else {
            tokio::select! {
                biased;
                end = until.wait() => return Ok(end?),
                batch = session.next_batch(|record| show(rows, record, most)) => batch?,
                () = due.over() => {}
            }
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

/// Writes the last rows and what comes after them. Names that are missing are waited for, but a
/// signal ends that.
async fn show_last(rows: &mut Rows, until: &Until, end: End) -> Result<End> {
    let signalled = end == End::Stopped(Stopped::BySignal);
    let patience = Deadline::after(signalled.then_some(LAST_NAMES));
    while rows.wait() && end != End::Closed {
        tokio::select! {
            biased;
            interrupted = until.interrupted() => {
                interrupted?;
                break;
            }
            () = patience.over() => break,
            () = rows.name() => {}
        }
        if !write_out(&mut rows.written)? {
            return Ok(End::Closed);
        }
    }
    rows.finish();
    Ok(if write_out(&mut rows.written)? {
        end
    } else {
        End::Closed
    })
}

/// Writes a batch immediately; false if nobody reads it any more, which is not an error.
fn write_out(written: &mut Vec<u8>) -> Result<bool> {
    if written.is_empty() {
        return Ok(true);
    }
    let read = write(written);
    written.clear();
    read
}
