//! `capable run`: reports what a command and all of its descendants need.

mod args;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
pub use args::{Args, CageArgs};

use super::{
    Usage,
    reporting::{Destination, Reporter},
    tracing::{self, block_on, signals::Signals},
};
use crate::{
    launcher::Ended,
    learn::{Launched, Learned, Learning},
    session::KeptIds,
};

/// Runs the command and reports.
///
/// # Errors
///
/// The options do not work ([`Usage`]). Other failures are reported on stderr and in the exit code.
pub fn run(args: &Args) -> Result<ExitCode> {
    tracing::exit_code(attempt(args))
}

fn attempt(args: &Args) -> Result<ExitCode> {
    let command = args.command().map_err(Usage::wrap)?;
    let mut reporter = Reporter::new(&args.report, Destination::Stderr)?;
    reporter.keep_stdout()?;
    let mut launched = args.tracing.session().learn(command)?.settle(args.settle);
    if let Some(bytes) = args.buffer.buffer_size {
        launched = launched.buffer(bytes);
    }
    if !args.report.emits() && !args.cage.no_new_privs {
        launched = launched.command_file_only();
    }
    let (mut learned, ended) = learned(launched, args.wait)?;
    if learned.report.still_running.is_some_and(|count| count > 0) {
        let advice = "with --wait, capable waits for the last process of the command to end";
        learned.report.notes.push(advice.to_owned());
    }
    tracing::tell_signal(ended);
    let shut = reporter.deliver(&learned.report, &learned.needs)?;
    Ok(shut.unwrap_or_else(|| ExitCode::from(ended.exit_code())))
}

/// Lets the command go and learns until it has ended. To be called before signals are caught, so that
/// the command inherits them unchanged.
///
/// # Errors
///
/// As [`Launched::start`] and [`Learning::advance`].
pub fn learned(launched: Launched, wait: bool) -> Result<(Learned, Ended)> {
    let launched = launched
        .look_at_files()
        .context("cannot start another process")?;
    block_on(async {
        let signals = Signals::for_command(launched.pid())?;
        let mut learning = launched.start()?;
        learning.give_up_privileges(KeptIds::Unused)?;
        let ended = follow(&mut learning, &signals, wait).await?;
        anyhow::Ok((learning.finish()?, ended))
    })
}

/// Learns until the command has ended and, if `wait` is set, all its descendants too.
async fn follow(learning: &mut Learning, signals: &Signals, wait: bool) -> Result<Ended> {
    loop {
        tokio::select! {
            biased;
            caught = signals.next() => {
                let caught = caught?;
                if let Some(ended) = learning.ended() {
                    return Ok(ended);
                }
                if !caught.to_group {
                    signals.send(caught.signal);
                }
            }
            advanced = learning.advance() => advanced?,
        }
        if let Some(ended) = learning.ended()
            && (!wait || learning.all_ended())
        {
            return Ok(ended);
        }
    }
}
