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

/// What can end an observation.
pub struct Stop {
    signals: Signals,
    deadline: Option<Instant>,
}

impl Stop {
    /// Begins the time, where there is a bound: loading, which can take a second on a slow machine,
    /// is over.
    pub fn after(time: Option<Duration>, signals: Signals) -> Self {
        let deadline = time.and_then(|time| Instant::now().checked_add(time));
        Self { signals, deadline }
    }

    /// Waits for the end. Nothing is lost where the future is dropped.
    ///
    /// # Errors
    ///
    /// Signals cannot be read.
    pub async fn wait(&self) -> io::Result<Stopped> {
        let over = async {
            match self.deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            caught = self.signals.next() => caught.map(|_| Stopped::BySignal),
            () = over => Ok(Stopped::ByTime),
        }
    }
}
