//! Signals while a command runs: what the terminal sends goes to the command as well, for it is in
//! the same process group; what a process sends goes to us alone, and is passed on.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd},
    os::unix::process::ExitStatusExt as _,
    process::ExitStatus,
};

use tokio::io::{Interest, unix::AsyncFd};

/// The signals that are passed on.
const PASSED_ON: [libc::c_int; 6] = [
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Its number.
    pub signal: i32,
    /// The kernel sent it, as it does for Ctrl-C: the whole process group got it.
    pub by_terminal: bool,
}

/// The signals of this process, from a descriptor.
pub struct Signals(AsyncFd<OwnedFd>);

impl Signals {
    /// Catches the signals from now on. Children that were forked before are not touched.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn catch() -> io::Result<Self> {
        let mut set = MaybeUninit::uninit();
        // SAFETY: the set is initialised by the first call, and outlives the others.
        let descriptor = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in PASSED_ON {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            let error = libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
            if error != 0 {
                return Err(io::Error::from_raw_os_error(error));
            }
            libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave this descriptor to us.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
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
            match ready.try_io(|descriptor| read(descriptor.as_raw_fd())) {
                Ok(caught) => return caught,
                Err(_would_block) => continue,
            }
        }
    }
}

fn read(descriptor: RawFd) -> io::Result<Caught> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: there is room for as many bytes as is said.
    let length = unsafe { libc::read(descriptor, info.as_mut_ptr().cast(), size) };
    if length < 0 {
        return Err(io::Error::last_os_error());
    }
    if length as usize != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // SAFETY: the kernel filled all of it.
    let info = unsafe { info.assume_init() };
    Ok(Caught {
        signal: info.ssi_signo as i32,
        // What a process sends has a code of 0 or less (include/uapi/asm-generic/siginfo.h).
        by_terminal: info.ssi_code > 0,
    })
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended(pub i32);

impl Ended {
    /// The exit code by which a shell says it: the command's own, or 128 and the signal.
    pub fn exit_code(self) -> u8 {
        let status = ExitStatus::from_raw(self.0);
        let code = match (status.code(), status.signal()) {
            (Some(code), _) => code,
            (None, Some(signal)) => 128 + signal,
            (None, None) => super::error::FAILED.into(),
        };
        code as u8
    }

    /// The signal that ended it, in words: `signal 2 (SIGINT)`.
    pub fn signal(self) -> Option<String> {
        let status = ExitStatus::from_raw(self.0);
        let words = status.to_string().replace("signal: ", "signal ");
        status.signal().map(|_| words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_commands_or_says_its_signal() {
        assert_eq!(Ended(0).exit_code(), 0);
        assert_eq!(Ended(7 << 8).exit_code(), 7);
        assert_eq!(Ended(255 << 8).exit_code(), 255);
        assert_eq!(Ended(libc::SIGKILL).exit_code(), 137);
        assert_eq!(Ended(libc::SIGSEGV | 0x80).exit_code(), 139);
        assert_eq!(Ended(7 << 8).signal(), None);
        let signal = Ended(libc::SIGKILL).signal();
        assert_eq!(signal.as_deref(), Some("signal 9 (SIGKILL)"));
    }
}
