//! What was decoded from a check.
//!
//! Whether it sends a record or counts, the kernel side reports what it knows in the same form:
//! numbers, and a word of [`Flags`]. They are decoded only here. Code that reads one fact for each
//! row asks the [`Event`](super::Event), which decodes no more than that.

use capable_common::{self as wire, Flags};

use super::{
    Audit, CredentialOwner, INITIAL_USER_NAMESPACE, Relation, TargetNamespace, Task, Verdict,
};
use crate::capability::Capability;

/// What a check was: everything that it can have in common with others, no matter who made it and
/// when. `None` means that the kernel side could not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// The capability that was asked for.
    pub capability: Capability,
    /// What was decided.
    pub verdict: Option<Verdict>,
    /// Whether a denial would be logged.
    pub audit: Option<Audit>,
    /// Whether the check was made by set*id. This does not affect the decision: it tells security
    /// modules what the capability is for.
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
            // These and the capability determine what was decided.
            effective: _,
            euid: _,
            credential_namespace: _,
            // The flags tell what they mean on this kernel.
            options: _,
        } = check;
        let initial = target_namespace == INITIAL_USER_NAMESPACE;
        Self::decode(capability, result, flags, initial)
    }

    /// The facts in the key that checks were counted under. Without the origin the kernel side did
    /// not look whether the target namespace is the initial one, so the target counts as unknown.
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

    /// Whether a denial would be logged, if that is known.
    pub fn audited(&self) -> Option<bool> {
        self.audit.map(|audit| audit.audited)
    }

    /// The check was denied.
    pub fn is_denied(&self) -> bool {
        self.verdict.is_some_and(|verdict| !verdict.is_granted())
    }

    /// Whether the check was granted by the capability's own bit, and would have been denied
    /// without it.
    pub fn is_granted_by_bit(&self) -> bool {
        self.verdict == Some(Verdict::Granted)
    }
}

/// Whether the check was made by set*id, if [`Flags`] tell.
pub(super) fn insetid(flags: u32) -> Option<bool> {
    (flags & Flags::INSETID_KNOWN != 0).then_some(flags & Flags::INSETID != 0)
}
