//! A session that counts checks in the kernel.

use super::{Counted, Session, SessionError, Summary};
use crate::kernel::trace::counts::Counts;

/// Checks are counted, and nothing is sent.
pub struct Counting {
    pub(super) counts: Counts,
}

impl Session<Counting> {
    /// What was counted so far, in no order.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn counts(&mut self) -> Result<Vec<Counted>, SessionError> {
        self.tracer.flush_log();
        self.output.counts.read().map_err(SessionError::refused)
    }

    /// Makes room: takes the rows of processes that ended out of the table and adds them up by
    /// name. The result is the processes. Does nothing where it cannot be known that a process
    /// ended, because this program does not see the processes as the kernel numbers them.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written.
    pub fn fold_ended(&mut self) -> Result<Vec<u32>, SessionError> {
        let folded = self.output.counts.fold_ended();
        folded.map_err(SessionError::refused)
    }

    /// Ends the session: takes the hooks away and reads the table for the last time.
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
