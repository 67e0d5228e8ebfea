//! What the commands that start and trace another command share: its exit code, the signals that it
//! gets, and its end.

use std::{io, process::ExitCode};

use anyhow::Result;

use super::signals::Signals;
use crate::{
    commands::{
        Usage,
        print::{say, say_error},
    },
    launcher::{Ended, LaunchError, Started},
    learn::LearnError,
};

/// The exit code that env(1), timeout(1) and the like use for their own failures, because 1 is too
/// often the command's own.
const FAILED: u8 = 125;

/// The exit code of `capable` when it runs a command: a failure is reported on stderr, with a code
/// that the command itself is unlikely to use.
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

/// Reports the signal that ended a command, if one did, as a shell would.
pub fn tell_signal(ended: Ended) {
    if let Some(signal) = ended.signal() {
        say(format_args!(
            "capable: the command was killed by {signal}\n"
        ));
    }
}

/// A running command, and the signals that it gets through `capable`.
pub struct Running {
    started: Started,
    signals: Signals,
    ended: Option<Ended>,
}

impl Running {
    /// For a command that was let go, with the signals that were caught for it.
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
        self.signals.send(signal);
    }

    /// Waits for a signal, and passes it on if the command still runs. Nothing is lost if the future
    /// is dropped.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub async fn interrupted(&self) -> io::Result<()> {
        let caught = self.signals.next().await?;
        if !caught.to_group {
            self.signals.send(caught.signal);
        }
        Ok(())
    }

    /// Waits for its end, passing on signals until then, except those that went to the whole process
    /// group, which reach it anyway. Nothing is lost if the future is dropped, and the end can be asked for
    /// again.
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
                    if !caught.to_group {
                        self.signals.send(caught.signal);
                    }
                }
            }
        }
    }
}
