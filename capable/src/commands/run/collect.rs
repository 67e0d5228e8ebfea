//! From records to observations: checks that are alike are counted together, and a denied one
//! waits for the end of its system call.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use capable_common::{Kind, Life};

use super::{gains::Gains, ids, tree::Tree};
use crate::{
    context::{kernel_symbols::KernelSymbols, syscalls},
    event::{Event, Stack, Verdict},
    kernel::record::Record,
    profile::{Observation, Outcome, Phase, Target},
};

/// How many kinds of checks are told apart by process too. A tree of very many processes is
/// counted by program from there on, so that it does not take all memory.
const BY_PROCESS: usize = 200_000;

/// `ERESTARTSYS` to `ERESTART_RESTARTBLOCK` (include/linux/errno.h): the call starts again, and
/// this is not how it ends.
const RESTARTS: std::ops::RangeInclusive<i64> = 512..=516;
/// `MAX_ERRNO` (include/linux/err.h).
const MAX_ERRNO: i64 = 4095;

/// Which ends of system calls were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// All that were waited for.
    AllSeen,
    /// Perhaps not all.
    SomeSkipped,
}

/// What makes checks alike.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kinds {
    program: Rc<str>,
    pid: Option<u32>,
    capability: i32,
    flags: u32,
    result: i32,
    initial: bool,
    caller: Option<Rc<str>>,
    syscall: Option<(i32, bool)>,
    id_unchanged: Option<bool>,
    phase: Phase,
    outcome: Outcome,
}

/// Collects what a command's processes ask for.
pub struct Collector {
    symbols: Option<KernelSymbols>,
    callers: HashSet<Rc<str>>,
    seen: HashMap<Kinds, Observation>,
    /// Denied checks of system calls that have not returned, by thread.
    pending: HashMap<u32, Vec<(Kinds, Observation)>>,
    /// The processes.
    pub tree: Tree,
    /// The files that were executed.
    pub gains: Gains,
}

impl Collector {
    /// Collects for a tree. Without symbols nobody is known as caller.
    pub fn new(symbols: Option<KernelSymbols>, tree: Tree) -> Self {
        Self {
            symbols,
            callers: HashSet::new(),
            seen: HashMap::new(),
            pending: HashMap::new(),
            tree,
            gains: Gains::default(),
        }
    }

    /// Takes a record. Records come in order of time.
    pub fn take(&mut self, record: Record<'_>) {
        match record {
            Record::Check(event) => self.check(&event),
            Record::Life(life) => {
                self.tree.step(life);
                if life.kind == Kind::Outcome as u16 {
                    self.returned(life);
                } else if life.kind == Kind::Exec as u16 {
                    self.gains.executed(life.pid);
                }
            }
        }
    }

    /// All observations; those whose system call has not returned have no outcome.
    ///
    /// Where ends of system calls were skipped, a later one of the same thread may have been taken
    /// for the one that was waited for: then none has an outcome.
    pub fn finish(mut self, ends: Ends) -> Vec<Observation> {
        let pending = std::mem::take(&mut self.pending);
        for (kinds, observation) in pending.into_values().flatten() {
            self.add(kinds, observation);
        }
        let mut observations: Vec<_> = self.seen.into_values().collect();
        if ends == Ends::SomeSkipped {
            for observation in &mut observations {
                observation.outcome = Outcome::Unknown;
            }
        }
        observations
    }

    fn check(&mut self, event: &Event<'_>) {
        let check = event.check;
        let program = self.tree.program(check.pid, event.comm());
        let caller = self.caller(event);
        let phase = if self.tree.is_starting(check.time) {
            Phase::Starting
        } else {
            Phase::Running
        };
        let syscall = event.syscall();
        let by_process = self.seen.len() < BY_PROCESS;
        let target = event.target_namespace();
        let kinds = Kinds {
            program,
            pid: by_process.then_some(check.pid),
            capability: check.capability,
            flags: check.flags,
            result: check.result,
            initial: target.is_some_and(|target| target.is_initial()),
            caller,
            syscall: syscall.map(|syscall| (syscall.number, syscall.compat)),
            id_unchanged: ids::unchanged(event),
            phase,
            outcome: Outcome::Unknown,
        };
        let denied = matches!(event.verdict(), Some(Verdict::Denied(_))) && syscall.is_some();
        if !denied && let Some(known) = self.seen.get_mut(&kinds) {
            known.count += 1;
            return;
        }
        let observation = Observation {
            program: kinds.program.as_ref().to_owned(),
            pid: kinds.pid,
            capability: event.capability(),
            verdict: event.verdict().map(|verdict| verdict.as_need(check.flags)),
            audited: event.audit().map(|audit| audit.audited),
            insetid: event.insetid(),
            owner: event
                .credentials()
                .and_then(|credentials| credentials.owner),
            target: target.map(|target| Target {
                initial: target.is_initial(),
                relation: target.relation,
            }),
            task: event.task(),
            caller: kinds.caller.as_deref().map(str::to_owned),
            syscall: kinds
                .syscall
                .and_then(|(number, compat)| syscalls::name(number, compat))
                .map(str::to_owned),
            id_unchanged: kinds.id_unchanged,
            outcome: Outcome::Unknown,
            phase,
            count: 1,
            first: check.time,
        };
        if denied {
            let waiting = self.pending.entry(check.tid).or_default();
            waiting.push((kinds, observation));
        } else {
            self.add(kinds, observation);
        }
    }

    /// A system call returned in which checks were denied.
    fn returned(&mut self, life: &Life) {
        let outcome = outcome(life.value);
        for (mut kinds, mut observation) in self.pending.remove(&life.tid).unwrap_or_default() {
            kinds.outcome = outcome;
            observation.outcome = outcome;
            self.add(kinds, observation);
        }
    }

    fn add(&mut self, kinds: Kinds, observation: Observation) {
        match self.seen.get_mut(&kinds) {
            Some(known) => {
                known.count += observation.count;
                known.first = known.first.min(observation.first);
            }
            None => {
                self.seen.insert(kinds, observation);
            }
        }
    }

    fn caller(&mut self, event: &Event<'_>) -> Option<Rc<str>> {
        let (Some(symbols), Stack::Frames(frames)) = (&mut self.symbols, event.kernel_stack) else {
            return None;
        };
        if symbols.wants_refresh()
            && let Err(error) = symbols.refresh()
        {
            log::debug!("cannot read the kernel's symbols again: {error}");
        }
        let name = symbols.caller(frames)?;
        if let Some(known) = self.callers.get(name) {
            return Some(known.clone());
        }
        let name: Rc<str> = name.into();
        self.callers.insert(name.clone());
        Some(name)
    }
}

/// What a system call's result says.
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
