//! Turns rows of the kernel's table into observations.

use std::{collections::HashMap, sync::Arc};

use super::{
    places::{Place, Places},
    programs::Programs,
    workload::user_namespace,
};
use crate::{
    capability::Capability,
    context::{processes::process_name, syscalls},
    escape::printable,
    event::{Facts, INITIAL_USER_NAMESPACE, ProcessId, Relation, comm_bytes},
    profile::{Case, Observation, Outcome, Phase},
    session::{Counted, CountedStack, Who},
};

/// What `/proc` says about a process; nothing if it has ended.
#[derive(Clone, Default)]
struct Living {
    comm: Option<Arc<str>>,
    user_namespace: Option<u32>,
}

/// Makes observations.
pub struct CountedChecks {
    places: Places,
    /// The user namespace that the set is for.
    home: u32,
    began: u64,
    /// Whether the kernel's numbers of processes are those of `/proc` here.
    numbers_as_here: bool,
    names: Programs,
    processes: HashMap<ProcessId, Living>,
}

impl CountedChecks {
    /// For a set that is for the user namespace `home`, counted since `began`, in nanoseconds of
    /// `CLOCK_MONOTONIC`. Inside a pid namespace, `/proc` has other processes under the kernel's
    /// numbers, and is not asked.
    pub fn new(places: Places, home: u32, began: u64, numbers_as_here: bool) -> Self {
        Self {
            places,
            home,
            began,
            numbers_as_here,
            names: Programs::default(),
            processes: HashMap::new(),
        }
    }

    /// A row as an observation.
    pub fn observation(&mut self, row: &Counted) -> Observation {
        let Counted {
            who,
            cgroup: _,
            facts,
            syscall,
            stack,
            checks,
            first,
        } = row;
        let (process, name) = match who {
            Who::Process(id, name) => (Some(*id), comm_bytes(name)),
            Who::Ended(name) => (None, comm_bytes(name)),
            Who::Cgroup(_) | Who::All => (None, &b"-"[..]),
        };
        let (caller, place) = self.place(facts.capability, stack);
        let here = process.filter(|_| self.numbers_as_here);
        let living = here.map(|id| self.living(id)).unwrap_or_default();
        Observation {
            case: Case {
                program: match living.comm {
                    Some(comm) => comm,
                    None => self.names.of(&printable(name)),
                },
                pid: process.map(|id| id.pid),
                facts: *facts,
                target_is_home: self.target_is_home(facts, living.user_namespace),
                caller,
                place,
                syscall: syscall.and_then(|number| syscalls::name(number, false)),
                id_unchanged: None,
                writes: None,
                inherits: None,
                of_process: false,
                outcome: Outcome::Unknown,
                phase: Phase::Running,
            },
            count: *checks,
            first: first.saturating_sub(self.began),
        }
    }

    /// The sentence for a report in which programs have no names of their own.
    pub fn programs_left_out(&self) -> Option<String> {
        self.names.left_out()
    }

    fn living(&mut self, id: ProcessId) -> Living {
        let names = &mut self.names;
        let look = || {
            let living = Living {
                comm: process_name(id.pid).map(|comm| names.of(&comm)),
                user_namespace: user_namespace(id.pid),
            };
            // What was read is another process's if this one has ended by now.
            if id.exists() {
                living
            } else {
                Living::default()
            }
        };
        self.processes.entry(id).or_insert_with(look).clone()
    }

    /// Whether the check was made over the namespace that the set is for. The table says whether
    /// its namespace is the initial one, but does not give the number of any other. If it is the
    /// credentials' own, it is the namespace of the process, which may have ended.
    fn target_is_home(&self, facts: &Facts, own: Option<u32>) -> Option<bool> {
        let target = facts.target?;
        let home_is_initial = self.home == INITIAL_USER_NAMESPACE;
        match target.relation {
            Relation::Own if target.initial || home_is_initial => {
                Some(target.initial && home_is_initial)
            }
            Relation::Own => Some(own? == self.home),
            Relation::Below | Relation::Outside => Some(false),
        }
    }

    fn place(&mut self, capability: Capability, stack: &CountedStack) -> Place {
        match stack {
            CountedStack::Frames(frames) => self.places.of(capability, frames),
            _ => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{TargetNamespace, tests::granted};

    /// The observation for a process that has ended and asked over its own namespace.
    fn observed(target: Option<TargetNamespace>) -> Case {
        let row = Counted {
            who: Who::Ended(*b"gone\0\0\0\0\0\0\0\0\0\0\0\0"),
            cgroup: None,
            facts: Facts {
                target,
                ..granted(Capability::SYS_ADMIN)
            },
            syscall: None,
            stack: CountedStack::NotAsked,
            checks: 1,
            first: 0,
        };
        observation(&row, true).case
    }

    fn observation(row: &Counted, numbers_as_here: bool) -> Observation {
        let places = Places::new(None);
        CountedChecks::new(places, INITIAL_USER_NAMESPACE, 0, numbers_as_here).observation(row)
    }

    #[test]
    fn a_number_that_is_another_process_here_is_not_looked_up() {
        let id = ProcessId::of(std::process::id()).unwrap();
        let name = *b"counted\0\0\0\0\0\0\0\0\0";
        let mut row = Counted {
            who: Who::Process(id, name),
            cgroup: None,
            facts: granted(Capability::SYS_ADMIN),
            syscall: None,
            stack: CountedStack::NotAsked,
            checks: 1,
            first: 0,
        };
        let own = process_name(std::process::id()).unwrap();
        assert_eq!(*observation(&row, true).case.program, own);
        assert_eq!(&*observation(&row, false).case.program, "counted");
        let started = id.started - 1;
        row.who = Who::Process(ProcessId { started, ..id }, name);
        assert_eq!(&*observation(&row, true).case.program, "counted");
    }

    #[test]
    fn of_a_process_that_ended_it_is_known_whether_it_asked_where_the_set_is_for() {
        let own = |initial| {
            let relation = Relation::Own;
            observed(Some(TargetNamespace { relation, initial }))
        };
        assert_eq!(own(true).target_is_home, Some(true));
        assert_eq!(own(false).target_is_home, Some(false));
        assert_eq!(observed(None).target_is_home, None);
        assert_eq!(&*own(true).program, "gone");
    }
}
