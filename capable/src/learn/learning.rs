//! A running command, and what was seen of it so far.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use super::{
    Account, LearnError, Learned,
    collect::{Collector, Ends},
    learned,
};
use crate::{
    capability::{Capability, CapabilitySet},
    launcher::{Command, Ended, Started},
    profile::{Exit, emit::ProgramNeeds},
    session::{self, Cause, KeptIds, Session, Streaming},
};

/// After this time without a record, look whether descendants are still alive. It is longer than
/// reading a record can take.
const LOOK: Duration = Duration::from_millis(200);

/// A running command that is being learned from.
pub struct Learning {
    command: Command,
    session: Session<Streaming>,
    account: Account,
    collector: Collector,
    program: ProgramNeeds,
    started: Started,
    ended: Option<Ended>,
    /// The records of a process that lived only briefly and left a child can arrive after its end.
    /// So its absence from the system means nothing until records stop coming.
    quiet: bool,
}

impl Learning {
    pub(super) fn new(
        command: Command,
        session: Session<Streaming>,
        account: Account,
        collector: Collector,
        started: Started,
    ) -> Self {
        Self {
            program: learned::program(&command, started.file()),
            command,
            session,
            account,
            collector,
            started,
            ended: None,
            quiet: false,
        }
    }

    /// Waits until something happens, and takes note of it: the command ended, checks were made, or
    /// no records came for a while after its end. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// If waiting for the command or for the records fails.
    pub async fn advance(&mut self) -> Result<(), LearnError> {
        self.quiet = false;
        let collector = &mut self.collector;
        tokio::select! {
            biased;
            status = self.started.ended(), if self.ended.is_none() => {
                self.ended = Some(status.map_err(LearnError::Wait)?);
            }
            batch = self.session.next_batch(|record| collector.take(record)) => batch?,
            () = tokio::time::sleep(LOOK), if self.ended.is_some() => self.quiet = true,
        }
        Ok(())
    }

    /// How the command ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// Whether the command and all its descendants have ended.
    pub fn all_ended(&self) -> bool {
        let tree = &self.collector.tree;
        self.ended.is_some() && (tree.has_ended() || self.quiet && tree.living().next().is_none())
    }

    /// Gives up every privilege that is not needed to continue: see
    /// [`Session::give_up_privileges`]. To look at the files that descendants execute, which
    /// [`Launched::command_file_only`](super::Launched::command_file_only) prevents, CAP_SYS_PTRACE and
    /// CAP_DAC_READ_SEARCH are kept. [`Self::signal`] then no longer reaches a command of another
    /// user.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn give_up_privileges(&self, ids: KeptIds) -> Result<(), LearnError> {
        let mut keep = CapabilitySet::EMPTY;
        if !self.collector.gains.command_only {
            keep.insert(Capability::SYS_PTRACE);
            keep.insert(Capability::DAC_READ_SEARCH);
        }
        Ok(self.session.give_up_privileges(keep, ids)?)
    }

    /// Sends the command a signal, unless it has ended.
    pub fn signal(&self, signal: i32) {
        self.started.signal(signal);
    }

    /// Detaches the hooks and returns what was learned. Processes that still run are left alone.
    ///
    /// # Errors
    ///
    /// If the counters of losses cannot be read.
    pub fn finish(self) -> Result<Learned, LearnError> {
        let Self {
            command,
            session,
            mut account,
            mut collector,
            program,
            started: _,
            ended,
            quiet: _,
        } = self;
        let end = session::now();
        let happened = session.finish(|record| collector.take(record))?;
        account.settle(&happened.losses);
        let ends = if happened.losses.by(Cause::OutcomeSkipped) == 0 {
            Ends::AllSeen
        } else {
            Ends::SomeSkipped
        };
        Ok(Learned::new(
            &command,
            program,
            collector,
            ends,
            account,
            (ended.map(exit_of), end),
        ))
    }
}

/// How the command ended, as a report has it.
fn exit_of(ended: Ended) -> Exit {
    let status = ExitStatus::from_raw(ended.0);
    Exit {
        code: status.code(),
        signal: status.signal(),
    }
}
