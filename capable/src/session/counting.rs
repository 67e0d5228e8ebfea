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
        Ok(self.output.counts.read()?)
    }

    /// Makes room in the table: see [`Counts::fold_ended`]. The result is the processes that ended.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written.
    pub fn fold_ended(&mut self) -> Result<Vec<u32>, SessionError> {
        Ok(self.output.counts.fold_ended()?)
    }

    /// Ends the session: takes the hooks away and reads the table for the last time.
    ///
    /// # Errors
    ///
    /// The table or the counters cannot be read.
    pub fn finish(mut self) -> Result<Summary, SessionError> {
        self.tracer.detach();
        let counts = self.counts()?;
        Ok(Summary::of(&self.tracer, counts)?)
    }
}
