//! From records to observations: identical checks are counted together, and a denied one waits for
//! the end of its system call.

use std::collections::HashMap;

use super::{
    gains::Gains,
    ids, inheriting,
    opening::Opening,
    places::{Place, Places, in_call},
    refused::{Refusals, task_name},
    searching::{Searched, Searches, searches},
    tree::Tree,
    writing,
};
use crate::{
    context::syscalls,
    event::{Event, LifeStep, Operation, Stack},
    profile::{Case, Observation, Outcome, Phase, Tally, refusal::Refusal},
    session::Record,
};

/// How many kinds of checks are also told apart by process. Beyond that, a tree with very many
/// processes is counted by program, so that it does not use up all memory.
const BY_PROCESS: usize = 200_000;

/// How many threads may wait for the end of a call. More cannot run at once on most machines, whose
/// `kernel.threads-max` is lower.
pub(super) const PENDING: usize = 1 << 16;

/// `ERESTARTSYS` to `ERESTART_RESTARTBLOCK` (include/linux/errno.h): the call will be restarted, so
/// this is not its result.
const RESTARTS: std::ops::RangeInclusive<i64> = 512..=516;
/// `MAX_ERRNO` (include/linux/err.h).
const MAX_ERRNO: i64 = 4095;

/// Which returns of system calls were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// All that were waited for.
    AllSeen,
    /// Perhaps not all.
    SomeSkipped,
}

/// Collects the checks of a command's processes.
pub struct Collector {
    places: Places,
    seen: Tally,
    /// Denied checks of system calls that have not returned, by thread.
    pending: HashMap<u32, Pending>,
    searches: Searches,
    opening: Opening,
    /// Refused system calls.
    pub refusals: Refusals,
    /// The processes.
    pub tree: Tree,
    /// The files that were executed.
    pub gains: Gains,
}

/// Denied checks of a system call that has not returned.
#[derive(Default)]
struct Pending {
    checks: Tally,
    pid: u32,
    /// Whether the call may be part of a search for a program.
    searches: bool,
}

impl Collector {
    /// Collects for a process tree.
    pub fn new(places: Places, tree: Tree) -> Self {
        Self {
            places,
            seen: Tally::default(),
            pending: HashMap::new(),
            searches: Searches::default(),
            opening: Opening::default(),
            refusals: Refusals::default(),
            tree,
            gains: Gains::default(),
        }
    }

    /// Takes a record. Records must come in order of time.
    pub fn take(&mut self, record: Record<'_>) {
        match record {
            Record::Check(event) => self.check(&event),
            Record::Operation(operation) => self.failed(&operation),
            Record::Life(life) => {
                self.tree.step(&life);
                match life.step {
                    LifeStep::Executed => {
                        self.gains.executed(life.pid, life.comm);
                        let went_on = self.searches.executed(life.pid, life.comm);
                        self.take_searched(went_on);
                    }
                    LifeStep::Returned(result) => self.returned(life.tid, result),
                    LifeStep::Ended(pid) => {
                        let ended = self.searches.ended(pid);
                        self.take_searched(ended);
                    }
                    LifeStep::Forked(child) => self.searches.forked(life.pid, child.pid),
                }
            }
        }
    }

    /// All observations; those whose system call has not returned have no outcome.
    ///
    /// If returns of system calls were skipped, a later return of the same thread may have been
    /// mistaken for the expected one: then no observation gets an outcome.
    pub fn finish(mut self, ends: Ends) -> (Vec<Observation>, Refusals) {
        self.give_up();
        let searched = self.searches.all();
        self.take_searched(searched);
        self.seen.extend(self.opening.all());
        let mut observations: Vec<_> = self.seen.into_observations().collect();
        if ends == Ends::SomeSkipped {
            for observation in &mut observations {
                observation.case.outcome = Outcome::Unknown;
            }
        }
        (observations, self.refusals)
    }

    fn check(&mut self, event: &Event<'_>) {
        self.refusals.check(event);
        let program = self.tree.program(event.pid(), event.comm());
        let (caller, place) = self.place(event);
        let syscall = event.syscall();
        let name = syscall.and_then(|syscall| syscalls::name(syscall.number, syscall.compat));
        let place = place.map(|place| in_call(place, event));
        let phase = if self.tree.is_starting(event.time()) {
            Phase::Starting
        } else {
            Phase::Running
        };
        let by_process = self.seen.len() < BY_PROCESS;
        let facts = event.facts();
        let observation = Observation {
            case: Case {
                program,
                pid: by_process.then_some(event.pid()),
                facts,
                target_is_home: facts.target.map(|target| target.initial),
                caller,
                place,
                syscall: name,
                id_unchanged: ids::unchanged(event),
                writes: writing::writes(event),
                inherits: inheriting::inherits(event),
                of_process: false,
                outcome: Outcome::Unknown,
                phase,
            },
            count: 1,
            first: event.time(),
        };
        if facts.is_denied() && syscall.is_some() {
            // Threads that ended inside a call are still there.
            if self.pending.len() >= PENDING {
                self.give_up();
            }
            let pending = self.pending.entry(event.tid()).or_default();
            pending.searches = searches(event);
            pending.pid = event.pid();
            pending.checks.add(observation);
        } else {
            self.seen.extend(self.opening.take(event, observation));
        }
    }

