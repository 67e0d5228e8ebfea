//! Signals while something is traced, read from a descriptor, which tells who sent them.
//!
//! What a terminal sends, as it does for Ctrl-C, reaches every process of the foreground group. What
//! a process sends reaches this program alone.

use std::io;

use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use tokio::io::{Interest, unix::AsyncFd};

/// What ends a stream of rows. A terminal that closes takes it along: nobody reads the rest.
pub const STREAM: &[Signal] = &[Signal::SIGINT, Signal::SIGTERM];

/// What ends the observation for a report, which is written even where the terminal is gone.
pub const REPORT: &[Signal] = &[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// What ends a screen: whatever ends the program, the terminal is given back first.
pub const SCREEN: &[Signal] = &[
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// What a command that is traced gets too, and decides itself about.
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
    /// The kernel sent it, as it does for Ctrl-C: the whole process group got it.
    pub by_terminal: bool,
}

/// The signals of this process that are caught.
pub struct Signals(AsyncFd<SignalFd>);

impl Signals {
    /// Catches these from now on, in this thread and those that it starts. Children that were forked
    /// before are not touched; those that are forked later inherit that the signals are blocked.
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

    /// The next signal. Nothing is lost where the future is dropped.
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
                        // What a process sends has a code of 0 or less
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
