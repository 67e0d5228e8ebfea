//! A capability check as the program sees it: the kernel's record with its unknowns made explicit.
//!
//! Nothing is copied: an [`Event`] borrows the record from the transport's memory, and decodes only
//! what it is asked for. [`Facts`] holds everything that checks can have in common: counts and
//! reports are grouped by it.

mod comm;
mod credentials;
mod facts;
#[cfg(feature = "cli")]
mod held;
mod life;
mod namespace;
pub(crate) mod operation;
mod process;
#[cfg(feature = "cli")]
mod repeat;
pub(crate) mod surroundings;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod verdict;

use capable_common::{self as wire, Flags};
#[cfg(feature = "cli")]
pub(crate) use comm::comm_length;
pub(crate) use comm::{LONGEST_NAME, comm_bytes, is_named};
pub use credentials::{CheckedCredentials, CredentialOwner};
pub use facts::Facts;
#[cfg(feature = "cli")]
pub(crate) use held::Held;
pub use life::{Life, LifeStep};
pub use namespace::{INITIAL_USER_NAMESPACE, Relation, TargetNamespace};
pub use operation::{FileFacts, HeldCredentials, Operation};
pub use process::ProcessId;
pub(crate) use process::number_is_taken;
#[cfg(feature = "cli")]
pub(crate) use repeat::repeats;
pub use surroundings::{Component, Mount, Surroundings};
pub use task::Task;
pub use verdict::{Audit, Decision, Verdict};

use crate::capability::{Capability, CapabilitySet};

/// One capability check.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The record as the kernel side wrote it.
    pub(crate) check: &'a wire::Check,
    /// The group and the mount namespace, if one of them was asked for.
    pub(crate) membership: Option<&'a wire::Membership>,
    /// Parent, inner pids and system call, if they were asked for.
    pub(crate) detail: Option<&'a wire::Detail>,
    /// The kernel stack, if it was asked for, the innermost frame first.
    pub kernel_stack: Stack<'a>,
    /// The user stack, if it was asked for, the innermost frame first.
    pub user_stack: Stack<'a>,
}

/// The addresses of a stack's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack<'a> {
    /// Nobody asked for it.
    NotAsked,
    /// The kernel could not capture it.
    Failed,
    /// The frames, the innermost first.
    Frames(&'a [u64]),
}

/// The system call in which the check was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// Its number, in the table that `compat` says.
    pub number: i32,
    /// It was made through the 32-bit entry.
    pub compat: bool,
    /// Its six arguments.
    pub arguments: [u64; 6],
}

impl<'a> Event<'a> {
    /// A check for which nothing else was asked for.
    pub(crate) fn bare(check: &'a wire::Check) -> Self {
        Self {
            check,
            membership: None,
            detail: None,
            kernel_stack: Stack::NotAsked,
            user_stack: Stack::NotAsked,
        }
    }
}

impl Event<'_> {
    fn has(&self, flag: u32) -> bool {
        self.check.flags & flag != 0
    }

    /// All facts at once.
    pub fn facts(&self) -> Facts {
        Facts::of_check(self.check)
    }

    /// The capability that was asked for.
    pub fn capability(&self) -> Capability {
        Capability::from_number(self.check.capability)
    }

    /// When it was made, in nanoseconds of `CLOCK_MONOTONIC`.
    pub fn time(&self) -> u64 {
        self.check.time
    }

    /// The process, as the initial pid namespace numbers it.
    pub fn pid(&self) -> u32 {
        self.check.pid
    }

    /// The thread, as the initial pid namespace numbers it.
    pub fn tid(&self) -> u32 {
        self.check.tid
    }

    /// The real user id of the task, in the initial user namespace.
    pub fn uid(&self) -> u32 {
        self.check.uid
    }

    /// The processor on which it was made.
    pub fn processor(&self) -> u16 {
        self.check.processor
    }

    /// The id of the task's cgroup; 0 if it was not asked for.
    pub fn cgroup(&self) -> u64 {
        self.check.cgroup
    }

    /// The task's name: any bytes but NUL.
    pub fn comm(&self) -> &[u8] {
        comm_bytes(&self.check.comm)
    }

    /// The audit flag, if it is known.
    pub fn audit(&self) -> Option<Audit> {
        Audit::of(self.check.flags)
    }

    /// Whether the check was made by set*id, if that is known.
    pub fn insetid(&self) -> Option<bool> {
        facts::insetid(self.check.flags)
    }

    /// The verdict, if it is known.
    pub fn verdict(&self) -> Option<Verdict> {
        Verdict::of(self.check.flags, self.check.result)
    }

    /// The checked credentials, if they are known.
    pub fn credentials(&self) -> Option<CheckedCredentials> {
        self.has(Flags::CREDENTIALS_KNOWN)
            .then(|| CheckedCredentials {
                euid: self.check.euid,
                effective: CapabilitySet::from_bits(self.check.effective),
                namespace: self.check.credential_namespace,
                owner: CredentialOwner::of(self.check.flags),
            })
    }

    /// The target namespace, if it is known.
    pub fn target_namespace(&self) -> Option<TargetNamespace> {
        Some(TargetNamespace {
            relation: Relation::of(self.check.flags)?,
            initial: self.check.target_namespace == INITIAL_USER_NAMESPACE,
        })
    }

    /// The inode number of the target namespace, as in `/proc/PID/ns/user`, if it is known.
    pub fn target_inode(&self) -> Option<u32> {
        self.has(Flags::NAMESPACE_KNOWN)
            .then_some(self.check.target_namespace)
    }

    /// What kind of task made the check, if that is known.
    pub fn task(&self) -> Option<Task> {
        Task::of(self.check.flags)
    }

    /// The task's real group id, in the initial user namespace, if it was asked for.
    pub fn gid(&self) -> Option<u32> {
        self.membership
            .filter(|_| self.has(Flags::GROUP_KNOWN))
            .map(|membership| membership.gid)
    }

    /// The inode number of the task's mount namespace, as in `/proc/PID/ns/mnt`, if it was asked
    /// for and is known. An exiting task may no longer be in one.
    pub fn mount_namespace(&self) -> Option<u32> {
        self.membership
            .filter(|_| self.has(Flags::MOUNT_NAMESPACE_KNOWN))
            .map(|membership| membership.mount_namespace)
    }

    /// The parent's pid, if it is known.
    pub fn parent(&self) -> Option<u32> {
        self.detail
            .filter(|_| self.has(Flags::PARENT_KNOWN))
            .map(|detail| detail.parent)
    }

    /// The process and the thread as their own pid namespace numbers them, if that is known.
    pub fn inner_pids(&self) -> Option<(u32, u32)> {
        self.detail
            .filter(|_| self.has(Flags::INNER_PID_KNOWN))
            .map(|detail| (detail.inner_pid, detail.inner_tid))
    }

    /// The system call; `None` if it is unknown or the check was made outside of one.
    pub fn syscall(&self) -> Option<Syscall> {
        self.detail
            .filter(|detail| self.has(Flags::SYSCALL_KNOWN) && detail.syscall != wire::SYSCALL_NONE)
            .map(|detail| Syscall {
                number: detail.syscall,
                compat: self.has(Flags::SYSCALL_COMPAT),
                arguments: detail.arguments,
            })
    }
}
