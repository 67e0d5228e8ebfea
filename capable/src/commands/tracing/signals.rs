//! Signals during tracing, read from a signalfd, which tells who sent them.
//!
//! Signals from a terminal, such as those of Ctrl-C, reach every process of the foreground group.
//! Signals from a process reach only this program.

use std::io;

use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use tokio::io::{Interest, unix::AsyncFd};

/// Signals that end a stream of rows. Closing the terminal ends it too: nobody reads the rest.
pub const STREAM: &[Signal] = &[Signal::SIGINT, Signal::SIGTERM];

/// Signals that end the observation for a report, which is written even if the terminal is gone.
pub const REPORT: &[Signal] = &[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Signals that end a screen: whichever ends the program, the terminal is restored first.
pub const SCREEN: &[Signal] = &[
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// Signals that a traced command gets too, and handles itself.
pub const COMMAND: &[Signal] = &[
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Its number.
    pub signal: i32,
    /// Whether the kernel sent it, as for Ctrl-C: then the whole process group got it.
    pub by_terminal: bool,
}

/// The signals that this process catches.
pub struct Signals(AsyncFd<SignalFd>);

impl Signals {
    /// Catches these from now on, in this thread and in those that it starts later. Children that
    /// were forked before are not affected; those forked later inherit the signals as blocked.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn catch(signals: &[Signal]) -> io::Result<Self> {
        let set: SigSet = signals.iter().copied().collect();
        set.thread_block()?;
        let descriptor =
            SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        // SAFETY: the descriptor is owned by what is registered, and closed with it.
        let caught = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        Ok(Self(caught?))
    }

    /// The next signal. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// The descriptor cannot be read.
    pub async fn next(&self) -> io::Result<Caught> {
        loop {
            let mut ready = self.0.readable().await?;
            match self.0.get_ref().read_signal()? {
                Some(info) => {
                    return Ok(Caught {
                        signal: info.ssi_signo as i32,
                        // Signals sent by a process have a code of 0 or less
                        // (include/uapi/asm-generic/siginfo.h).
                        by_terminal: info.ssi_code > 0,
                    });
                }
                None => ready.clear_ready(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::raise;

    use super::*;

    #[test]
    fn what_a_process_sends_is_told_from_what_a_terminal_does() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let signals = Signals::catch(&[Signal::SIGUSR1]).unwrap();
            raise(Signal::SIGUSR1).unwrap();
            let caught = signals.next().await.unwrap();
            assert_eq!((caught.signal, caught.by_terminal), (libc::SIGUSR1, false));
        });
    }
}
