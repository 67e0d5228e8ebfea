//! What ends a trace other than its rows. Without a command, a signal or the time limit; with one,
//! its end or the time limit.

use std::{io, time::Duration};

use crate::{
    commands::tracing::{Deadline, Named, Running, Stop, Stopped, signals::Signals},
    launcher::{LaunchError, Waiting},
};

/// Why a trace ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A signal came, or the time was up.
    Stopped(Stopped),
    /// The command ended.
    Command,
    /// The processes that were named have ended.
    Processes,
    /// Enough rows were shown.
    Enough,
    /// The reader of the rows is gone.
    Closed,
}

/// What a trace waits for besides its rows.
pub enum Until {
    /// A signal, the end of the time limit, or that of the processes that were named.
    Stop(Box<Stop>, Named),
    /// The end of a command, or of the time limit.
    Command(Box<Running>, Deadline),
}

impl Until {
    /// Starts the time limit, and lets the command go if there is one.
    ///
    /// # Errors
    ///
    /// If the command cannot be executed.
    pub fn begin(
        waiting: Option<Waiting>,
        signals: Signals,
        time: Option<Duration>,
        named: Named,
    ) -> Result<Self, LaunchError> {
        Ok(match waiting {
            Some(waiting) => Self::Command(
                Box::new(Running::new(waiting.release()?, signals)),
                Deadline::after(time),
            ),
            None => Self::Stop(Box::new(Stop::after(time, signals)), named),
        })
    }

    /// Waits for a signal, after the end. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub async fn interrupted(&self) -> io::Result<()> {
        match self {
            Self::Stop(stop, _) => stop.signal().await,
            Self::Command(command, _) => command.interrupted().await,
        }
    }

    /// Waits for the end. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub async fn wait(&mut self) -> io::Result<End> {
        match self {
            Self::Stop(stop, named) => tokio::select! {
                biased;
                stopped = stop.wait() => stopped.map(End::Stopped),
                ended = named.ended() => ended.map(|()| End::Processes),
            },
            Self::Command(command, deadline) => tokio::select! {
                biased;
                ended = command.end() => ended.map(|_| End::Command),
                () = deadline.over() => Ok(End::Stopped(Stopped::ByTime)),
            },
        }
    }
}
