//! A command under way, and what was seen of it so far.

use std::time::Duration;

use super::{
    Account, LearnError, Learned,
    collect::{Collector, Ends},
};
use crate::{
    launcher::{Command, Ended, Started},
    session::{self, Cause, Session, Streaming},
};

/// After how long without a record it is looked whether descendants still live. Longer than a
/// record can take to be read.
const LOOK: Duration = Duration::from_millis(200);

/// A command that runs and is learned from.
pub struct Learning {
    command: Command,
    session: Session<Streaming>,
    account: Account,
    collector: Collector,
    started: Started,
    ended: Option<Ended>,
    /// Of a process that lived for a moment only, and left a child, the records come later than its
    /// end. So that it is gone from the system says nothing until no record comes.
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
    /// neither for a while after its end. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// The command cannot be waited for, or the records cannot.
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

    /// Sends the command a signal, unless it has ended.
    pub fn signal(&self, signal: i32) {
        self.started.signal(signal);
    }

    /// Takes the hooks away and gives what was learned. What still runs is left alone.
    ///
    /// # Errors
    ///
    /// The counters of what was lost cannot be read.
    pub fn finish(self) -> Result<Learned, LearnError> {
        let Self {
            command,
            session,
            mut account,
            mut collector,
            started,
            ended: _,
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
            started.file(),
            collector,
            ends,
            account,
            end,
        ))
    }
}
