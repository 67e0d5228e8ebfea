//! From rows of the kernel's table to observations.

use std::collections::HashMap;

use capable_common::Flags;

use super::target::{Target, comm, user_namespace};
use crate::{
    context::{kernel_symbols::KernelSymbols, syscalls},
    event::{CredentialOwner, INITIAL_USER_NAMESPACE, Relation, Task},
    inspect::printable,
    kernel::counts::{Counted, CountedStack, Who},
    output::comm_bytes,
    profile::{self, Observation, Outcome, Phase},
};

/// What is known of a process: its name and its user namespace, where it lives.
type Known = (Option<String>, Option<u32>);

/// Makes observations.
pub struct Observer<'a> {
    target: &'a Target,
    symbols: Option<KernelSymbols>,
    processes: HashMap<u32, Known>,
    began: u64,
}

impl<'a> Observer<'a> {
    /// For a target, counted since `began`, in nanoseconds of `CLOCK_MONOTONIC`.
    pub fn new(target: &'a Target, symbols: Option<KernelSymbols>, began: u64) -> Self {
        Self {
            target,
            symbols,
            processes: HashMap::new(),
            began,
        }
    }

    /// A row as an observation.
    pub fn observe(&mut self, row: &Counted) -> Observation {
        let (pid, name) = match &row.who {
            Who::Process(pid, name) => (Some(*pid), comm_bytes(name)),
            Who::Ended(name) => (None, comm_bytes(name)),
            Who::Cgroup(_) | Who::All => (None, &b"-"[..]),
        };
        let (comm, namespace) = match pid {
            Some(pid) => self.process(pid),
            None => (None, None),
        };
        Observation {
            program: comm.unwrap_or_else(|| printable(name)),
            pid,
            capability: row.capability,
            verdict: row.verdict.map(|verdict| verdict.as_need(row.flags)),
            audited: row.audit.map(|audit| audit.audited),
            insetid: flag(row, Flags::INSETID_KNOWN, Flags::INSETID),
            owner: CredentialOwner::of(row.flags),
            target: self.target_namespace(row, namespace),
            task: Task::of(row.flags),
            caller: self.caller(row),
            syscall: row
                .syscall
                .and_then(|number| syscalls::name(number, false))
                .map(str::to_owned),
            id_unchanged: None,
            outcome: Outcome::Unknown,
            phase: Phase::Running,
            count: row.checks,
            first: row.first.saturating_sub(self.began),
        }
    }

    fn process(&mut self, pid: u32) -> Known {
        self.processes
            .entry(pid)
            .or_insert_with(|| (comm(pid), user_namespace(pid)))
            .clone()
    }

    /// Over which namespace. The table says whether it is the initial one. Of another it has no
    /// number: where it is the credentials' own, it is that of the process, which may have ended.
    fn target_namespace(&self, row: &Counted, own: Option<u32>) -> Option<profile::Target> {
        let relation = Relation::of(row.flags)?;
        let is_initial = row.flags & Flags::NAMESPACE_INITIAL != 0;
        let set_is_for_initial = self.target.namespace == INITIAL_USER_NAMESPACE;
        let initial = match relation {
            Relation::Own if is_initial || set_is_for_initial => is_initial && set_is_for_initial,
            Relation::Own => own? == self.target.namespace,
            Relation::Below | Relation::Outside => false,
        };
        Some(profile::Target { initial, relation })
    }

    fn caller(&self, row: &Counted) -> Option<String> {
        match (&self.symbols, &row.stack) {
            (Some(symbols), CountedStack::Frames(frames)) => {
                symbols.caller(frames).map(str::to_owned)
            }
            _ => None,
        }
    }
}

fn flag(row: &Counted, known: u32, flag: u32) -> Option<bool> {
    (row.flags & known != 0).then_some(row.flags & flag != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{capability::Capability, commands::profile::args::TargetArgs, event::Verdict};

    const KNOWN: u32 = Flags::NAMESPACE_KNOWN | Flags::OWNER_KNOWN | Flags::TASK_KNOWN;

    /// A row of a process that has ended.
    fn ended(flags: u32) -> Counted {
        Counted {
            who: Who::Ended(*b"gone\0\0\0\0\0\0\0\0\0\0\0\0"),
            capability: Capability::SYS_ADMIN,
            verdict: Some(Verdict::Granted),
            audit: None,
            flags,
            syscall: None,
            stack: CountedStack::NotAsked,
            checks: 1,
            first: 0,
        }
    }

    fn observed(row: &Counted) -> Observation {
        let target = Target::new(&TargetArgs::default());
        Observer::new(&target, None, 0).observe(row)
    }

    #[test]
    fn of_a_process_that_ended_it_is_known_in_which_namespace_it_asked_and_as_whom() {
        let own = Flags::NAMESPACE_OWN;
        let initial = observed(&ended(KNOWN | own | Flags::NAMESPACE_INITIAL));
        let relation = Relation::Own;
        let target = |initial| Some(profile::Target { initial, relation });
        assert_eq!(initial.target, target(true));
        assert_eq!(initial.owner, Some(CredentialOwner::Own));
        assert_eq!(initial.task, Some(Task::User));
        assert_eq!(observed(&ended(KNOWN | own)).target, target(false));
        let mounter = observed(&ended(KNOWN | own | Flags::CREDENTIALS_OVERRIDDEN));
        assert_eq!(mounter.owner, Some(CredentialOwner::Overridden));
        assert_eq!(observed(&ended(0)).target, None);
        assert_eq!(observed(&ended(0)).owner, None);
    }

    #[test]
    fn what_the_owner_of_a_namespace_is_granted_anyhow_is_no_use_of_the_bit() {
        let below = KNOWN | Flags::NAMESPACE_BELOW;
        let bit = observed(&ended(below));
        assert_eq!(bit.verdict, Some(Verdict::Granted));
        let owner = observed(&ended(below | Flags::NAMESPACE_OWNED));
        assert_eq!(owner.verdict, Some(Verdict::GrantedByOwnership));
    }
}
