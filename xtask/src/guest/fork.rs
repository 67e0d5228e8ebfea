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
            0 => Self::become_child(body),
            pid => Ok(Self(pid)),
        }
    }

    /// The same, with this pid, which must be free (clone3(2) with `set_tid`, 5.5; it takes
    /// CAP_SYS_ADMIN).
    ///
    /// # Errors
    /// What clone3(2) answers.
    pub fn start_as(pid: pid_t, body: impl FnOnce() -> c_int) -> io::Result<Self> {
        let wanted = [pid];
        // `struct clone_args` (include/uapi/linux/sched.h) up to `set_tid_size`: flags, pidfd,
        // child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size.
        let mut arguments = [0_u64; 10];
        arguments[4] = libc::SIGCHLD as u64;
        arguments[8] = wanted.as_ptr() as u64;
        arguments[9] = 1;
        let size = size_of_val(&arguments);
        // SAFETY: without a stack this is fork(2), and as in `start`, no lock is held; the
        // arguments outlive the call.
        match unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size) } {
            -1 => Err(io::Error::last_os_error()),
            0 => Self::become_child(body),
            _ => Ok(Self(pid)),
        }
    }

    fn become_child(body: impl FnOnce() -> c_int) -> ! {
        // The child must not outlive the scenario, however that ends.
        // SAFETY: prctl takes numbers only here.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let code = body();
        // SAFETY: _exit does not return and runs nothing of the parent's.
        unsafe { libc::_exit(code) }
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