    /// A thread returned from a system call in which checks were denied, and which did not fail.
    fn returned(&mut self, tid: u32, result: i64) {
        let Pending { checks, pid, .. } = self.pending.remove(&tid).unwrap_or_default();
        let denied = with_outcome(checks, result);
        let elsewhere: Vec<_> = denied
            .iter()
            .filter(|each| each.case.is_told_elsewhere())
            .cloned()
            .collect();
        if let Some(first) = elsewhere.first() {
            let program = first.case.program.clone();
            let refusal = Refusals::told_elsewhere(program, elsewhere, pid);
            refusal
                .into_iter()
                .for_each(|refusal| self.refusals.add(refusal));
        }
        self.seen.extend(denied);
    }

    /// A system call of a thread failed.
    fn failed(&mut self, operation: &Operation<'_>) {
        let pending = self.pending.remove(&operation.tid()).unwrap_or_default();
        let denied = with_outcome(pending.checks, operation.result());
        let program = self.tree.program(operation.pid(), operation.comm());
        let refusal = self.refusals.failed(program, operation, denied.clone());
        let name = operation.first().map(|path| task_name(path).to_vec());
        match refusal {
            Some(refusal) if is_probe(&refusal, pending.searches) => {
                let passed = self
                    .searches
                    .take(operation.pid(), name, denied, Some(refusal));
                self.take_searched(passed);
            }
            refusal => {
                self.seen.extend(denied);
                refusal
                    .into_iter()
                    .for_each(|refusal| self.refusals.add(refusal));
            }
        }
    }

    /// Takes what is known of searches now.
    fn take_searched(&mut self, (observations, refusals): Searched) {
        self.seen.extend(observations);
        refusals
            .into_iter()
            .for_each(|refusal| self.refusals.add(refusal));
    }

    /// What waits for the end of a call remains without an outcome.
    fn give_up(&mut self) {
        for pending in std::mem::take(&mut self.pending).into_values() {
            self.seen.extend(pending.checks.into_observations());
        }
    }

    fn place(&mut self, event: &Event<'_>) -> Place {
        match event.kernel_stack {
            Stack::Frames(frames) => self.places.of(event.capability(), frames),
            _ => (None, None),
        }
    }
}

/// Denied checks, in a system call with this result.
fn with_outcome(checks: Tally, result: i64) -> Vec<Observation> {
    let outcome = outcome(result);
    let mut denied: Vec<_> = checks.into_observations().collect();
    for observation in &mut denied {
        observation.case.outcome = outcome;
    }
    denied
}

/// Whether a refused call may be part of a search for a program.
fn is_probe(refusal: &Refusal, executes: bool) -> bool {
    let looks = matches!(
        refusal.call.name,
        "stat" | "newfstatat" | "statx" | "execve" | "execveat"
    );
    refusal.call.errno == Some(libc::EACCES) && (looks || executes)
}

/// The outcome that a system call's result stands for.
fn outcome(result: i64) -> Outcome {
    let error = result.wrapping_neg();
    match i32::try_from(error) {
        Ok(_) if RESTARTS.contains(&error) => Outcome::Unknown,
        Ok(error) if (1..=MAX_ERRNO).contains(&i64::from(error)) => Outcome::SyscallFailed(error),
        _ => Outcome::SyscallSucceeded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_an_errno_only_in_its_range() {
        assert_eq!(outcome(0), Outcome::SyscallSucceeded);
        assert_eq!(outcome(3), Outcome::SyscallSucceeded);
        assert_eq!(outcome(-1), Outcome::SyscallFailed(1));
        assert_eq!(outcome(-4095), Outcome::SyscallFailed(4095));
        // mmap may return an address whose top bit is set.
        assert_eq!(outcome(-4096), Outcome::SyscallSucceeded);
        assert_eq!(outcome(i64::MIN), Outcome::SyscallSucceeded);
        assert_eq!(outcome(-512), Outcome::Unknown);
    }
}
