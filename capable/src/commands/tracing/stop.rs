//! What ends an observation: a signal or a time limit.

use std::{future::pending, io, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::signals::Signals;

/// Why an observation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// By a signal.
    BySignal,
    /// The time was up.
    ByTime,
}

/// The time limit of an observation, if it has one.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Starts the time limit, if there is one.
    pub fn after(time: Option<Duration>) -> Self {
        Self(time.and_then(|time| Instant::now().checked_add(time)))
    }

    /// The time is up at this moment, if there is one.
    pub fn at(moment: Option<std::time::Instant>) -> Self {
        Self(moment.map(Instant::from_std))
    }

    /// Waits until the time is up.
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
    /// Starts the time limit, if there is one. By now loading is over, which can take a second on a
    /// slow machine.
    pub fn after(time: Option<Duration>, signals: Signals) -> Self {
        let deadline = Deadline::after(time);
        Self { signals, deadline }
    }

    /// Waits for a signal. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// Signals cannot be read.
    pub async fn signal(&self) -> io::Result<()> {
        self.signals.next().await.map(|_| ())
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
