//! What the commands share that start a command and trace it: its exit code, the signals that it
//! gets, and its end.

use std::{io, process::ExitCode};

use anyhow::Result;

use super::signals::{self, Signals};
use crate::{
    commands::{
        Usage,
        print::{say, say_error},
    },
    launcher::{Ended, LaunchError, Started},
    learn::LearnError,
};

/// The exit code of env(1), timeout(1) and their like where they fail themselves: 1 is too often
/// the command's own.
const FAILED: u8 = 125;

/// The exit code of `capable` in front of a command: a failure is told on stderr, and its code is
/// none that the command is likely to have.
///
/// # Errors
///
/// The options do not work ([`Usage`]).
pub fn exit_code(result: Result<ExitCode>) -> Result<ExitCode> {
    match result {
        Err(error) if !error.is::<Usage>() => {
            say_error(&error);
            let launch = match error.downcast_ref::<LearnError>() {
                Some(LearnError::Launch(launch)) => Some(launch),
                _ => error.downcast_ref::<LaunchError>(),
            };
            let code = launch.map_or(FAILED, LaunchError::exit_code);
            Ok(ExitCode::from(code))
        }
        result => result,
    }
}

/// Tells of the signal that ended a command, if one did; a shell would tell too.
pub fn tell_signal(ended: Ended) {
    if let Some(signal) = ended.signal() {
        say(format_args!("capable: the command was ended by {signal}\n"));
    }
}

/// A running command, and the signals that it gets through `capable`.
pub struct Running {
    started: Started,
    signals: Signals,
    ended: Option<Ended>,
}

impl Running {
    /// Catches what the command is to get. It must be forked before, or it would inherit that the
    /// signals are blocked.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn signals() -> io::Result<Signals> {
        Signals::catch(signals::COMMAND)
    }

    /// A command that was let go, and the signals that were caught for it.
    pub fn new(started: Started, signals: Signals) -> Self {
        Self {
            started,
            signals,
            ended: None,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.started.pid()
    }

    /// Sends it a signal, unless it has ended.
    pub fn signal(&self, signal: i32) {
        self.started.signal(signal);
    }

    /// Waits for its end, and passes signals on to it until then, except those of the terminal,
    /// which reach it anyway. Nothing is lost if the future is dropped, and the end is still known
    /// when it is asked for again.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub async fn end(&mut self) -> io::Result<Ended> {
        loop {
            if let Some(ended) = self.ended {
                return Ok(ended);
            }
            tokio::select! {
                biased;
                ended = self.started.ended() => self.ended = Some(ended?),
                caught = self.signals.next() => {
                    let caught = caught?;
                    if !caught.by_terminal {
                        self.started.signal(caught.signal);
                    }
                }
            }
        }
    }
}
