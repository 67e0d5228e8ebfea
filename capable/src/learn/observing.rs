//! Counting the checks of a workload, and what was seen of them at the end.

use std::time::Duration;

use tokio::time::sleep;

use super::{Account, LearnError, Learned, Places, Workload, counted::CountedChecks};
use crate::{
    capability::{Capability, CapabilitySet},
    context::kernel_symbols::{KernelSymbols, SymbolsError, UnreadSymbols},
    event::INITIAL_USER_NAMESPACE,
    profile::{Report, Run, emit::ProgramNeeds},
    session::{self, Builder, CountBy, Counting, Followed, KeptIds, Losses, Planned, Session},
};

/// How often room is made in the table, and the processes are checked for being alive.
const INTERVAL: Duration = Duration::from_secs(5);

impl Builder {
    /// Plans how to trace a workload. What it needs is learned from its checks, audited or not,
    /// which are counted in the kernel. The workload replaces any filter.
    ///
    /// # Errors
    ///
    /// If tracing is not possible here.
    pub fn observe(self, workload: Workload) -> Result<Observer, LearnError> {
        let mut builder = self.unaudited().filter(workload.filter())?;
        if workload.has_descendants() {
            builder = builder.descendants();
        }
        Ok(Observer {
            planned: builder.plan()?,
            workload,
            entries: CountBy::PROCESS.entries,
        })
    }
}

/// A workload that can be observed.
pub struct Observer {
    planned: Planned,
    workload: Workload,
    entries: u32,
}

impl Observer {
    /// The number of rows in the kernel's table of counts.
    pub fn entries(mut self, rows: u32) -> Self {
        self.entries = rows;
        self
    }

    /// Attaches, and begins to count.
    ///
    /// # Errors
    ///
    /// If the kernel refuses to trace.
    pub fn start(self) -> Result<Observing, LearnError> {
        let Self {
            planned,
            workload,
            entries,
        } = self;
        let session = planned.counts(CountBy {
            origin: true,
            entries,
            ..CountBy::PROCESS
        })?;
        // Opened while this process may see addresses, and read at the end, so that modules that are
        // loaded in the meantime have names too.
        let symbols = KernelSymbols::open();
        Ok(Observing {
            workload,
            symbols,
            numbers_as_here: planned.numbers_as_here(),
            session,
            began: session::now(),
        })
    }

    /// Counts for this time, or until all processes that were named have ended, and returns what
    /// was learned. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// As [`Self::start`], or if the kernel's table cannot be read.
    pub async fn run(self, time: Duration) -> Result<Learned, LearnError> {
        let mut observing = self.start()?;
        let over = sleep(time);
        tokio::pin!(over);
        while !observing.workload().has_ended() {
            tokio::select! {
                () = &mut over => break,
                advanced = observing.advance() => advanced?,
            }
        }
        observing.finish()
    }
}

/// A workload whose checks are being counted.
pub struct Observing {
    workload: Workload,
    symbols: Result<UnreadSymbols, SymbolsError>,
    numbers_as_here: bool,
    session: Session<Counting>,
    /// On the clock of the counts.
    began: u64,
}

impl Observing {
    /// Waits for a while, and makes room in the kernel's table. Nothing is lost if the future is
    /// dropped.
    ///
    /// # Errors
    ///
    /// If the table cannot be read or written.
    pub async fn advance(&mut self) -> Result<(), LearnError> {
        sleep(INTERVAL).await;
        self.session.fold_ended()?;
        Ok(())
    }

    /// Gives up every privilege that is not needed to continue, and not among those to keep: see
    /// [`Session::give_up_privileges`]. The needed ones are CAP_SYS_PTRACE if the workload is in a
    /// user namespace of its own, to tell which of its processes are too. Without CAP_SYS_PTRACE and
    /// CAP_DAC_READ_SEARCH, the input of the emitters may lack the workload's executable.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn give_up_privileges(&self, keep: CapabilitySet, ids: KeptIds) -> Result<(), LearnError> {
        let mut keep = keep;
        if self.workload.home() != INITIAL_USER_NAMESPACE {
            keep.insert(Capability::SYS_PTRACE);
        }
        Ok(self.session.give_up_privileges(keep, ids)?)
    }

    /// What is observed.
    pub fn workload(&self) -> &Workload {
        &self.workload
    }

    /// What is known to be missing so far.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn losses(&self) -> Result<Losses, LearnError> {
        Ok(self.session.losses()?)
    }

    /// What was seen so far of the units that were named.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn followed(&self) -> Result<Vec<Followed>, LearnError> {
        Ok(self.session.followed()?)
    }

    /// Detaches the hooks and returns what was learned.
    ///
    /// # Errors
    ///
    /// If the table or the counters cannot be read.
    pub fn finish(self) -> Result<Learned, LearnError> {
        let Self {
            mut workload,
            symbols,
            numbers_as_here,
            session,
            began,
        } = self;
        workload.look_again();
        let duration = session::now().saturating_sub(began);
        let mut gaps = Vec::new();
        let symbols = symbols
            .and_then(UnreadSymbols::load)
            .map_err(|error| gaps.push(format!("cannot name kernel functions: {error}")))
            .ok();
        let mut account = Account::new(&session, &gaps);
        let happened = session.finish()?;
        account.settle(&happened.losses);
        account.followed(happened.followed);
        let mut checks = CountedChecks::new(
            Places::new(symbols),
            workload.home(),
            began,
            numbers_as_here,
        );
        let observations: Vec<_> = happened
            .counts
            .iter()
            .map(|row| checks.observation(row))
            .collect();
        if let Some(sentence) = checks.programs_left_out() {
            account.note(sentence);
        }
        let run = Run {
            subject: Some(workload.subject()),
            duration,
            ..account.into_run()
        };
        let report = Report::new(run, observations);
        let needs = workload.describe(ProgramNeeds::from_report(&report));
        Ok(Learned { report, needs })
    }
}
