//! Everything that behaves differently, each with the kernel's reason: the only place for
//! exceptions.

use std::path::Path;

use super::identity::Identity;
use super::kernel::Version;

/// Hooks that read no kernel structures: the pair is for kernels without BTF. For a task whose
/// credentials are overridden, they report the user of those (kernel/bpf/helpers.c,
/// `bpf_get_current_uid_gid`).
pub const WITHOUT_STRUCTURES: &[&str] = &["kretprobe"];

/// Kernels on which something cannot run.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// Kernels before this one.
    Before(Version),
    /// Kernels that do not show this path.
    Without(&'static str),
}

/// A trigger that cannot run.
#[derive(Clone, Copy, Debug)]
pub struct Impossible {
    /// Its name.
    pub trigger: &'static str,
    /// The identities that cannot run it.
    pub identities: &'static [Identity],
    /// Where it cannot run.
    pub on: On,
    /// Why.
    pub reason: &'static str,
}

/// Triggers that cannot run on some kernels.
pub const IMPOSSIBLE: &[Impossible] = &[
    Impossible {
        trigger: "immutable",
        identities: &Identity::ALL,
        on: On::Before(Version(6, 6)),
        reason: "tmpfs has file flags since 6.6 (mm/shmem.c, shmem_fileattr_set)",
    },
    Impossible {
        trigger: "epoll-wakeup",
        identities: &Identity::ALL,
        on: On::Without("/sys/power/wakeup_count"),
        reason: "without CONFIG_PM_SLEEP nothing is asked (include/linux/eventpoll.h)",
    },
];

/// The reason why a trigger cannot run here, if it cannot.
pub fn impossible(trigger: &str, identity: Identity, kernel: Version) -> Option<&'static str> {
    IMPOSSIBLE
        .iter()
        .find(|entry| {
            entry.trigger == trigger
                && entry.identities.contains(&identity)
                && match entry.on {
                    On::Before(version) => kernel < version,
                    On::Without(path) => !Path::new(path).exists(),
                }
        })
        .map(|entry| entry.reason)
}

/// A field that a hook cannot provide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Whether the effective set or ownership granted it.
    GrantedBy,
    /// Whose credentials were checked, and over which namespace.
    Credentials,
    /// The frame of `cap_capable` in a kernel stack.
    InnermostFrame,
    /// The result of a check that the compiler inlined into its caller.
    InlinedResult,
    /// A check for setting the securebits that the compiler inlined into `cap_task_prctl`.
    Securebits,
}

/// A field that a hook cannot provide.
#[derive(Clone, Copy, Debug)]
pub struct Unknown {
    /// The hook, as `--hook` names it.
    pub hook: &'static str,
    /// What it does not know.
    pub field: Field,
    /// Why.
    pub reason: &'static str,
}

/// Fields that may be unknown. All others must be present and correct.
pub const UNKNOWN: &[Unknown] = &[
    Unknown {
        hook: "kretprobe",
        field: Field::GrantedBy,
        reason: "the pair is for kernels without BTF, where credentials cannot be read",
    },
    Unknown {
        hook: "kretprobe",
        field: Field::Credentials,
        reason: "the pair is for kernels without BTF, where credentials cannot be read",
    },
    Unknown {
        hook: "fexit",
        field: Field::InnermostFrame,
        reason: "the stack is taken when cap_capable has returned",
    },
    Unknown {
        hook: "kretprobe",
        field: Field::InlinedResult,
        reason: "the pair sees cap_capable return, and where that is inlined it does not",
    },
    Unknown {
        hook: "kretprobe",
        field: Field::Securebits,
        reason: "the pair is for kernels without BTF, where the locked bits that decide whether \
                 the check is made cannot be read",
    },
];

/// This hook may leave this field unknown.
pub fn may_be_unknown(hook: &str, field: Field) -> bool {
    UNKNOWN
        .iter()
        .any(|entry| entry.hook == hook && entry.field == field)
}

/// Hooks that the kernel may skip: while such a program is preempted on a CPU, it is not run for
/// the checks of other tasks there (kernel/bpf/trampoline.c, `__bpf_prog_enter_recur`). They count
/// what they missed.
pub const SKIPPED: [&str; 2] = ["fexit", "tracepoint"];

/// Checks that may be missing, or made more often, with one hook or in one run but not in another.
#[derive(Clone, Copy, Debug)]
pub struct Varying {
    /// What they are.
    pub what: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Checks that hooks need not agree on. The code that leaves them out refers to the entry.
pub const OVERCOMMIT: Varying = Varying {
    what: "checks for memory overcommit (SYS_ADMIN, not audited), but for those of the trigger mmap",
    reason: "a process grows its heap and its stack when it happens to need it, and the child of \
             a fork pays for pages that the parent touched (mm/memory.c)",
};

/// Everything that is left out of the comparison, for a test's log.
pub const VARYING: &[Varying] = &[OVERCOMMIT];
