//! Processes and threads by what a user gives: a number.

use std::fs;

use crate::{escape::printable, event::number_is_taken};

/// Why a number is no process or thread that can be traced.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such process.
    #[error("there is no process {0}: list the processes with ps -e")]
    NoProcess(u32),
    /// There is no such thread.
    #[error("there is no thread {0}: list the threads with ps -eL")]
    NoThread(u32),
    /// There is such a process or thread, but `/proc` does not show it.
    #[error(
        "process {0} exists, but /proc does not show it: mount /proc without hidepid, or run \
         capable as root (sudo)"
    )]
    Hidden(u32),
    /// It is a thread, but no process.
    #[error("{tid} is a thread of process {process}")]
    Thread {
        /// What was given.
        tid: u32,
        /// The process that it belongs to.
        process: u32,
    },
    /// It is this process.
    #[error("process {0} is this process itself, whose own checks are never shown")]
    Own(u32),
}

impl ProcessError {
    /// Whether there is nothing to be seen under this number at the moment.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::NoProcess(_) | Self::NoThread(_) | Self::Hidden(_)
        )
    }
}

/// Whether this is the number of another process.
///
/// # Errors
///
/// There is none, `/proc` does not show it, it is this process, or the number is that of another
/// thread than the first one.
pub fn find_process(pid: u32) -> Result<(), ProcessError> {
    let leader = leader(pid);
    if leader.is_none() && is_hidden(pid) {
        return Err(ProcessError::Hidden(pid));
    }
    is_another(pid, leader, std::process::id())
}

fn is_another(pid: u32, leader: Option<u32>, own: u32) -> Result<(), ProcessError> {
    match leader.ok_or(ProcessError::NoProcess(pid))? {
        process if process == own => Err(ProcessError::Own(pid)),
        process if process == pid => Ok(()),
        process => Err(ProcessError::Thread { tid: pid, process }),
    }
}

/// The process that a thread belongs to.
///
/// # Errors
///
/// There is no such thread, or `/proc` does not show it.
pub fn process_of(tid: u32) -> Result<u32, ProcessError> {
    leader(tid).ok_or_else(|| {
        if is_hidden(tid) {
            ProcessError::Hidden(tid)
        } else {
            ProcessError::NoThread(tid)
        }
    })
}

/// Whether the kernel knows a process or thread that `/proc` does not show: it is not mounted, or
/// hides the processes of others (hidepid, proc(5)). A signal that is none reaches all of them.
pub(crate) fn is_hidden(pid: u32) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_err() && number_is_taken(pid)
}

/// The name of a process, safe on a terminal; `None` if it has ended.
pub fn process_name(pid: u32) -> Option<String> {
    let comm = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(printable(comm.trim_ascii_end()))
}

/// The process of a thread.
fn leader(tid: u32) -> Option<u32> {
    // The name may be any bytes.
    let status = fs::read(format!("/proc/{tid}/status")).ok()?;
    String::from_utf8_lossy(&status)
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::parent_id, thread};

    use super::*;

    #[test]
    fn a_process_that_is_gone_is_not_taken_for_a_hidden_one() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert!(!is_hidden(pid));
        assert!(!is_hidden(std::process::id()), "/proc shows it");
        assert!(!is_hidden(0));
    }

    #[test]
    fn a_thread_is_found_whatever_its_name() {
        thread::spawn(|| {
            // The name is in the file that is read.
            rustix::thread::set_name(c"\xff\n").unwrap();
            let tid = rustix::thread::gettid().as_raw_pid().unsigned_abs();
            assert_eq!(process_of(tid).unwrap(), std::process::id());
        })
        .join()
        .unwrap();
        assert!(process_of(0).unwrap_err().is_absence());
    }

    #[test]
    fn a_process_is_another_one_that_is_there() {
        let own = std::process::id();
        find_process(parent_id()).unwrap();
        assert!(find_process(0).unwrap_err().is_absence());
        let error = find_process(own).unwrap_err();
        assert!(matches!(error, ProcessError::Own(pid) if pid == own));
        let error = is_another(8, Some(7), own).unwrap_err().to_string();
        assert_eq!(error, "8 is a thread of process 7");
    }
}
