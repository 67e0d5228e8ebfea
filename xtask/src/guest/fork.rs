//! Children of the scenario: forked without exec, so that the pid of a trigger is known.

use std::io;

use libc::{c_int, pid_t};

/// A child process, killed and reaped when it is dropped.
#[derive(Debug)]
pub struct Child(pid_t);

impl Child {
    /// Forks a child that runs `body` and exits with what it returns.
    ///
    /// # Errors
    /// What fork(2) answers.
    pub fn start(body: impl FnOnce() -> c_int) -> io::Result<Self> {
        // SAFETY: the scenario has one thread, so the child finds no lock held by another.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                // The child must not outlive the scenario, however that ends.
                // SAFETY: prctl takes numbers only here.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
                let code = body();
                // SAFETY: _exit does not return and runs nothing of the parent's.
                unsafe { libc::_exit(code) }
            }
            pid => Ok(Self(pid)),
        }
    }

    /// The child's pid.
    pub fn pid(&self) -> pid_t {
        self.0
    }

    /// Waits for the end; the status as wait(2) gives it.
    ///
    /// # Errors
    /// What waitpid(2) answers.
    pub fn wait(self) -> io::Result<c_int> {
        let status = reap(self.0);
        std::mem::forget(self);
        status
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: the pid is that of an own child that was not reaped, so nobody else has it.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        // Nothing can be done about a child that cannot be reaped.
        let _ = reap(self.0);
    }
}

fn reap(pid: pid_t) -> io::Result<c_int> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a live integer that the kernel writes.
        if unsafe { libc::waitpid(pid, &raw mut status, 0) } == pid {
            return Ok(status);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Ends only by a signal.
pub fn sleep_forever() -> c_int {
    loop {
        // SAFETY: pause takes no arguments.
        unsafe { libc::pause() };
    }
}
