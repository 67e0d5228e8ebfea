//! Signals during tracing, read from a signalfd, which tells who sent them.
//!
//! Signals from a terminal, such as those of Ctrl-C, reach every process of the foreground group.
//! Those from a process reach this one, or its whole group too.

use std::{io, thread, time::Duration};

use nix::sys::{
    signal::{SigSet, SigmaskHow, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use tokio::io::{Interest, unix::AsyncFd};

use crate::launcher::{Sentinel, is_ignored};

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
    /// Whether the whole process group got it, and a command that is traced with it.
    pub to_group: bool,
}

/// How long a signal may take to reach the rest of a process group: kill(2) sends it to one process
/// after the other, and a service manager calls it for each.
const SPREAD: Duration = Duration::from_millis(5);

/// The signals that this process catches.
pub struct Signals {
    caught: AsyncFd<SignalFd>,
    /// What was blocked before.
    before: SigSet,
    sentinel: Option<Sentinel>,
}

impl Signals {
    /// Catches these from now on, in this thread and in those that it starts later, except for those
    /// that are ignored, as by nohup(1). Children that were forked before are not affected; those
    /// forked later inherit the signals as blocked. When this is dropped, signals act as before.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn catch(signals: &[Signal]) -> io::Result<Self> {
        let set: SigSet = signals
            .iter()
            .copied()
            .filter(|&signal| !is_ignored(signal as i32))
            .collect();
        let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let descriptor =
            SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        // SAFETY: the descriptor is owned by what is registered, and closed with it.
        let caught = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        Ok(Self {
            caught: caught?,
            before,
            sentinel: None,
        })
    }

    /// Catches the signals that a command should get, which was forked already or it would inherit
    /// them as blocked, and tells those that reach it anyway.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn for_command(pid: u32) -> io::Result<Self> {
        let mut signals = Self::catch(COMMAND)?;
        signals.sentinel = Some(Sentinel::fork(pid)?);
        Ok(signals)
    }

    /// Sends the command a signal, unless it has ended.
    pub fn send(&self, signal: i32) {
        if let Some(sentinel) = &self.sentinel {
            // It cannot be reached once it has ended.
            sentinel.send(signal);
        }
    }

    /// The next signal. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// The descriptor cannot be read.
    pub async fn next(&self) -> io::Result<Caught> {
        loop {
            let mut ready = self.caught.readable().await?;
            match self.caught.get_ref().read_signal()? {
                Some(info) => {
                    let signal = info.ssi_signo as i32;
                    // The kernel's own signals, such as those of Ctrl-C, have a code above 0
                    // (include/uapi/asm-generic/siginfo.h) and go to the whole group.
                    let by_kernel = info.ssi_code > 0;
                    let to_group = self.reached_group(signal) || by_kernel;
                    return Ok(Caught { signal, to_group });
                }
                None => ready.clear_ready(),
            }
        }
    }

    fn reached_group(&self, signal: i32) -> bool {
        self.sentinel.as_ref().is_some_and(|sentinel| {
            // A pause in place of an await: the signal is read, and must not be lost with the future.
            thread::sleep(SPREAD);
            sentinel.got(signal)
        })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // Those that came and were not waited for must not end this process now: what it was asked
        // for is done.
        while let Ok(Some(_)) = self.caught.get_ref().read_signal() {}
        // The set is one that was in force.
        let _ = self.before.thread_set_mask();
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::raise;

    use super::*;

    #[test]
    fn what_was_sent_to_this_process_only_is_told_from_what_reached_its_group() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut signals = Signals::catch(&[Signal::SIGUSR1]).unwrap();
            signals.sentinel = Some(Sentinel::fork(std::process::id()).unwrap());
            raise(Signal::SIGUSR1).unwrap();
            let caught = signals.next().await.unwrap();
            assert_eq!((caught.signal, caught.to_group), (libc::SIGUSR1, false));
        });
        let mask = SigSet::thread_get_mask().unwrap();
        assert!(!mask.contains(Signal::SIGUSR1));
    }
}
