//! The processes of a command: which are alive, and which program each one runs.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::programs::Programs;
use crate::{
    escape::printable,
    event::{Life, LifeStep, ProcessId},
};

/// The processes that descend from a command.
#[derive(Debug, Default)]
pub struct Tree {
    programs: HashMap<u32, (ProcessId, Arc<str>)>,
    names: Programs,
    /// Those that executed another one, in their own process or in a child.
    executing: HashSet<Arc<str>>,
    /// When the command was executed, on the clock of the records.
    started: Option<u64>,
    /// When a process was last started or executed a program.
    busy: u64,
    /// How long nothing may be started before the command counts as running, in nanoseconds.
    settle: u64,
    settled: bool,
    forks: u64,
    executions: u64,
}

impl Tree {
    /// The tree of a process that is about to become the command.
    pub fn new(pid: u32, settle: u64) -> Self {
        let mut tree = Self {
            settle,
            ..Self::default()
        };
        let launcher = tree.names.of("capable");
        let id = ProcessId::of(pid).unwrap_or(ProcessId { pid, started: 0 });
        tree.programs.insert(pid, (id, launcher));
        tree
    }

    /// Takes note of a fork, execution or exit. Records must come in order of time.
    pub fn step(&mut self, life: &Life<'_>) {
        match life.step {
            LifeStep::Forked(child) => {
                self.is_busy(life.time);
                self.forks += 1;
                let program = self.program(life.pid, life.comm);
                self.programs.insert(child.pid, (child, program));
            }
            LifeStep::Executed => {
                self.is_busy(life.time);
                let before = self
                    .programs
                    .get(&life.pid)
                    .filter(|_| self.started.is_some());
                self.executing
                    .extend(before.map(|(_, program)| program.clone()));
                let program = (self.id(life.pid), self.names.of(&printable(life.comm)));
                self.programs.insert(life.pid, program);
                self.executions += 1;
                self.started.get_or_insert(life.time);
            }
            LifeStep::Ended(pid) => {
                self.programs.remove(&pid);
            }
            LifeStep::Returned(_) => {}
        }
    }

    /// The program of a process: the last one that it executed, or the one that it inherited from
    /// its parent.
    pub fn program(&mut self, pid: u32, comm: &[u8]) -> Arc<str> {
        match self.programs.get(&pid) {
            Some((_, program)) => program.clone(),
            // The record of its fork or execution was lost.
            None => self.names.of(&printable(comm)),
        }
    }

    /// Whether the command is still starting at this time, that is, until nothing was started or
    /// executed for a while.
    pub fn is_starting(&mut self, now: u64) -> bool {
        self.look_at(now);
        !self.settled
    }

    /// The programs that executed another one.
    pub fn executing(&self) -> HashSet<Arc<str>> {
        self.executing.clone()
    }

    /// Forks that were seen.
    pub fn forks(&self) -> u64 {
        self.forks
    }

    /// Executions that were seen.
    pub fn executions(&self) -> u64 {
        self.executions
    }

    /// When the command was executed.
    pub fn started(&self) -> Option<u64> {
        self.started
    }

    /// Whether all processes have ended, according to the records.
    pub fn has_ended(&self) -> bool {
        self.programs.is_empty()
    }

    /// The processes that have not ended and what they run, according to the system.
    pub fn living(&self) -> impl Iterator<Item = (u32, &str)> {
        let living = self.programs.values().filter(|(id, _)| id.is_alive());
        living.map(|(id, program)| (id.pid, &**program))
    }

    /// The sentence for a report in which programs have no names of their own.
    pub fn programs_left_out(&self) -> Option<String> {
        self.names.left_out()
    }

    /// Something was started or executed.
    fn is_busy(&mut self, now: u64) {
        self.look_at(now);
        self.busy = now;
    }

    fn look_at(&mut self, now: u64) {
        if self.started.is_some() && now.saturating_sub(self.busy) >= self.settle {
            self.settled = true;
        }
    }

    /// The process that has this number, which is one of the tree.
    fn id(&self, pid: u32) -> ProcessId {
        let known = self.programs.get(&pid).map(|(id, _)| *id);
        known.unwrap_or(ProcessId { pid, started: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn child(pid: u32) -> LifeStep {
        LifeStep::Forked(ProcessId { pid, started: 0 })
    }

    fn life(step: LifeStep, time: u64, pid: u32, name: &str) -> Life<'_> {
        Life {
            step,
            time,
            pid,
            tid: pid,
            comm: name.as_bytes(),
        }
    }

    #[test]
    fn a_child_is_its_parents_program_until_it_executes_one() {
        let mut tree = Tree::new(7, SECOND);
        tree.step(&life(LifeStep::Executed, 1, 7, "sh"));
        tree.step(&life(child(8), 2, 7, "sh"));
        assert_eq!(&*tree.program(8, b"x"), "sh");
        tree.step(&life(LifeStep::Executed, 3, 8, "ping"));
        assert_eq!(&*tree.program(8, b"renamed"), "ping");
        assert_eq!(&*tree.program(7, b"renamed"), "sh");
        tree.step(&life(LifeStep::Ended(8), 4, 0, "ksoftirqd/0"));
        assert_eq!(&*tree.program(8, b"other"), "other");
        assert_eq!((tree.forks(), tree.started()), (1, Some(1)));
        // Neither the launcher, which executed the command, nor what came last.
        assert_eq!(tree.executing(), HashSet::from(["sh".into()]));
    }

    #[test]
    fn a_command_is_starting_until_nothing_was_started_for_a_while() {
        let mut tree = Tree::new(7, SECOND);
        assert!(tree.is_starting(100 * SECOND));
        tree.step(&life(LifeStep::Executed, 100 * SECOND, 7, "sh"));
        tree.step(&life(child(8), 100 * SECOND + SECOND / 2, 7, "sh"));
        assert!(tree.is_starting(101 * SECOND));
        assert!(!tree.is_starting(102 * SECOND));
        tree.step(&life(child(9), 103 * SECOND, 7, "sh"));
        assert!(!tree.is_starting(103 * SECOND));
    }

    #[test]
    fn a_name_from_outside_cannot_control_a_terminal() {
        let mut tree = Tree::new(7, SECOND);
        tree.step(&life(LifeStep::Executed, 1, 7, "\x1b[2J"));
        assert_eq!(&*tree.program(7, b""), "\\x1b[2J");
    }
}
