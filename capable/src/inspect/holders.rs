//! The processes of the system that hold capabilities, the most powerful first.

use std::cmp::Reverse;
use std::io;
use std::path::Path;
use std::{fs, process};

use super::Error;
use super::credentials::Credentials;
use super::process::Process;
use crate::capability::{Capability, CapabilitySet, Danger};

/// Who holds capabilities on this system.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// The processes with a thread whose permitted set is not empty, except kernel threads and this
    /// process. Those that can do the most come first.
    pub processes: Vec<Process>,
    /// How many processes hold none.
    pub without: usize,
    /// How many kernel threads there are: they hold every capability.
    pub kernel_threads: usize,
    /// How many processes cannot be read.
    pub unreadable: usize,
    /// `/proc` does not show every process (its option `hidepid`, proc(5)).
    pub hidden: bool,
}

impl Holders {
    /// Reads every process that /proc shows.
    ///
    /// # Errors
    ///
    /// If /proc cannot be read or shows no process.
    pub fn read() -> Result<Self, Error> {
        Self::read_from(Path::new("/proc"))
    }

    /// The processes whose numbers this directory contains, which must be at least one.
    fn read_from(proc: &Path) -> Result<Self, Error> {
        let entries = fs::read_dir(proc).map_err(Error::Proc)?;
        let pids: Vec<u32> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        if pids.is_empty() {
            let error = io::Error::new(io::ErrorKind::NotFound, "it shows no process");
            return Err(Error::Proc(error));
        }
        let mut holders = Self {
            // Every pid namespace has a process 1 as long as it has any.
            hidden: !pids.contains(&1),
            ..Self::default()
        };
        for pid in pids.into_iter().filter(|&pid| pid != process::id()) {
            match Process::read(pid) {
                Ok(process) if process.kernel_thread => holders.kernel_threads += 1,
                Ok(process) if held(&process).is_empty() => holders.without += 1,
                Ok(process) => holders.processes.push(process),
                // It has ended in the meantime.
                Err(Error::NoProcess(_)) => {}
                Err(error) => {
                    log::debug!("{error}");
                    holders.unreadable += 1;
                }
            }
        }
        holders
            .processes
            .sort_by_cached_key(|process| (Reverse(power(process)), process.pid));
        Ok(holders)
    }
}

/// The credentials of a process: first those of its main thread, then any that differ.
fn credentials(process: &Process) -> impl Iterator<Item = &Credentials> {
    let others = process.differing_threads.iter();
    [&process.credentials]
        .into_iter()
        .chain(others.map(|thread| &thread.credentials))
}

/// What its threads can make effective, taken together, because they share their memory.
fn held(process: &Process) -> CapabilitySet {
    credentials(process).fold(CapabilitySet::EMPTY, |held, each| {
        held.union(each.sets.permitted)
    })
}

/// An order by what a process can do: first by where its capabilities count, then by how many of
/// them equal root, then by how many are serious, then by how many there are.
fn power(process: &Process) -> impl Ord + use<> {
    let held = held(process);
    let count = |danger| {
        let dangerous = |capability: &Capability| {
            capability
                .explanation()
                .is_some_and(|told| told.danger == danger)
        };
        held.iter().filter(dangerous).count()
    };
    (
        // In an unknown namespace, they may count everywhere.
        process.user_namespace.initial != Some(false),
        count(Danger::EqualsRoot),
        count(Danger::Serious),
        held.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::process::Thread;

    /// A process with this permitted set.
    fn process(pid: u32, permitted: &str) -> Process {
        let mut process = Process::read(process::id()).unwrap();
        process.pid = pid;
        process.user_namespace.initial = Some(true);
        process.differing_threads.clear();
        process.credentials.sets.permitted = permitted.parse().unwrap();
        process
    }

    #[test]
    fn what_equals_root_ranks_before_what_is_many() {
        let admin = process(9, "sys_admin");
        let many = process(1, "net_bind_service,net_broadcast,kill,sys_nice,ipc_lock");
        assert!(power(&admin) > power(&many));
        assert!(power(&many) > power(&process(2, "kill")));
        // Over a child user namespace only.
        let mut container = process(3, "all");
        container.user_namespace.initial = Some(false);
        assert!(power(&container) < power(&process(2, "kill")));
        container.user_namespace.initial = None;
        assert!(power(&container) > power(&admin));
    }

    #[test]
    fn a_process_holds_what_one_of_its_threads_does() {
        let mut process = process(1, "none");
        assert!(held(&process).is_empty());
        let mut credentials = process.credentials;
        credentials.sets.permitted = "kill".parse().unwrap();
        process.differing_threads.push(Thread {
            tid: 2,
            comm: Vec::new(),
            credentials,
        });
        assert_eq!(held(&process), "kill".parse().unwrap());
    }

    #[test]
    fn a_folder_that_shows_no_process_is_no_proc() {
        let folder = tempfile::tempdir().unwrap();
        let error = Holders::read_from(folder.path()).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot read the processes in /proc: it shows no process; is /proc mounted?"
        );
        let error = Holders::read_from(&folder.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("is /proc mounted?"), "{error}");
    }

    #[test]
    fn where_process_1_is_missing_others_are_hidden_too() {
        let folder = tempfile::tempdir().unwrap();
        // No process has the number 0.
        fs::create_dir(folder.path().join("0")).unwrap();
        assert!(Holders::read_from(folder.path()).unwrap().hidden);
        fs::create_dir(folder.path().join("1")).unwrap();
        assert!(!Holders::read_from(folder.path()).unwrap().hidden);
    }
}
