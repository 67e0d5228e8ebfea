//! Processes with a given name that make checks when they are told.

use std::io::{self, PipeWriter, Read as _, Write as _};
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result, ensure};

use crate::guest::fork::Child;
use crate::guest::syscall::call;

/// A process that waits with its name set, acts once it is told, and ends.
#[derive(Debug)]
pub struct Actor {
    child: Child,
    start: PipeWriter,
}

impl Actor {
    /// Forks it.
    ///
    /// # Errors
    /// If no process or no pipe can be created.
    pub fn prepare(comm: &[u8], act: impl FnOnce() -> bool) -> Result<Self> {
        let (mut reader, start) = io::pipe()?;
        let raw = start.as_raw_fd();
        let mut name = [0_u8; 16];
        for (to, from) in name.iter_mut().take(15).zip(comm) {
            *to = *from;
        }
        let child = Child::start(|| {
            // SAFETY: the child does not use its copy of the writer.
            unsafe { libc::close(raw) };
            if call!(SYS_prctl, libc::PR_SET_NAME, &name[..]).is_err() {
                return 1;
            }
            // Processes that are forked later hold copies of the writer, so its end cannot be the
            // signal.
            if reader.read(&mut [0]).is_err() {
                return 1;
            }
            i32::from(!act())
        })?;
        Ok(Self { child, start })
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Lets it act and waits for its end.
    ///
    /// # Errors
    /// When it could not act.
    pub fn run(self) -> Result<()> {
        self.start()?.wait()
    }

    /// Lets it act.
    ///
    /// # Errors
    /// When it is gone.
    pub fn start(self) -> Result<Acting> {
        let Self { child, mut start } = self;
        start.write_all(&[0]).context("a process ended early")?;
        Ok(Acting(child))
    }
}

/// A process that acts.
#[derive(Debug)]
pub struct Acting(Child);

impl Acting {
    /// Waits for its end.
    ///
    /// # Errors
    /// When it could not act.
    pub fn wait(self) -> Result<()> {
        ensure!(self.0.wait()? == 0, "a process could not make its checks");
        Ok(())
    }
}

/// One audited check that is granted to root: `CAP_SETUID`.
pub fn check_setuid() -> bool {
    call!(SYS_setuid, 0).is_ok()
}
