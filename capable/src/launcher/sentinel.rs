//! Tells a signal that was sent to the whole process group from one that was sent to this process.
//!
//! A command shares the process group of the program that started it, as it would without us, so
//! `kill -TERM -PGID` reaches both, and the command must not get the signal twice. Nothing that
//! comes with a signal says whom it was sent to. So a second process in the group, which does
//! nothing else, is asked whether it got the signal too.

use std::{
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    mem,
    os::fd::{AsRawFd as _, RawFd},
    ptr,
};

use super::Step;
use crate::capability::CapabilitySet;

/// The process that is asked. It ends when this is dropped, or when this process ends.
pub(crate) struct Sentinel {
    pid: libc::pid_t,
    ask: Option<PipeWriter>,
    answer: PipeReader,
}

impl Sentinel {
    /// Forks the process. It holds no capability and none of this process's files.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub(crate) fn fork() -> io::Result<Self> {
        let ((question, ask), (answer, reply)) = (io::pipe()?, io::pipe()?);
        // SAFETY: the child makes system calls only, and never returns.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            // SAFETY: it is the child.
            0 => unsafe { watch(question.as_raw_fd(), reply.as_raw_fd()) },
            pid => Ok(Self {
                pid,
                ask: Some(ask),
                answer,
            }),
        }
    }

    /// Whether this signal reached the group since it was last asked for.
    pub(crate) fn got(&self, signal: i32) -> bool {
        let mut answer = [0];
        let asked = |mut ask: &PipeWriter| ask.write_all(&[signal as u8]).is_ok();
        self.ask.as_ref().is_some_and(asked)
            && (&self.answer).read_exact(&mut answer).is_ok()
            && answer == [1]
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.ask = None;
        // SAFETY: the child is ours and ends, since the last writer of its pipe is gone.
        unsafe { libc::waitpid(self.pid, ptr::null_mut(), 0) };
    }
}

/// Answers questions until nobody can ask any more.
///
/// # Safety
///
/// Only to be called in a forked child. It neither allocates nor locks.
unsafe fn watch(question: RawFd, reply: RawFd) -> ! {
    // SAFETY: the sets are written before they are read, and the descriptors are this process's own.
    unsafe {
        let mut all: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut());
        // A pipe that the user reads from must not stay open for this process. If the two are 0 or
        // 1 already, copies first keep them from overwriting each other.
        let (question, reply) = (libc::dup(question), libc::dup(reply));
        libc::dup2(question, 0);
        libc::dup2(reply, 1);
        libc::syscall(libc::SYS_close_range, 2, u32::MAX, 0);
        libc::chdir(c"/".as_ptr());
        let nothing = CapabilitySet::EMPTY;
        let _ = Step::SetSets {
            effective: nothing,
            permitted: nothing,
            inheritable: nothing,
        }
        .apply();
        let mut signal = 0u8;
        while libc::read(0, (&raw mut signal).cast(), 1) == 1 {
            let mut wanted: libc::sigset_t = mem::zeroed();
            libc::sigemptyset(&raw mut wanted);
            libc::sigaddset(&raw mut wanted, signal.into());
            let at_once: libc::timespec = mem::zeroed();
            let found =
                libc::sigtimedwait(&raw const wanted, ptr::null_mut(), &raw const at_once) > 0;
            libc::write(1, ptr::from_ref(&u8::from(found)).cast(), 1);
        }
        libc::_exit(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_once_which_signals_reached_it() {
        let sentinel = Sentinel::fork().unwrap();
        // It blocks signals before it answers for the first time.
        assert!(!sentinel.got(libc::SIGTERM));
        // SAFETY: the child is ours and runs.
        unsafe { libc::kill(sentinel.pid, libc::SIGTERM) };
        assert!(!sentinel.got(libc::SIGINT));
        assert!(sentinel.got(libc::SIGTERM));
        assert!(!sentinel.got(libc::SIGTERM));
    }
}
