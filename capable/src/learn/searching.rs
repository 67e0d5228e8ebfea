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
    profile::{Observation, Outcome, Tally},
};

/// What was refused to processes that may be searching for a program.
#[derive(Debug, Default)]
pub struct Searches {
    /// By process.
    refused: HashMap<u32, Tally>,
    /// Children of such processes, with their parents.
    children: HashMap<u32, u32>,
}

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
    /// Takes a denied check of such a system call, which has returned; gives it back if it was not
    /// refused.
    pub fn take(&mut self, observation: Observation) -> Option<Observation> {
        let is_refused = observation.case.outcome == Outcome::SyscallFailed(libc::EACCES);
        let is_full = self.refused.len() >= PENDING;
        match observation.case.pid {
            Some(pid) if is_refused && !is_full => {
                self.refused.entry(pid).or_default().add(observation);
                None
            }
            _ => Some(observation),
        }
    }

    /// A process started a child.
    pub fn forked(&mut self, pid: u32, child: u32) {
        if self.refused.contains_key(&pid) {
            self.children.insert(child, pid);
        }
    }

    /// A process executed a file: its search, or that of its parent, went on.
    pub fn executed(&mut self, pid: u32) -> Vec<Observation> {
        let parent = self.children.remove(&pid);
        let mut found: Vec<_> = [Some(pid), parent]
            .into_iter()
            .flatten()
            .filter_map(|pid| self.refused.remove(&pid))
            .flat_map(Tally::into_observations)
            .collect();
        for observation in &mut found {
            observation.case.outcome = Outcome::SearchWentOn;
        }
        found
    }

    /// A process ended without executing one.
    pub fn ended(&mut self, pid: u32) -> Vec<Observation> {
        self.children.remove(&pid);
        let refused = self.refused.remove(&pid).unwrap_or_default();
        refused.into_observations().collect()
    }

    /// Those of all processes that have not ended.
    pub fn all(&mut self) -> impl Iterator<Item = Observation> + use<> {
        let refused = std::mem::take(&mut self.refused).into_values();
        refused.flat_map(Tally::into_observations)
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

    fn outcomes(observations: Vec<Observation>) -> Vec<Outcome> {
        observations
            .into_iter()
            .map(|each| each.case.outcome)
            .collect()
    }

    #[test]
    fn a_refusal_before_a_file_is_executed_is_part_of_a_search() {
        let mut searches = Searches::default();
        assert_eq!(searches.take(refused(libc::EACCES)), None);
        assert_eq!(outcomes(searches.executed(8)), []);
        assert_eq!(outcomes(searches.executed(7)), [Outcome::SearchWentOn]);
        assert_eq!(outcomes(searches.ended(7)), []);
    }

    #[test]
    fn a_child_goes_on_with_the_search_of_its_parent() {
        let mut searches = Searches::default();
        searches.forked(7, 8);
        assert_eq!(searches.take(refused(libc::EACCES)), None);
        searches.forked(7, 9);
        assert_eq!(outcomes(searches.executed(8)), []);
        assert_eq!(outcomes(searches.executed(9)), [Outcome::SearchWentOn]);
    }

    #[test]
    fn a_search_that_found_nothing_remains_a_refusal() {
        let mut searches = Searches::default();
        let refusal = Outcome::SyscallFailed(libc::EACCES);
        assert_eq!(searches.take(refused(libc::EACCES)), None);
        assert_eq!(outcomes(searches.ended(7)), [refusal]);
        assert_eq!(searches.take(refused(libc::EACCES)), None);
        assert_eq!(outcomes(searches.all().collect()), [refusal]);
        let missing = refused(libc::ENOENT);
        assert_eq!(searches.take(missing.clone()), Some(missing));
    }
}
