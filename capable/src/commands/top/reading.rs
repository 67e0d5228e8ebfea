//! The counts, from when counting began to the latest reading.

use tokio::time::{Duration, Instant};

use super::sample::Sample;
use crate::{
    capability::CapabilitySet,
    session::{
        CountBy, CountSubject, Counting, Followed, KeptIds, Losses, Planned, Session, SessionError,
    },
};

/// A session that counts, and the counts when they were last read.
pub struct Reading {
    session: Session<Counting>,
    by: CountBy,
    began: Instant,
    read: Instant,
    /// The counts.
    pub sample: Sample,
    /// What the counts are missing.
    pub losses: Losses,
    /// What was seen of the units that filters name.
    pub followed: Vec<Followed>,
}

impl Reading {
    /// Begins to count, in a table with room for this many rows, and gives up every privilege: all
    /// groupings are made of the same counts.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn begin(planned: &Planned, entries: u32) -> Result<Self, SessionError> {
        let by = CountBy {
            subject: CountSubject::ProcessInCgroup,
            entries,
            ..CountBy::PROCESS
        };
        let session = planned.counts(by)?;
        session.give_up_privileges(CapabilitySet::EMPTY, KeptIds::Unused)?;
        let now = Instant::now();
        Ok(Self {
            followed: session.followed()?,
            session,
            by,
            began: now,
            read: now,
            sample: Sample::default(),
            losses: Losses::default(),
        })
    }

    /// What the session cannot show.
    pub fn gaps(&self) -> &[String] {
        self.session.gaps()
    }

    /// How long counting has been going on.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Reads the counters, and makes room in the table if it is half full.
    ///
    /// # Errors
    ///
    /// A table cannot be read.
    pub fn refresh(&mut self) -> Result<(), SessionError> {
        let counted = self.session.counts()?;
        let now = Instant::now();
        self.sample = self.sample.next(&counted, now - self.read);
        self.read = now;
        self.losses = self.session.losses()?;
        self.followed = self.session.followed()?;
        if counted.len() >= self.by.entries as usize / 2 {
            self.sample.fold(&self.session.fold_ended()?);
        }
        Ok(())
    }
}
