//! Tells a signal that was sent to the whole process group from one that was sent to this process.
//!
//! A command shares the process group of the program that started it, as it would without us, so
//! `kill -TERM -PGID` reaches both, and the command must not get the signal twice. Nothing that
//! comes with a signal says whom it was sent to. So a second process in the group is asked whether
//! it got the signal too.
//!
//! The same process sends the command the signals that it must get: the command may be another
//! user's or become one, and then that takes CAP_KILL, which the program gives up. This process can
//! signal no other one: it has a descriptor of the command.

use std::{
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    mem,
    os::fd::{AsRawFd, RawFd},
    ptr,
};

use super::{Step, waiting::open_process};
use crate::{
    capability::{Capability, CapabilitySet},
    inspect::process::Process,
    kernel::bpf::privileges::unused_id,
};

/// Asks for a signal to be sent, in place of asking whether it came.
const SEND: u8 = 0x80;

/// The process that is asked. It ends when this is dropped, or when this process ends.
pub(crate) struct Sentinel {
    pid: libc::pid_t,
    ask: Option<PipeWriter>,
    answer: PipeReader,
}

impl Sentinel {
    /// Forks the process, for a command that was forked. It holds no capability but CAP_KILL, and
    /// none of this process's files. It becomes a user whom nobody else is, if this process may.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub(crate) fn fork(command: u32) -> io::Result<Self> {
        let ((question, ask), (answer, reply)) = (io::pipe()?, io::pipe()?);
        let command = open_process(command as libc::pid_t)?;
        let held = Process::read(std::process::id())
            .map_or(CapabilitySet::EMPTY, |own| own.credentials.sets.permitted);
        let steps = Steps::new(held);
        // SAFETY: the child makes system calls only, and never returns.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            // SAFETY: it is the child.
            0 => unsafe {
                let descriptors = [&question as &dyn AsRawFd, &reply, &command];
                watch(descriptors.map(AsRawFd::as_raw_fd), &steps)
            },
            pid => Ok(Self {
                pid,
                ask: Some(ask),
                answer,
            }),
        }
    }

    /// Whether this signal reached the group since it was last asked for.
    pub(crate) fn got(&self, signal: i32) -> bool {
        self.ask(signal as u8)
    }

    /// Sends the command a signal, unless it has ended; false if it cannot be reached.
    pub(crate) fn send(&self, signal: i32) -> bool {
        self.ask(signal as u8 | SEND)
    }

    fn ask(&self, question: u8) -> bool {
        let mut answer = [0];
        let asked = |mut ask: &PipeWriter| ask.write_all(&[question]).is_ok();
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

/// What the process gives up, prepared before the fork.
struct Steps {
    /// Those that may be refused.
    tried: Vec<Step>,
    /// Whether it may become another user, and the steps to it, which do not know its number yet.
    may_change: bool,
    groups: Step,
    last: [Step; 2],
}

impl Steps {
    /// For a process that holds these capabilities.
    fn new(held: CapabilitySet) -> Self {
        let kill = held.intersection(Capability::KILL.into());
        Self {
            tried: (0..64)
                .map(Capability::from_number)
                .map(Step::DropBounding)
                .collect(),
            may_change: held.contains(Capability::SETUID) && held.contains(Capability::SETGID),
            groups: Step::SetGroups(Vec::new()),
            last: [
                Step::SetSets {
                    effective: kill,
                    permitted: kill,
                    inheritable: CapabilitySet::EMPTY,
                },
                Step::SetNoNewPrivs,
            ],
        }
    }

    /// Neither allocates nor locks.
    fn apply(&self) -> io::Result<()> {
        for step in &self.tried {
            // Without CAP_SETPCAP the set stays, but nothing is executed.
            let _ = step.apply();
        }
        if self.may_change {
            let unused = unused_id(std::process::id());
            Step::KeepPermitted.apply()?;
            self.groups.apply()?;
            Step::SetGroup(unused).apply()?;
            Step::SetUser(unused).apply()?;
        }
        self.last.iter().try_for_each(Step::apply)
    }
}

/// Answers questions until nobody can ask any more.
///
/// # Safety
///
/// Only to be called in a forked child. It neither allocates nor locks.
unsafe fn watch([question, reply, command]: [RawFd; 3], steps: &Steps) -> ! {
    // SAFETY: the sets are written before they are read, and the descriptors are this process's own.
    unsafe {
        let mut all: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut());
        // A pipe that the user reads from must not stay open for this process. If one of these is 0,
        // 1 or 2 already, copies first keep them from overwriting each other.
        let (question, reply) = (libc::dup(question), libc::dup(reply));
        let command = libc::dup(command);
        libc::dup2(question, 0);
        libc::dup2(reply, 1);
        libc::dup2(command, 2);
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        libc::chdir(c"/".as_ptr());
        if steps.apply().is_err() {
            libc::_exit(1);
        }
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
        let mut question = 0u8;
        while libc::read(0, (&raw mut question).cast(), 1) == 1 {
            let signal = libc::c_int::from(question & !SEND);
            let answer = if question & SEND != 0 {
                let none: *const libc::siginfo_t = ptr::null();
                libc::syscall(libc::SYS_pidfd_send_signal, 2, signal, none, 0) == 0
            } else {
                let mut wanted: libc::sigset_t = mem::zeroed();
                libc::sigemptyset(&raw mut wanted);
                libc::sigaddset(&raw mut wanted, signal);
                let at_once: libc::timespec = mem::zeroed();
                libc::sigtimedwait(&raw const wanted, ptr::null_mut(), &raw const at_once) > 0
            };
            libc::write(1, ptr::from_ref(&u8::from(answer)).cast(), 1);
        }
        libc::_exit(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_once_which_signals_reached_it() {
        let sentinel = Sentinel::fork(std::process::id()).unwrap();
        // It blocks signals before it answers for the first time.
        assert!(!sentinel.got(libc::SIGTERM));
        // SAFETY: the child is ours and runs.
        unsafe { libc::kill(sentinel.pid, libc::SIGTERM) };
        assert!(!sentinel.got(libc::SIGINT));
        assert!(sentinel.got(libc::SIGTERM));
        assert!(!sentinel.got(libc::SIGTERM));
    }
}
