//! Keeps the tracer and the traced processes on different CPUs.
//!
//! On a preemptible kernel, a hook that is a tracing program is skipped while it is interrupted in
//! another task's check on the same CPU (kernel/bpf/trampoline.c, `__bpf_prog_enter_recur`). Tests
//! that compare check by check make sure that there is nothing there to interrupt it.

use std::io;

use super::syscall::{Argument, call};

/// While this lives, this process and the children that it starts run on the first CPU.
#[derive(Debug)]
pub struct Apart {
    before: u64,
}

impl Apart {
    /// Moves this process to the first CPU.
    ///
    /// # Errors
    /// What sched_setaffinity(2) answers.
    pub fn begin() -> io::Result<Self> {
        let mut before = 0;
        call!(SYS_sched_getaffinity, 0, 8, Argument::write(&mut before))
            .map_err(io::Error::from_raw_os_error)?;
        run_on(1)?;
        Ok(Self { before })
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // This process had that mask a moment ago.
        let _ = run_on(self.before);
    }
}

/// Moves the calling process to all CPUs except the first, if there are others.
///
/// # Errors
/// What sched_setaffinity(2) answers.
pub fn leave_the_first() -> io::Result<()> {
    match run_on(!1) {
        // There is no other CPU.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        outcome => outcome,
    }
}

/// Moves the calling process to the second CPU.
///
/// # Errors
/// What sched_setaffinity(2) answers.
pub fn move_to_the_second() -> io::Result<()> {
    run_on(1 << 1)
}

fn run_on(processors: u64) -> io::Result<()> {
    call!(SYS_sched_setaffinity, 0, 8, Argument::read(&processors))
        .map_err(io::Error::from_raw_os_error)?;
    Ok(())
}
