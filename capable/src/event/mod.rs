//! A capability check as the program sees it: the kernel's record with its unknowns made explicit.
//!
//! Nothing is copied: an [`Event`] borrows the record from the transport's memory.

use capable_common::{self as wire, Flags};

use crate::capability::{Capability, CapabilitySet};

/// One capability check.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The record as the kernel side wrote it.
    pub check: &'a wire::Check,
    /// Parent, inner pids and system call, where they were asked for.
    pub detail: Option<&'a wire::Detail>,
    /// The kernel stack where it was asked for, the innermost frame first.
    pub kernel_stack: Stack<'a>,
    /// The user stack where it was asked for, the innermost frame first.
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

/// Whether a denial of the check would be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// It would: the check was made without `CAP_OPT_NOAUDIT`.
    pub audited: bool,
    /// The flag was inferred from the call path.
    pub inferred: bool,
}

/// What `cap_capable` decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Granted, because the effective set holds the capability.
    Granted,
    /// Granted without the capability: the credentials own the target namespace.
    GrantedByOwnership,
    /// Denied with this errno (positive).
    Denied(i32),
}

impl Audit {
    /// The audit flag, where [`Flags`] say that it is known.
    pub fn of(flags: u32) -> Option<Self> {
        (flags & Flags::AUDIT_KNOWN != 0).then_some(Self {
            audited: flags & Flags::AUDITED != 0,
            inferred: flags & Flags::AUDIT_INFERRED != 0,
        })
    }
}

impl Verdict {
    /// The verdict, where [`Flags`] say that the result is known.
    pub fn of(flags: u32, result: i32) -> Option<Self> {
        (flags & Flags::RESULT_KNOWN != 0).then_some(match result {
            0 if flags & Flags::BY_OWNERSHIP != 0 => Self::GrantedByOwnership,
            0 => Self::Granted,
            error => Self::Denied(error.wrapping_neg()),
        })
    }

    /// The verdict for the question what a program needs: a grant that the owner of the target
    /// namespace gets whatever its effective set holds is one by ownership. `cap_capable` looks at
    /// ownership before it comes to the bit (security/commoncap.c).
    pub fn as_need(self, flags: u32) -> Self {
        match self {
            Self::Granted if flags & Flags::NAMESPACE_OWNED != 0 => Self::GrantedByOwnership,
            verdict => verdict,
        }
    }

    /// The check was granted, in whatever way.
    pub fn is_granted(self) -> bool {
        !matches!(self, Self::Denied(_))
    }
}

/// Whose credentials were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialOwner {
    /// The current task's own.
    Own,
    /// The current task's, overridden for a while, as access(2) and overlayfs do.
    Overridden,
    /// Another's: those a file was opened with, or another task's.
    Foreign,
}

impl CredentialOwner {
    /// Whose they are, where [`Flags`] say it.
    pub fn of(flags: u32) -> Option<Self> {
        (flags & Flags::OWNER_KNOWN != 0).then_some(if flags & Flags::CREDENTIALS_OVERRIDDEN != 0 {
            Self::Overridden
        } else if flags & Flags::CREDENTIALS_FOREIGN != 0 {
            Self::Foreign
        } else {
            Self::Own
        })
    }
}

/// The checked credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The effective user id.
    pub euid: u32,
    /// The effective set.
    pub effective: CapabilitySet,
    /// The inode number of their user namespace.
    pub namespace: u32,
    /// Whose they are; `None` where the kernel side could not tell.
    pub owner: Option<CredentialOwner>,
}

/// The user namespace over which a capability was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetNamespace {
    /// Its inode number, as in `/proc/PID/ns/user`.
    pub inode: u32,
    /// How it lies to the namespace of the checked credentials.
    pub relation: Relation,
}

/// How the target namespace lies to the one of the checked credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is the same.
    Own,
    /// It lies below: the credentials' namespace is an ancestor of it.
    Below,
    /// Neither: it is an ancestor, or in another branch.
    Outside,
}

