//! Learns what a command needs from its start to its end, and what a workload needs that runs
//! already.
//!
//! [`Builder::learn`] forks the command, which then waits. [`Launched::start`] attaches the hooks
//! and lets the command go. From then on a [`Learning`] takes in what the kernel reports for as
//! long as the caller wants, and finally becomes [`Learned`]: the report, and the input of the
//! emitters.
//!
//! ```text
//! Builder ──learn──> Launched ──start──> Learning ──finish──> Learned
//!                        └─────────────────run──────────────────^
//! ```
//!
//! [`Builder::observe`] takes a [`Workload`]: processes with their descendants, or cgroups, units
//! and containers. Its checks are counted in the kernel and read at the end, so that it can be
//! observed for days. What it asked for before that, above all at its start, remains unknown.
//!
//! ```text
//! Builder ──observe──> Observer ──start──> Observing ──finish──> Learned
//!                          └─────────────────run──────────────────^
//! ```
//!
//! ```no_run
//! use capable::{launcher::Command, learn::LearnError, profile::emit::Consumer, session::Builder};
//!
//! # async fn learn() -> Result<(), LearnError> {
//! let command = Command::new("ping").args(["-c1", "127.0.0.1"]);
//! let learned = Builder::new().learn(command)?.run().await?;
//! println!("needs {}", learned.report.needed);
//! print!("{}", Consumer::Systemd.emit(&learned.needs));
//! # Ok(())
//! # }
//! ```
//!
//! ```no_run
//! use std::{error::Error, time::Duration};
//!
//! use capable::{context::cgroups::CgroupName, learn::Workload, session::Builder};
//!
//! # async fn observe() -> Result<(), Box<dyn Error>> {
//! let nginx = Workload::cgroups([CgroupName::Unit("nginx".to_owned())])?;
//! let hour = Duration::from_secs(60 * 60);
//! let learned = Builder::new().observe(nginx)?.run(hour).await?;
//! println!("needs {}", learned.report.needed);
//! # Ok(())
//! # }
//! ```

mod account;
mod collect;
mod counted;
mod error;
mod files;
mod gains;
mod ids;
mod inheriting;
mod learned;
mod learning;
mod observing;
mod opening;
mod places;
mod programs;
mod refused;
mod searching;
mod tree;
mod workload;
mod writing;

use std::{io, time::Duration};

pub use error::LearnError;
pub use learned::Learned;
pub use learning::Learning;
pub use observing::{Observer, Observing};
pub use workload::{Workload, WorkloadError};

pub(crate) use places::Places;
#[cfg(feature = "cli")]
pub(crate) use places::in_call;

use account::Account;
use collect::Collector;
use tree::Tree;

use crate::{
    context::{kernel_symbols::KernelSymbols, surroundings::Looker},
    launcher::{Command, Waiting},
    session::{Builder, Planned, Records, Wanted},
};

/// How long nothing may be started before a command counts as running, if nothing else is set.
const SETTLE: Duration = Duration::from_secs(1);

impl Builder {
    /// Plans how to trace, and forks a command that waits to be started. What it needs is learned
    /// from its checks and those of its descendants, audited or not. The command replaces any
    /// filters by process; other filters narrow what is learned.
    ///
    /// # Errors
    ///
    /// If tracing is not possible here, or the command cannot be launched as requested.
    pub fn learn(self, command: Command) -> Result<Launched, LearnError> {
        let planned = self.unaudited().plan()?;
        // The kernel side uses the process numbers of the initial pid namespace.
        if !planned.numbers_as_here() {
            return Err(LearnError::PidNamespace);
        }
        let waiting = Waiting::fork(&command)?;
        Ok(Launched {
            planned,
            command,
            waiting,
            settle: SETTLE,
            buffer: None,
            command_file_only: false,
            looker: None,
        })
    }
}

/// A command that was forked and waits to be started. If this is dropped, the command never runs.
///
/// It has the signal mask of this process: signals that are blocked later are not blocked in the
/// command.
pub struct Launched {
    planned: Planned,
    command: Command,
    waiting: Waiting,
    settle: Duration,
    buffer: Option<u32>,
    command_file_only: bool,
    looker: Option<Looker>,
}

impl Launched {
    /// The process id of the command that waits.
    pub fn pid(&self) -> u32 {
        self.waiting.pid()
    }

    /// Looks only at the command's own file for whether it gives privileges, not at those that its
    /// descendants execute: then [`ProgramNeeds::gains_privileges`] is known only if it does.
    ///
    /// [`ProgramNeeds::gains_privileges`]: crate::profile::emit::ProgramNeeds::gains_privileges
    pub fn command_file_only(mut self) -> Self {
        self.command_file_only = true;
        self
    }

    /// Has another process look at the files that system calls are refused for, also when this one has
    /// given up its privileges. It is forked here, so this process must have one thread.
    ///
    /// # Errors
    ///
    /// It cannot be forked.
    pub fn look_at_files(mut self) -> io::Result<Self> {
        self.looker = Some(Looker::fork()?);
        Ok(self)
    }

    /// The command counts as starting until no process was forked or executed for this time, one
    /// second by default.
    pub fn settle(mut self, time: Duration) -> Self {
        self.settle = time;
        self
    }

    /// The size of the ring buffer, or of each CPU's perf buffer, in bytes.
    pub fn buffer(mut self, bytes: u32) -> Self {
        self.buffer = Some(bytes);
        self
    }

    /// Attaches, and lets the command go. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the kernel refuses to trace, or the command cannot be executed.
    pub fn start(self) -> Result<Learning, LearnError> {
        let Self {
            planned,
            command,
            waiting,
            settle,
            buffer,
            command_file_only,
            looker,
        } = self;
        let mut gaps = Vec::new();
        let symbols = KernelSymbols::load()
            .map_err(|error| gaps.push(format!("cannot name kernel functions: {error}")))
            .ok();
        let settle = u64::try_from(settle.as_nanos()).unwrap_or(u64::MAX);
        let mut collector = Collector::new(Places::new(symbols), Tree::new(waiting.pid(), settle));
        collector.gains.command_only = command_file_only;
        collector.refusals.looker = looker;
        let session = planned.command(waiting.pid()).records(Records {
            wanted: Wanted::DETAIL | Wanted::CREDENTIALS,
            kernel_frames: Records::CALLER_FRAMES,
            outcomes: true,
            operations: true,
            buffer,
            ..Records::default()
        })?;
        let account = Account::new(&session, &gaps);
        let started = waiting.release()?;
        collector.gains.command(started.file());
        Ok(Learning::new(command, session, account, collector, started))
    }

    /// Starts the command, follows it until it has ended, and returns what was learned. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// As [`Self::start`], or if the kernel's reports cannot be read.
    pub async fn run(self) -> Result<Learned, LearnError> {
        let mut learning = self.start()?;
        while learning.ended().is_none() {
            learning.advance().await?;
        }
        learning.finish()
    }
}
