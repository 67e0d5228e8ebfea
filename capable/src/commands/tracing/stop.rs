//! What ends an observation: a signal, or that its time is over.

use std::{future::pending, io, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::signals::Signals;

/// Why an observation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// By a signal.
    BySignal,
    /// The time was over.
    ByTime,
}

/// When the time of an observation is over; perhaps never.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Begins the time, if it is limited.
    pub fn after(time: Option<Duration>) -> Self {
        Self(time.and_then(|time| Instant::now().checked_add(time)))
    }

    /// Waits until the time is over.
    pub async fn over(self) {
        match self.0 {
            Some(deadline) => sleep_until(deadline).await,
            None => pending().await,
        }
    }
}

/// What can end an observation.
pub struct Stop {
    signals: Signals,
    deadline: Deadline,
}

impl Stop {
    /// Begins the time, if it is limited: loading, which can take a second on a slow machine, is
    /// over.
    pub fn after(time: Option<Duration>, signals: Signals) -> Self {
        let deadline = Deadline::after(time);
        Self { signals, deadline }
    }

    /// Waits for the end. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// Signals cannot be read.
    pub async fn wait(&self) -> io::Result<Stopped> {
        tokio::select! {
            caught = self.signals.next() => caught.map(|_| Stopped::BySignal),
            () = self.deadline.over() => Ok(Stopped::ByTime),
        }
    }
}
