//! `capable profile`: profiles what is already running, with counts made in the kernel.

mod args;

use std::process::ExitCode;

use anyhow::Result;
pub use args::Args;

use super::{
    Usage,
    print::say,
    reporting::{Destination, Reporter},
    tracing::{
        self, Stop, block_on,
        signals::{self, Signals},
        told::{Growth, Starts},
    },
};
use crate::{
    capability::{Capability, CapabilitySet},
    learn::{Observing, WorkloadError},
    session::KeptIds,
};

/// Profiles until Ctrl-C or until the time is up, and reports.
///
/// # Errors
///
/// The options do not work ([`Usage`]), or tracing does not.
pub fn run(args: &Args) -> Result<ExitCode> {
    args.target.keeps_only().map_err(Usage::wrap)?;
    let workload = args.target.workload().map_err(|error| {
        tracing::failure_or_usage(match error {
            WorkloadError::Process(error) => tracing::process_refused(error, ""),
            WorkloadError::Cgroup(error) => error.into(),
            WorkloadError::Nothing => error.into(),
        })
    })?;
    let reporter = Reporter::new(&args.report, Destination::Stdout)?;
    let observer = args.tracing.session().observe(workload)?;
    let learned = block_on(async {
        let signals = Signals::catch(signals::REPORT)?;
        let mut observing = observer.entries(args.table_size).start()?;
        say(format_args!(
            "capable: counting the checks of {}; press Ctrl-C to end and report\n",
            observing.workload().subject()
        ));
        let mut keep = CapabilitySet::EMPTY;
        if args.report.emits() {
            keep.insert(Capability::SYS_PTRACE);
            keep.insert(Capability::DAC_READ_SEARCH);
        }
        observing.give_up_privileges(keep, KeptIds::Unused)?;
        let stop = Stop::after(args.duration, signals);
        wait(&mut observing, &stop).await?;
        anyhow::Ok(observing.finish()?)
    })?;
    Ok(reporter
        .deliver(&learned.report, &learned.needs)?
        .unwrap_or(ExitCode::SUCCESS))
}

/// Waits for the end, and tells losses as they grow.
async fn wait(observing: &mut Observing, stop: &Stop) -> Result<()> {
    let (mut growth, mut starts) = (Growth::default(), Starts::default());
    loop {
        tokio::select! {
            biased;
            stopped = stop.wait() => return stopped.map(drop).map_err(Into::into),
            advanced = observing.advance() => advanced?,
        }
        let lines = growth.lines(&observing.losses()?);
        for line in lines
            .into_iter()
            .chain(starts.lines(&observing.followed()?))
        {
            say(format_args!("capable: {line}\n"));
        }
        let workload = observing.workload();
        if workload.has_ended() {
            say(format_args!("capable: {} has ended\n", workload.subject()));
            return Ok(());
        }
    }
}
