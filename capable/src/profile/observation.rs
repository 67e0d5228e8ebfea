//! What was observed: checks that are alike, counted.

use crate::capability::Capability;
use crate::event::{CredentialOwner, Relation, TargetNamespace, Task, Verdict};

/// Checks that are alike in all that the rules look at, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The program of the tree whose task was checked: its name or the path of its executable.
    pub program: String,
    /// The process; `None` where several were counted together.
    pub pid: Option<u32>,
    /// The capability that was asked for.
    pub capability: Capability,
    /// What was decided, where that is known.
    pub verdict: Option<Verdict>,
    /// Whether a denial would be logged, where that is known.
    pub audited: Option<bool>,
    /// Whether the check was made by set*id, where that is known. It decides nothing: it tells
    /// security modules what the capability is for, and is no other verdict.
    pub insetid: Option<bool>,
    /// Whose credentials were checked, where that is known.
    pub owner: Option<CredentialOwner>,
    /// Over which user namespace, where that is known.
    pub target: Option<Target>,
    /// What kind of task made the check, where that is known.
    pub task: Option<Task>,
    /// The kernel function that asked, with or without an offset or the compiler's suffix.
    pub caller: Option<String>,
    /// The system call in which the check was made.
    pub syscall: Option<String>,
    /// setuid(2), setgid(2), setresuid(2) or setresgid(2) to ids that the task has already;
    /// `None` where nobody compared, and for every other system call.
    pub id_unchanged: Option<bool>,
    /// How the system call ended in which the check was made; asked for denied checks only.
    pub outcome: Outcome,
    /// Whether the program was still starting.
    pub phase: Phase,
    /// How many checks.
    pub count: u64,
    /// When the first of them was made, in nanoseconds since the program started.
    pub first: u64,
}

/// The user namespace over which a capability was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// It is the namespace that the set is for: the initial one, or the container's own where
    /// the container was given one.
    pub initial: bool,
    /// How it lies to the namespace of the checked credentials.
    pub relation: Relation,
}

impl From<TargetNamespace> for Target {
    /// For a set that is for the initial namespace.
    fn from(target: TargetNamespace) -> Self {
        Self {
            initial: target.is_initial(),
            relation: target.relation,
        }
    }
}

/// How the system call ended in which a check was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nobody saw it end.
    #[default]
    Unknown,
    /// It succeeded.
    SyscallSucceeded,
    /// It failed with this errno (positive).
    SyscallFailed(i32),
}

/// Whether the program was starting or running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It had not yet settled down to what it does.
    Starting,
    /// It ran; also where nobody told the two apart.
    #[default]
    Running,
}

impl Observation {
    /// The kernel function that asked, without offset and compiler's suffix.
    ///
    /// `function+0x12` is how stacks are printed; `.isra.0`, `.constprop.0`, `.part.0`, `.cold`
    /// are how GCC and LLVM name copies of a function.
    pub fn caller_symbol(&self) -> Option<&str> {
        self.caller
            .as_deref()
            .and_then(|caller| caller.split(['+', '.']).next())
            .filter(|symbol| !symbol.is_empty())
    }

    /// The check was denied.
    pub fn is_denied(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Denied(_)))
    }

    /// The check was granted by the capability's own bit.
    pub fn is_granted_by_bit(&self) -> bool {
        self.verdict == Some(Verdict::Granted)
    }
}

/// Adds up observations that are alike, so that each kind of check is one.
///
/// The result is in the order of first appearance. The count is the sum, `first` the earliest.
pub fn merge(observations: impl IntoIterator<Item = Observation>) -> Vec<Observation> {
    let mut merged: Vec<Observation> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for observation in observations {
        let place = *index
            .entry(key(&observation))
            .or_insert_with(|| merged.len());
        match merged.get_mut(place) {
            Some(known) => {
                known.count = known.count.saturating_add(observation.count);
                known.first = known.first.min(observation.first);
            }
            None => merged.push(observation),
        }
    }
    merged
}

/// All of an observation but its count and time, as text: the types it holds have no hash.
fn key(observation: &Observation) -> String {
    let Observation {
        program,
        pid,
        capability,
        verdict,
        audited,
        insetid,
        owner,
        target,
        task,
        caller,
        syscall,
        id_unchanged,
        outcome,
        phase,
        count: _,
        first: _,
    } = observation;
    format!(
        "{:?}",
        (
            (program, pid, capability, verdict, audited, insetid),
            (owner, target, task, caller, syscall),
            (id_unchanged, outcome, phase),
        )
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One granted, audited check of a program's own credentials over the initial namespace.
    pub(crate) fn granted(capability: Capability, caller: &str, syscall: &str) -> Observation {
        Observation {
            program: "prog".to_owned(),
            pid: Some(7),
            capability,
            verdict: Some(Verdict::Granted),
            audited: Some(true),
            insetid: Some(false),
            owner: Some(CredentialOwner::Own),
            target: Some(Target {
                initial: true,
                relation: Relation::Own,
            }),
            task: Some(Task::User),
            caller: Some(caller.to_owned()),
            syscall: Some(syscall.to_owned()),
            id_unchanged: None,
            outcome: Outcome::Unknown,
            phase: Phase::Running,
            count: 1,
            first: 1_000_000,
        }
    }

    /// The same, denied, in a system call that ended so.
    pub(crate) fn denied(
        capability: Capability,
        caller: &str,
        syscall: &str,
        outcome: Outcome,
    ) -> Observation {
        Observation {
            verdict: Some(Verdict::Denied(1)),
            outcome,
            ..granted(capability, caller, syscall)
        }
    }

    #[test]
    fn checks_that_are_alike_are_added_up() {
        let one = granted(Capability::NET_RAW, "packet_create", "socket");
        let earlier = Observation {
            count: 4,
            first: 5,
            ..one.clone()
        };
        let other = Observation {
            phase: Phase::Starting,
            ..one.clone()
        };
        let merged = merge([one.clone(), other.clone(), earlier]);
        assert_eq!(merged.len(), 2);
        assert_eq!((merged[0].count, merged[0].first), (5, 5));
        assert_eq!(merged[1], other);
    }

    #[test]
    fn a_caller_is_known_with_its_offset_and_its_compiler_suffix() {
        for (given, symbol) in [
            ("can_nice+0x1c", Some("can_nice")),
            ("__set_oom_adj.isra.0", Some("__set_oom_adj")),
            ("bpf_check", Some("bpf_check")),
            ("", None),
        ] {
            let observation = granted(Capability::SYS_NICE, given, "nice");
            assert_eq!(observation.caller_symbol(), symbol, "{given}");
        }
    }
}
