//! From rows of the kernel's table to observations.

use std::collections::HashMap;

use capable_common::Flags;

use super::target::{Target, comm, user_namespace};
use crate::{
    context::{kernel_symbols::KernelSymbols, syscalls},
    event::Relation,
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
            verdict: row.verdict,
            audited: row.audit.map(|audit| audit.audited),
            insetid: flag(row, Flags::INSETID_KNOWN, Flags::INSETID),
            owner: None,
            target: self.target_namespace(row, namespace),
            task: None,
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

    /// Over which namespace. The table does not have its number: where it is the credentials' own,
    /// it is that of the process, which may have ended.
    fn target_namespace(&self, row: &Counted, own: Option<u32>) -> Option<profile::Target> {
        if row.flags & Flags::NAMESPACE_KNOWN == 0 {
            return None;
        }
        if row.flags & Flags::NAMESPACE_OWN != 0 {
            return Some(profile::Target {
                initial: own? == self.target.namespace,
                relation: Relation::Own,
            });
        }
        Some(profile::Target {
            initial: false,
            relation: if row.flags & Flags::NAMESPACE_BELOW != 0 {
                Relation::Below
            } else {
                Relation::Outside
            },
        })
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
