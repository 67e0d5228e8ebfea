//! `capable run`: a command, all of its descendants, and what they need.

mod args;
mod collect;
mod gains;
mod ids;
mod tree;

use std::{fs, path::Path, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
pub use args::Args;
use capable_common::Wanted;
use collect::{Collector, Ends};
use tree::Tree;

use super::{
    Usage,
    print::{say, say_error},
    reporting::{Account, Destination, Reporter},
    tracing::{
        block_on,
        signals::{self, Signals},
    },
};
use crate::{
    context::{accounts::Accounts, kernel_symbols::KernelSymbols},
    inspect::interpreter_of,
    kernel::stream::monotonic_now,
    launcher::{Command, Ended, LaunchError, Started, Waiting},
    profile::{
        Observation, Report, Run,
        emit::{ProgramNeeds, RunsAs},
    },
    session::{Cause, Records, Session, Streaming},
};

/// The exit code of env(1), timeout(1) and their like where they fail themselves: 1 is too often
/// the command's own.
const FAILED: u8 = 125;

/// With `--wait`: after how long without a record it is looked whether descendants still live.
/// Longer than a record can take to be read.
const LOOK: Duration = Duration::from_millis(200);

/// The inode number of the initial pid namespace (`PROC_PID_INIT_INO`, include/linux/proc_ns.h).
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Runs the command and reports.
///
/// # Errors
///
/// The options do not work ([`Usage`]). Other failures are told on stderr and in the exit code.
pub fn run(args: &Args) -> Result<ExitCode> {
    match attempt(args) {
        Err(error) if !error.is::<Usage>() => {
            say_error(&error);
            let code = error
                .downcast_ref::<LaunchError>()
                .map_or(FAILED, LaunchError::exit_code);
            Ok(ExitCode::from(code))
        }
        result => result,
    }
}

fn attempt(args: &Args) -> Result<ExitCode> {
    let command = args.command().map_err(Usage::wrap)?;
    let reporter = Reporter::new(&args.report, Destination::Stderr)?;
    require_initial_pid_namespace()?;
    let planned = args.tracing.session().unaudited().plan()?;
    let mut gaps = Vec::new();
    let symbols = KernelSymbols::load()
        .map_err(|error| gaps.push(format!("cannot name kernel functions: {error}")))
        .ok();
    // Before signals are caught: the child inherits them as they were.
    let waiting = Waiting::fork(&command)?;
    let settle = u64::try_from(args.settle.as_nanos()).unwrap_or(u64::MAX);
    let mut collector = Collector::new(symbols, Tree::new(waiting.pid(), settle));
    let (report, file, gains, ended) = block_on(async {
        let signals = Signals::catch(signals::COMMAND)?;
        let mut session = planned.command(waiting.pid()).records(Records {
            wanted: Wanted::DETAIL | Wanted::CREDENTIALS,
            kernel_frames: Records::CALLER_FRAMES,
            outcomes: true,
            buffer: args.buffer.buffer_size,
            ..Records::default()
        })?;
        let mut account = Account::new(&session, &gaps);
        let mut started = waiting.release()?;
        collector.gains.command(&started.file);
        let ended = follow(
            &mut session,
            &mut collector,
            &mut started,
            &signals,
            args.wait,
        )
        .await?;
        let end = monotonic_now();
        let happened = session.finish(|record| collector.take(record))?;
        account.settle(&happened.losses);
        let gains = collector.gains.any(collector.tree.executions);
        let ends = if happened.losses.by(Cause::OutcomeSkipped) == 0 {
            Ends::AllSeen
        } else {
            Ends::SomeSkipped
        };
        let report = report(&command, collector, ends, account, end);
        anyhow::Ok((report, started.file, gains, ended))
    })?;
    let needs = needs(&report, &command, &file, gains);
    if let Some(signal) = ended.signal() {
        say(format_args!("capable: the command was ended by {signal}\n"));
    }
    let shut = reporter.deliver(&report, &needs)?;
    Ok(shut.unwrap_or_else(|| ExitCode::from(ended.exit_code())))
}

/// The kernel side numbers processes as the initial pid namespace does.
fn require_initial_pid_namespace() -> Result<()> {
    match fs::read_link("/proc/self/ns/pid") {
        Ok(own) if own.as_os_str() != INITIAL_PID_NAMESPACE => bail!(
            "cannot follow processes from inside a pid namespace, because process numbers there \
             are not the kernel's: run capable outside the container"
        ),
        Ok(_) => Ok(()),
        Err(error) => bail!("cannot read /proc/self/ns/pid: {error}; is /proc mounted?"),
    }
}

/// Collects until the command has ended and, where `wait` says so, all its descendants.
async fn follow(
    session: &mut Session<Streaming>,
    collector: &mut Collector,
    started: &mut Started,
    signals: &Signals,
    wait: bool,
) -> Result<Ended> {
    let mut ended = None;
    loop {
        // Of a process that lived for a moment only, and left a child, the records come later than
        // its end. So that it is gone from the system says nothing until no record comes.
        let mut quiet = false;
        tokio::select! {
            biased;
            status = started.ended(), if ended.is_none() => ended = Some(status?),
            caught = signals.next() => {
                let caught = caught?;
                if let Some(ended) = ended {
                    return Ok(ended);
                }
                if !caught.by_terminal {
                    started.signal(caught.signal);
                }
            }
            batch = session.next_batch(|record| collector.take(record)) => batch?,
            () = tokio::time::sleep(LOOK), if ended.is_some() => quiet = true,
        }
        let tree = &collector.tree;
        if let Some(ended) = ended
            && (!wait || tree.has_ended() || quiet && tree.living().next().is_none())
        {
            return Ok(ended);
        }
    }
}

/// What was seen until `end`, classed.
fn report(
    command: &Command,
    mut collector: Collector,
    ends: Ends,
    mut account: Account,
    end: u64,
) -> Report {
    if let Some(sentence) = left_behind(&collector.tree) {
        account.note(sentence);
    }
    if let Some(sentence) = collector
        .gains
        .ignored()
        .filter(|_| command.cage.no_new_privs)
    {
        account.note(sentence);
    }
    let started = collector.tree.started().unwrap_or(end);
    let settled = !collector.tree.is_starting(end);
    let run = Run {
        command: [&command.name]
            .into_iter()
            .chain(&command.arguments)
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        duration: end.saturating_sub(started),
        settled,
        processes: Some(1 + collector.tree.forks),
        ..account.into_run()
    };
    let observations = collector
        .finish(ends)
        .into_iter()
        .map(|observation| Observation {
            first: observation.first.saturating_sub(started),
            ..observation
        });
    Report::new(run, observations)
}

/// The sentence on descendants that live on.
fn left_behind(tree: &Tree) -> Option<String> {
    /// How many are named.
    const NAMED: usize = 5;
    let living: Vec<String> = tree
        .living()
        .map(|(pid, program)| format!("{program} ({pid})"))
        .collect();
    let count = living.len();
    let what = match count {
        0 => return None,
        1 => "1 process of the command is still running".to_owned(),
        _ => format!("{count} processes of the command are still running"),
    };
    let more = if count > NAMED { ", ..." } else { "" };
    let named = living
        .into_iter()
        .take(NAMED)
        .collect::<Vec<_>>()
        .join(", ");
    Some(format!(
        "{what}: {named}{more}; what they ask for from now on is not in this report (--wait waits \
         for them)"
    ))
}

/// What emitters are told besides the report.
fn needs(report: &Report, command: &Command, file: &Path, gains: Option<bool>) -> ProgramNeeds {
    let executable = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    ProgramNeeds {
        runs_as: runs_as(command),
        gains_privileges: gains,
        interpreter: interpreter_of(&executable).unwrap_or(None),
        executable: Some(executable),
        ..ProgramNeeds::from_report(report)
    }
}

fn runs_as(command: &Command) -> RunsAs {
    let identity = command.cage.identity.as_ref();
    let user = identity
        .and_then(|identity| identity.user)
        .unwrap_or_else(|| rustix::process::geteuid().as_raw());
    if user == 0 {
        return RunsAs::Root;
    }
    RunsAs::User(match Accounts::users().name(user) {
        Some(name) => name.to_owned(),
        None => user.to_string(),
    })
}