impl Relation {
    /// How it lies, where [`Flags`] say it.
    pub fn of(flags: u32) -> Option<Self> {
        (flags & Flags::NAMESPACE_KNOWN != 0).then_some(if flags & Flags::NAMESPACE_OWN != 0 {
            Self::Own
        } else if flags & Flags::NAMESPACE_BELOW != 0 {
            Self::Below
        } else {
            Self::Outside
        })
    }
}

/// The inode number of the initial user namespace (`PROC_USER_INIT_INO`,
/// include/linux/proc_ns.h).
pub const INITIAL_USER_NAMESPACE: u32 = 0xEFFF_FFFD;

impl TargetNamespace {
    /// It is the initial user namespace.
    pub fn is_initial(self) -> bool {
        self.inode == INITIAL_USER_NAMESPACE
    }
}

/// What kind of task made the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A thread of a program.
    User,
    /// A kernel thread.
    KernelThread,
    /// An io_uring worker: a thread of the user's process that runs in the kernel only.
    IoWorker,
}

impl Task {
    /// What kind it is, where [`Flags`] say it.
    pub fn of(flags: u32) -> Option<Self> {
        (flags & Flags::TASK_KNOWN != 0).then_some(if flags & Flags::IO_WORKER != 0 {
            Self::IoWorker
        } else if flags & Flags::KERNEL_THREAD != 0 {
            Self::KernelThread
        } else {
            Self::User
        })
    }
}

/// The system call in which the check was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// Its number, in the table that `compat` says.
    pub number: i32,
    /// It came by the 32-bit entry.
    pub compat: bool,
    /// Its six arguments.
    pub arguments: [u64; 6],
}

impl<'a> Event<'a> {
    /// A check of which nothing else was asked for.
    pub fn bare(check: &'a wire::Check) -> Self {
        Self {
            check,
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

    /// The capability that was asked for.
    pub fn capability(&self) -> Capability {
        Capability::from_number(self.check.capability)
    }

    /// The task's name: any bytes but NUL.
    pub fn comm(&self) -> &[u8] {
        let comm = &self.check.comm;
        let length = comm.iter().position(|&byte| byte == 0);
        &comm[..length.unwrap_or(comm.len())]
    }

    /// The audit flag, where it is known.
    pub fn audit(&self) -> Option<Audit> {
        Audit::of(self.check.flags)
    }

    /// Whether the check was made by set*id, where it is known.
    pub fn insetid(&self) -> Option<bool> {
        self.has(Flags::INSETID_KNOWN)
            .then(|| self.has(Flags::INSETID))
    }

    /// The verdict, where it is known.
    pub fn verdict(&self) -> Option<Verdict> {
        Verdict::of(self.check.flags, self.check.result)
    }

    /// The checked credentials, where they are known.
    pub fn credentials(&self) -> Option<Credentials> {
        self.has(Flags::CREDENTIALS_KNOWN).then(|| Credentials {
            euid: self.check.euid,
            effective: CapabilitySet::from_bits(self.check.effective),
            namespace: self.check.credential_namespace,
            owner: CredentialOwner::of(self.check.flags),
        })
    }

    /// The target namespace, where it is known.
    pub fn target_namespace(&self) -> Option<TargetNamespace> {
        Some(TargetNamespace {
            inode: self.check.target_namespace,
            relation: Relation::of(self.check.flags)?,
        })
    }

    /// What kind of task made the check, where it is known.
    pub fn task(&self) -> Option<Task> {
        Task::of(self.check.flags)
    }

    /// The parent's pid, where it is known.
    pub fn parent(&self) -> Option<u32> {
        self.detail
            .filter(|_| self.has(Flags::PARENT_KNOWN))
            .map(|detail| detail.parent)
    }

    /// The process and the thread as their own pid namespace numbers them, where that is known.
    pub fn inner_pids(&self) -> Option<(u32, u32)> {
        self.detail
            .filter(|_| self.has(Flags::INNER_PID_KNOWN))
            .map(|detail| (detail.inner_pid, detail.inner_tid))
    }

    /// The system call; `None` where it is unknown or the check was made outside of one.
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
