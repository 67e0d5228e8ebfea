//! `--summary=only`: the kernel side counts, and no row is made.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;

use super::{
    Args,
    progress::{nothing, sum},
    until::{End, Until},
};
use crate::{
    capability::CapabilitySet,
    commands::{
        print::say,
        tracing::{
            Named, Wanted,
            signals::{self, Signals},
            told::{self, Growth, Starts},
        },
    },
    launcher::Waiting,
    session::{CountBy, KeptIds, Planned, Summary},
};

/// How often room is made in the table of counts, and losses are told.
const INTERVAL: Duration = Duration::from_secs(5);

/// Counts until something ends it, and prints the sums.
///
/// # Errors
///
/// The kernel refuses, or the command cannot be executed.
pub async fn count(
    args: &Args,
    planned: &Planned,
    wanted: &Wanted,
    waiting: Option<Waiting>,
    named: Named,
) -> Result<ExitCode> {
    let signals = match waiting.as_ref().map(Waiting::pid) {
        Some(pid) => Signals::for_command(pid),
        None => Signals::catch(signals::REPORT),
    }?;
    let mut session = planned.counts(CountBy {
        entries: args.table_size,
        ..CountBy::PROCESS
    })?;
    tell(told::lines(session.plan(), session.gaps().iter()));
    let mut until = Until::begin(waiting, signals, args.bounds.longest(), named)?;
    session.give_up_privileges(CapabilitySet::EMPTY, KeptIds::Unused)?;
    let (mut growth, mut starts) = (Growth::default(), Starts::default());
    let end = loop {
        tokio::select! {
            biased;
            end = until.wait() => break end?,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        session.fold_ended()?;
        tell(growth.lines(&session.losses()?));
        tell(starts.lines(&session.followed()?));
    };
    let happened = session.finish()?;
    if let (End::Processes, Until::Stop(_, named)) = (end, &until) {
        tell([named.sentence()]);
    }
    let counted = counted(&happened);
    tell(sum(&happened, "counted", counted));
    tell(nothing(&happened, counted, wanted));
    super::print_sums(args, &happened)?;
    super::exit(args, until, end).await
}

fn counted(happened: &Summary) -> u64 {
    happened.counts.iter().map(|row| row.checks).sum()
}

fn tell(lines: impl IntoIterator<Item = String>) {
    for line in lines {
        say(format_args!("capable: {line}\n"));
    }
}
