//! What was observed: similar checks, counted together.

use std::sync::Arc;

use crate::{atlas::Place, event::Facts};

/// Everything that the rules look at. Checks that agree in all of it are one case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    /// The program whose task was checked: its name or the path of its executable.
    pub program: Arc<str>,
    /// The process; `None` if several were counted together.
    pub pid: Option<u32>,
    /// What was decoded from the check.
    pub facts: Facts,
    /// Whether the target namespace is the one that the set is for: the initial one or, for a
    /// container with a user namespace of its own, that one.
    pub target_is_home: Option<bool>,
    /// The kernel function that asked, with or without an offset or the compiler's suffix.
    pub caller: Option<Arc<str>>,
    /// What the atlas says about the place where the check was made; `None` if it does not know it.
    pub place: Option<Place>,
    /// The system call in which the check was made.
    pub syscall: Option<&'static str>,
    /// Whether setuid(2), setgid(2), setresuid(2) or setresgid(2) sets the ids that the task
    /// already has; `None` if they were not compared, and for every other system call.
    pub id_unchanged: Option<bool>,
    /// Whether capset(2) asks for an inheritable set that is not empty; `None` if this is not
    /// known, and for every other system call.
    pub inherits: Option<bool>,
    /// Whether the system call writes to a file or opens it for writing; `None` if this is not
    /// known, and for every call that neither reads nor writes files.
    pub writes: Option<bool>,
    /// Whether the same system call went on to ask whether the program may look into another
    /// process: the file that it opened is below /proc/PID.
    pub of_process: bool,
    /// How the system call that made the check ended; only recorded for denied checks.
    pub outcome: Outcome,
    /// Whether the program was still starting.
    pub phase: Phase,
}

/// The checks of a case, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What they have in common.
    pub case: Case,
    /// How many checks.
    pub count: u64,
    /// When the first of them was made, in nanoseconds since the program started.
    pub first: u64,
}

/// How the system call that made a check ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its end was not seen.
    #[default]
    Unknown,
    /// It succeeded.
    SyscallSucceeded,
    /// It failed with this errno (positive).
    SyscallFailed(i32),
    /// It was refused while a program was searched for, and the process then executed one.
    SearchWentOn,
}

/// Whether the program was starting or running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It had not yet settled down to what it does.
    Starting,
    /// It was running; also used if the two were not told apart.
    #[default]
    Running,
}

impl Case {
    /// Whether the system call's result does not tell if it was refused here.
    pub fn is_told_elsewhere(&self) -> bool {
        self.place.as_ref().is_some_and(Place::is_told_elsewhere)
    }

    /// The kernel function that asked, without the offset and the compiler's suffix.
    ///
    /// `function+0x12` is how stacks are printed; `.isra.0`, `.constprop.0`, `.part.0`, `.cold`
    /// are how GCC and LLVM name copies of a function.
    pub fn caller_symbol(&self) -> Option<&str> {
        self.caller
            .as_deref()
            .and_then(|caller| caller.split(['+', '.']).next())
            .filter(|symbol| !symbol.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        atlas::{Atlas, Version},
        capability::Capability,
        event::{Audit, CredentialOwner, Relation, TargetNamespace, Task, Verdict},
    };

    /// One granted, audited check of a program's own credentials over the initial namespace.
    pub(crate) fn granted(capability: Capability, caller: &str, syscall: &'static str) -> Case {
        let kernel = Version::parse("6.12").ok();
        let entry = format!("sys_{syscall}");
        let stack = caller.split('.').take(1).chain([&*entry]);
        Case {
            program: "prog".into(),
            pid: Some(7),
            facts: Facts {
                capability,
                verdict: Some(Verdict::Granted),
                audit: audited(true),
                insetid: Some(false),
                owner: Some(CredentialOwner::Own),
                target: Some(TargetNamespace {
                    relation: Relation::Own,
                    initial: true,
                }),
                task: Some(Task::User),
            },
            target_is_home: Some(true),
            caller: Some(caller.into()),
            place: Atlas::place(capability, kernel, stack).filter(|_| !caller.is_empty()),
            syscall: Some(syscall),
            id_unchanged: None,
            writes: None,
            inherits: None,
            of_process: false,
            outcome: Outcome::Unknown,
            phase: Phase::Running,
        }
    }

    /// The same, but denied, in a system call with this outcome.
    pub(crate) fn denied(
        capability: Capability,
        caller: &str,
        syscall: &'static str,
        outcome: Outcome,
    ) -> Case {
        let mut case = granted(capability, caller, syscall);
        case.facts.verdict = Some(Verdict::Denied(libc::EPERM));
        Case { outcome, ..case }
    }

    /// An audit flag that was read, not inferred.
    pub(crate) fn audited(audited: bool) -> Option<Audit> {
        Some(Audit {
            audited,
            inferred: false,
        })
    }

    /// A case that was observed this many times.
    pub(crate) fn times(count: u64, case: Case) -> Observation {
        Observation {
            case,
            count,
            first: 1_000_000,
        }
    }

    /// Cases that were observed once each.
    pub(crate) fn once(cases: impl IntoIterator<Item = Case>) -> Vec<Observation> {
        cases.into_iter().map(|case| times(1, case)).collect()
    }

    #[test]
    fn a_caller_is_known_with_its_offset_and_its_compiler_suffix() {
        for (given, symbol) in [
            ("can_nice+0x1c", Some("can_nice")),
            ("__set_oom_adj.isra.0", Some("__set_oom_adj")),
            ("bpf_check", Some("bpf_check")),
            ("", None),
        ] {
            let case = granted(Capability::SYS_NICE, given, "nice");
            assert_eq!(case.caller_symbol(), symbol, "{given}");
        }
    }
}
