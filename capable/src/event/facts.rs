//! What was decoded of a check.
//!
//! The kernel side says what it knows in one way, whether it sends a record or counts: numbers,
//! and a word of [`Flags`]. They are decoded here and nowhere else. What reads one fact for each
//! row asks the [`Event`](super::Event), which decodes no more than that.

use capable_common::{self as wire, Flags};

use super::{
    Audit, CredentialOwner, INITIAL_USER_NAMESPACE, Relation, TargetNamespace, Task, Verdict,
};
use crate::capability::Capability;

/// What a check was: all that it can have in common with others, whoever made it, and when.
/// `None` is what the kernel side could not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// The capability that was asked for.
    pub capability: Capability,
    /// What was decided.
    pub verdict: Option<Verdict>,
    /// Whether a denial would be logged.
    pub audit: Option<Audit>,
    /// Whether the check was made by set*id. It decides nothing: it tells security modules what
    /// the capability is for.
    pub insetid: Option<bool>,
    /// Whose credentials were checked.
    pub owner: Option<CredentialOwner>,
    /// Over which user namespace.
    pub target: Option<TargetNamespace>,
    /// What kind of task made the check.
    pub task: Option<Task>,
}

impl Facts {
    /// The facts of a record.
    pub(crate) fn of_check(check: &wire::Check) -> Self {
        let &wire::Check {
            capability,
            result,
            target_namespace,
            flags,
            // Who, when and where.
            kind: _,
            kernel_frames: _,
            user_frames: _,
            processor: _,
            time: _,
            cgroup: _,
            pid: _,
            tid: _,
            uid: _,
            comm: _,
            // What was decided follows from these, and from the capability.
            effective: _,
            euid: _,
            credential_namespace: _,
            // The flags say what they mean on this kernel.
            options: _,
        } = check;
        let initial = target_namespace == INITIAL_USER_NAMESPACE;
        Self::decode(capability, result, flags, initial)
    }

    /// The facts of what checks were counted under. Without the origin, nobody looked which
    /// namespace is the initial one: then no target is known.
    pub(crate) fn of_count(key: &wire::CountKey, by_origin: bool) -> Self {
        let &wire::CountKey {
            flags,
            capability,
            result,
            // Who, and where.
            subject: _,
            caller: _,
            syscall: _,
            comm: _,
        } = key;
        let initial = flags & Flags::NAMESPACE_INITIAL != 0;
        let mut facts = Self::decode(capability, result, flags, initial);
        if !by_origin {
            facts.target = None;
        }
        facts
    }

    fn decode(capability: i32, result: i32, flags: u32, initial: bool) -> Self {
        Self {
            capability: Capability::from_number(capability),
            verdict: Verdict::of(flags, result),
            audit: Audit::of(flags),
            insetid: insetid(flags),
            owner: CredentialOwner::of(flags),
            target: Relation::of(flags).map(|relation| TargetNamespace { relation, initial }),
            task: Task::of(flags),
        }
    }

    /// Whether a denial would be logged, where that is known.
    pub fn audited(&self) -> Option<bool> {
        self.audit.map(|audit| audit.audited)
    }

    /// The check was denied.
    pub fn is_denied(&self) -> bool {
        self.verdict.is_some_and(|verdict| !verdict.is_granted())
    }

    /// The check was granted by the capability's own bit, and would not have been without.
    pub fn is_granted_by_bit(&self) -> bool {
        self.verdict == Some(Verdict::Granted)
    }
}

/// Whether the check was made by set*id, where [`Flags`] say it.
pub(super) fn insetid(flags: u32) -> Option<bool> {
    (flags & Flags::INSETID_KNOWN != 0).then_some(flags & Flags::INSETID != 0)
}
