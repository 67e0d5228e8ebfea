//! The processes that a filter names, and their end: nothing can be shown of them after it, even if
//! others get their numbers.

use std::{
    future::pending,
    io,
    os::fd::{AsRawFd as _, OwnedFd},
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::{Interest, unix::AsyncFd};

/// Processes that are watched until they end.
pub struct Named {
    /// A descriptor becomes readable when its process ends (pidfd_open(2)).
    running: Vec<OwnedFd>,
    pids: Vec<u32>,
}

impl Named {
    /// Watches processes that were just found. Before Linux 5.3 there is nothing to watch them by.
    pub fn watch(pids: &[u32]) -> Self {
        let pid = |pid: &u32| Pid::from_raw(i32::try_from(*pid).ok()?);
        let pids = pids.to_vec();
        let opened: Option<Vec<_>> = pids
            .iter()
            .filter_map(pid)
            .map(|pid| match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(running) => Some(Some(running)),
                // It has ended.
                Err(rustix::io::Errno::SRCH) => Some(None),
                Err(_) => None,
            })
            .collect();
        match opened {
            Some(opened) => Self {
                running: opened.into_iter().flatten().collect(),
                pids,
            },
            None => Self::nothing(),
        }
    }

    /// Nothing to watch.
    pub fn nothing() -> Self {
        Self {
            running: Vec::new(),
            pids: Vec::new(),
        }
    }

    /// Waits until all have ended; for ever if there are none. Nothing is lost if the future is
    /// dropped.
    ///
    /// # Errors
    ///
    /// The runtime cannot wait.
    pub async fn ended(&mut self) -> io::Result<()> {
        if self.pids.is_empty() {
            return pending().await;
        }
        while let Some(running) = self.running.last() {
            let descriptor = running.as_raw_fd();
            // SAFETY: the descriptor is open until it is taken out below, when the registration is
            // gone.
            let waiting =
                unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
            waiting.readable().await?.retain_ready();
            drop(waiting);
            self.running.pop();
        }
        Ok(())
    }

    /// The sentence that they have ended.
    pub fn sentence(&self) -> String {
        match &self.pids[..] {
            [pid] => format!("process {pid} has ended"),
            pids => {
                let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
                format!("the processes {} have ended", pids.join(", "))
            }
        }
    }
}
