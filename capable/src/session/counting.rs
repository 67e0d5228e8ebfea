//! A session that counts checks in the kernel.

use std::collections::HashMap;

use super::{Counted, Session, SessionError, Summary, Who};
use crate::kernel::trace::counts::Counts;

/// Checks are counted, and nothing is sent.
pub struct Counting {
    pub(super) counts: Counts,
}

impl Session<Counting> {
    /// What was counted so far, in no particular order.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn counts(&mut self) -> Result<Vec<Counted>, SessionError> {
        self.tracer.flush_log();
        self.output.counts.read().map_err(SessionError::refused)
    }

    /// Makes room: takes the rows of processes that ended out of the table and adds them up by
    /// name. Returns who these were, and who their checks count for from now on. Does nothing if this program does not see processes under the
    /// kernel's numbers, because then it cannot know whether one has ended.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written.
    pub fn fold_ended(&mut self) -> Result<HashMap<Who, Who>, SessionError> {
        let folded = self.output.counts.fold_ended();
        folded.map_err(SessionError::refused)
    }

    /// Ends the session: detaches the hooks and reads the table for the last time.
    ///
    /// # Errors
    ///
    /// The table or the counters cannot be read.
    pub fn finish(mut self) -> Result<Summary, SessionError> {
        self.tracer.detach();
        let counts = self.counts()?;
        Summary::of(&self.tracer, counts)
    }
}
