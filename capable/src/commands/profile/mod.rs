//! `capable profile`: profiles what is already running, with counts made in the kernel.

mod args;
mod observe;
mod profiled;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
pub use args::Args;
use observe::Observer;
use profiled::Profiled;
use tokio::time::sleep;

use super::{
    print::say,
    reporting::{Destination, Reporter},
    tracing::{
        Stop, Wanted, block_on,
        signals::{self, Signals},
        told::Growth,
    },
};
use crate::{
    context::kernel_symbols::KernelSymbols,
    learn::Account,
    profile::{Report, Run, emit::ProgramNeeds},
    session::{self, CountBy, Counting, Session},
};

/// How often room is made in the table, and the processes are checked for being alive.
const INTERVAL: Duration = Duration::from_secs(5);

/// Profiles until Ctrl-C or until the time is up, and reports.
///
/// # Errors
///
/// The options do not work ([`Usage`](super::Usage)), or tracing does not.
pub fn run(args: &Args) -> Result<ExitCode> {
    let session = Wanted::of(&args.target.filters(), true)?.session(&args.tracing)?;
    let reporter = Reporter::new(&args.report, Destination::Stdout)?;
    let planned = session.plan()?;
    let profiled = Profiled::new(&args.target);
    let report = block_on(async {
        let signals = Signals::catch(signals::REPORT)?;
        let mut session = planned.counts(CountBy {
            origin: true,
            entries: args.table_size,
            ..CountBy::PROCESS
        })?;
        let began = session::now();
        say(format_args!(
            "capable: counting the checks of {}; press Ctrl-C to end and report\n",
            profiled.subject()
        ));
        let stop = Stop::after(args.duration, signals);
        wait(&mut session, &stop, &profiled).await?;
        let duration = session::now().saturating_sub(began);
        // Read at the end, so that modules that were loaded in the meantime have names too.
        let mut gaps = Vec::new();
        let symbols = KernelSymbols::load()
            .map_err(|error| gaps.push(format!("cannot name kernel functions: {error}")))
            .ok();
        let mut account = Account::new(&session, &gaps);
        let happened = session.finish()?;
        account.settle(&happened.losses);
        let mut observer = Observer::new(&profiled, symbols, began);
        let run = Run {
            subject: Some(profiled.subject()),
            duration,
            ..account.into_run()
        };
        let observations = happened.counts.iter().map(|row| observer.observe(row));
        anyhow::Ok(Report::new(run, observations))
    })?;
    let needs = profiled.describe(ProgramNeeds::from_report(&report));
    Ok(reporter
        .deliver(&report, &needs)?
        .unwrap_or(ExitCode::SUCCESS))
}

/// Waits for the end, making room in the table from time to time.
async fn wait(session: &mut Session<Counting>, stop: &Stop, profiled: &Profiled) -> Result<()> {
    let mut growth = Growth::default();
    loop {
        tokio::select! {
            biased;
            stopped = stop.wait() => return stopped.map(drop).map_err(Into::into),
            () = sleep(INTERVAL) => {}
        }
        session.fold_ended()?;
        for line in growth.lines(&session.losses()?) {
            say(format_args!("capable: {line}\n"));
        }
        if profiled.has_ended() {
            say(format_args!("capable: {} has ended\n", profiled.subject()));
            return Ok(());
        }
    }
}
