//! A session that streams a record of each check.

use super::{Counted, Record, Session, SessionError, Summary};
use crate::kernel::trace::{counts::Counts, stream::Stream};

/// Records are streamed, and perhaps counted too.
pub struct Streaming {
    pub(super) stream: Stream,
    pub(super) counts: Option<Counts>,
}

impl Session<Streaming> {
    /// Waits until there may be records and gives those that have arrived to a sink, in order of
    /// time. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// The runtime cannot wait.
    pub async fn next_batch(&mut self, sink: impl FnMut(Record<'_>)) -> Result<(), SessionError> {
        let Streaming { stream, counts: _ } = &mut self.output;
        stream.wait().await.map_err(SessionError::refused)?;
        stream.read(sink);
        self.tracer.flush_log();
        Ok(())
    }

    /// Ends the session: detaches the hooks and gives what was received before that to a sink.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn finish(mut self, sink: impl FnMut(Record<'_>)) -> Result<Summary, SessionError> {
        self.tracer.detach();
        self.tracer.flush_log();
        let Streaming { mut stream, counts } = self.output;
        stream.finish(sink);
        let counts: Vec<Counted> = match counts {
            Some(counts) => counts.read().map_err(SessionError::refused)?,
            None => Vec::new(),
        };
        Summary::of(&self.tracer, counts)
    }
}
