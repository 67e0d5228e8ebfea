//! Searches for a program in the folders of `$PATH`.
//!
//! execvp(3) tries one folder after the other, and goes on where one may not be read; others ask with
//! access(2) first whether a file may be executed. Whether a refusal was part of such a search shows by
//! what follows: the process, or a child that it started next, executes a file.

use std::collections::HashMap;

use super::collect::PENDING;
use crate::{
    context::syscalls,
    event::Event,
    profile::{Observation, Outcome, refusal::Refusal},
};

/// What was refused to processes that may be searching for a program.
#[derive(Debug, Default)]
pub struct Searches {
    /// By process.
    refused: HashMap<u32, Vec<Probe>>,
    /// Children of such processes, with their parents.
    children: HashMap<u32, u32>,
}

/// A call of a search that was refused.
#[derive(Debug)]
struct Probe {
    /// The name that a task gets which executes the file, if the file is known.
    name: Option<Vec<u8>>,
    denied: Vec<Observation>,
    refusal: Option<Refusal>,
}

/// What is known of such calls now: the checks, and those that remain refusals.
pub type Searched = (Vec<Observation>, Vec<Refusal>);

/// How many calls of one process are remembered.
const PROBES: usize = 256;

/// Whether a check was made in a system call that executes a file, or asks whether that is allowed.
pub fn searches(event: &Event<'_>) -> bool {
    let Some(call) = event.syscall().filter(|call| !call.compat) else {
        return false;
    };
    let executes = |mode: usize| call.arguments[mode] as i32 & libc::X_OK != 0;
    match syscalls::name(call.number, call.compat) {
        Some("execve" | "execveat") => true,
        Some("access") => executes(1),
        Some("faccessat" | "faccessat2") => executes(2),
        _ => false,
    }
}

impl Searches {
    /// Takes a refused call of a process, with the checks that were denied in it; gives it back if it
    /// is one too many.
    pub fn take(
        &mut self,
        pid: u32,
        name: Option<Vec<u8>>,
        denied: Vec<Observation>,
        refusal: Option<Refusal>,
    ) -> Searched {
        let is_full = self.refused.len() >= PENDING;
        let known = self.refused.get(&pid).map_or(0, Vec::len);
        if is_full || known >= PROBES {
            return (denied, refusal.into_iter().collect());
        }
        self.refused.entry(pid).or_default().push(Probe {
            name,
            denied,
            refusal,
        });
        Searched::default()
    }

    /// A process started a child.
    pub fn forked(&mut self, pid: u32, child: u32) {
        if self.refused.contains_key(&pid) {
            self.children.insert(child, pid);
        }
    }

    /// A process executed a file, which gave it this name: its search, or that of its parent, went
    /// on. What it was refused of other files remains refused.
    pub fn executed(&mut self, pid: u32, comm: &[u8]) -> Searched {
        let parent = self.children.remove(&pid);
        let mut searched = Searched::default();
        for pid in [Some(pid), parent].into_iter().flatten() {
            for mut probe in self.refused.remove(&pid).unwrap_or_default() {
                if probe.name.as_deref().is_none_or(|name| name == comm) {
                    for observation in &mut probe.denied {
                        observation.case.outcome = Outcome::SearchWentOn;
                    }
                    probe.refusal = None;
                }
                searched.add(probe);
            }
        }
        searched
    }

    /// A process ended without executing one.
    pub fn ended(&mut self, pid: u32) -> Searched {
        self.children.remove(&pid);
        let mut searched = Searched::default();
        for probe in self.refused.remove(&pid).unwrap_or_default() {
            searched.add(probe);
        }
        searched
    }

    /// Those of all processes that have not ended.
    pub fn all(&mut self) -> Searched {
        let mut searched = Searched::default();
        for probe in std::mem::take(&mut self.refused).into_values().flatten() {
            searched.add(probe);
        }
        searched
    }
}

/// Adds what is known of a probe now.
trait Add {
    fn add(&mut self, probe: Probe);
}

impl Add for Searched {
    fn add(&mut self, probe: Probe) {
        self.0.extend(probe.denied);
        self.1.extend(probe.refusal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::profile::observation::tests::{denied, times};

    /// What was refused to process 7 in execve(2).
    fn refused(errno: i32) -> Observation {
        let failed = Outcome::SyscallFailed(errno);
        let capability = Capability::DAC_READ_SEARCH;
        times(
            1,
            denied(capability, "generic_permission", "execve", failed),
        )
    }

    fn outcomes((observations, _): Searched) -> Vec<Outcome> {
        observations
            .into_iter()
            .map(|each| each.case.outcome)
            .collect()
    }

    /// Takes a refusal of process 7 that was about this file.
    fn take(searches: &mut Searches, name: &str) {
        let name = Some(name.as_bytes().to_vec());
        let passed = searches.take(7, name, vec![refused(libc::EACCES)], None);
        assert_eq!(outcomes(passed), []);
    }

    const REFUSAL: Outcome = Outcome::SyscallFailed(libc::EACCES);

    #[test]
    fn a_refusal_before_the_file_of_that_name_is_executed_is_part_of_a_search() {
        let mut searches = Searches::default();
        take(&mut searches, "cat");
        take(&mut searches, "shadow");
        assert_eq!(outcomes(searches.executed(8, b"cat")), []);
        assert_eq!(
            outcomes(searches.executed(7, b"cat")),
            [Outcome::SearchWentOn, REFUSAL]
        );
        assert_eq!(outcomes(searches.ended(7)), []);
    }

    #[test]
    fn a_child_goes_on_with_the_search_of_its_parent() {
        let mut searches = Searches::default();
        searches.forked(7, 8);
        take(&mut searches, "cat");
        searches.forked(7, 9);
        assert_eq!(outcomes(searches.executed(8, b"cat")), []);
        assert_eq!(
            outcomes(searches.executed(9, b"cat")),
            [Outcome::SearchWentOn]
        );
    }

    #[test]
    fn a_search_that_found_nothing_remains_a_refusal() {
        let mut searches = Searches::default();
        take(&mut searches, "cat");
        assert_eq!(outcomes(searches.ended(7)), [REFUSAL]);
        take(&mut searches, "cat");
        assert_eq!(outcomes(searches.all()), [REFUSAL]);
    }

    #[test]
    fn a_process_that_probes_without_end_does_not_fill_the_memory() {
        let mut searches = Searches::default();
        for _ in 0..PROBES {
            take(&mut searches, "cat");
        }
        let passed = searches.take(7, None, vec![refused(libc::EACCES)], None);
        assert_eq!(outcomes(passed), [REFUSAL]);
    }
}
