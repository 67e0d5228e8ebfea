//! `capable profile`: what already runs, counted in the kernel.

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
    Usage,
    print::say,
    reporting::{Account, Destination, Reporter},
    tracing::{
        Stop, block_on, resolve,
        signals::{self, Signals},
    },
};
use crate::{
    context::kernel_symbols::KernelSymbols,
    kernel::{
        counts::{CountBy, CountSubject},
        plan::{self, plan},
        stream::monotonic_now,
        trace::calibration,
        tracer::{Request, Tracer},
    },
    profile::{Report, Run, emit::ProgramNeeds},
};

/// How often room is made in the table, and it is looked whether the processes still live.
const INTERVAL: Duration = Duration::from_secs(5);

/// Profiles until Ctrl-C or the time is over, and reports.
///
/// # Errors
///
/// The options do not work ([`Usage`]), or tracing does not.
pub fn run(args: &Args) -> Result<ExitCode> {
    let filter = args.target.filters();
    let mut filters = resolve::filters(&filter).map_err(Usage::wrap)?;
    let reporter = Reporter::new(&args.report, Destination::Stdout)?;
    let descendants = || {
        filter
            .pids
            .iter()
            .flat_map(|&pid| resolve::descendants(pid))
    };
    filters.pids.extend(descendants());
    let wanted = plan::Choice {
        hook: args.tracing.hook,
        transport: args.tracing.transport,
    };
    let plan = plan(&calibration::probe(), &wanted)?;
    let mut gaps = Vec::new();
    let request = Request {
        audited_only: false,
        credentials: true,
        filters,
        follow: !filter.pids.is_empty(),
        send: false,
        count: Some(CountBy {
            subject: CountSubject::Process,
            origin: true,
            entries: args.table_size,
        }),
        log_level: log::max_level() as u8,
        ..Request::of(&plan)
    };
    let profiled = Profiled::new(&args.target);
    let report = block_on(async {
        let signals = Signals::catch(signals::REPORT)?;
        let mut tracer = Tracer::start(&request)?;
        // Those that were made while the trace started.
        for pid in descendants() {
            tracer.follow(pid, false)?;
        }
        let began = monotonic_now();
        say(format_args!(
            "capable: counting what {} asks for; Ctrl-C ends and reports\n",
            profiled.subject()
        ));
        let stop = Stop::after(args.duration, signals);
        wait(&mut tracer, &stop, &profiled).await?;
        let duration = monotonic_now().saturating_sub(began);
        let missed = tracer.detach();
        // Read at the end, so that modules that were loaded meanwhile have names too.
        let symbols = KernelSymbols::load()
            .map_err(|error| gaps.push(format!("kernel functions have no names: {error}")))
            .ok();
        let mut account = Account::new(&plan, gaps.iter().chain(&tracer.gaps));
        account.settle(&tracer, missed)?;
        let mut observer = Observer::new(&profiled, symbols, began);
        let observations: Vec<_> = tracer
            .counts()?
            .iter()
            .map(|row| observer.observe(row))
            .collect();
        let run = Run {
            subject: Some(profiled.subject()),
            duration,
            ..account.into_run()
        };
        anyhow::Ok(Report::new(run, observations))
    })?;
    let needs = profiled.describe(ProgramNeeds::from_report(&report));
    Ok(reporter
        .deliver(&report, &needs)?
        .unwrap_or(ExitCode::SUCCESS))
}

/// Waits for the end, and makes room in the table meanwhile.
async fn wait(tracer: &mut Tracer, stop: &Stop, profiled: &Profiled) -> Result<()> {
    let mut lost = 0;
    loop {
        tokio::select! {
            biased;
            stopped = stop.wait() => return stopped.map(drop).map_err(Into::into),
            () = sleep(INTERVAL) => {}
        }
        tracer.fold_ended_counts()?;
        let counters = tracer.counters()?;
        if counters.lost_counts > lost {
            lost = counters.lost_counts;
            say(format_args!(
                "capable: lost {lost} checks so far: the table is full, try --table-size\n"
            ));
        }
        if profiled.has_ended() {
            say(format_args!("capable: {} has ended\n", profiled.subject()));
            return Ok(());
        }
    }
}
