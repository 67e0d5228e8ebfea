//! What the user side tells the kernel side before it is loaded.
//!
//! The configuration is a read-only global: once it is frozen, the verifier treats its fields as
//! constants and removes the code of everything that was not asked for.

use core::ops::BitOr;

use crate::offsets::Offsets;

/// The most cgroups that a filter can name.
pub const MAX_CGROUPS: usize = 16;

/// The most 64-state automata that a filter of names can use.
pub const MAX_COMM_PATTERNS: usize = 4;

/// How the fourth argument of `cap_capable` is read. Decided by its name and type in BTF, never by
/// the kernel's version, because the change was backported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AuditArgument {
    /// The hook does not give the argument, or its meaning is not known.
    Unknown = 0,
    /// `int audit`: 1 is audited (before 5.1).
    Audit = 1,
    /// `unsigned int opts`: bit 1 is `CAP_OPT_NOAUDIT`, bit 2 `CAP_OPT_INSETID` (5.1 and later).
    Options = 2,
    /// The hook does not give the argument; the flag is inferred from the call path.
    CallPath = 3,
}

/// What makes two checks the same for `--unique`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum UniqueBy {
    /// Every check is sent.
    Off = 0,
    /// Process, capability and result.
    Process = 1,
    /// Cgroup, capability and result.
    Cgroup = 2,
    /// Name, capability and result.
    Comm = 3,
    /// Kernel stack, capability and result.
    Stack = 4,
}

/// What a run asks for besides the plain check: a set of these constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Wanted(u8);

impl Wanted {
    /// The plain check alone.
    pub const NOTHING: Self = Self(0);
    /// [`crate::Detail`]: parent, inner pids and system call.
    pub const DETAIL: Self = Self(1 << 0);
    /// Whose credentials were checked, over which namespace.
    pub const CREDENTIALS: Self = Self(1 << 1);
    /// The cgroup's id.
    pub const CGROUP: Self = Self(1 << 2);
    /// The real group id, in [`crate::Membership`].
    pub const GROUP: Self = Self(1 << 3);
    /// The mount namespace, in [`crate::Membership`].
    pub const MOUNT_NAMESPACE: Self = Self(1 << 4);
    /// All of [`crate::Membership`], which is sent if any of these is asked for.
    pub const MEMBERSHIP: Self = Self(Self::GROUP.0 | Self::MOUNT_NAMESPACE.0);
    /// Everything that can be asked for.
    pub const EVERYTHING: Self = Self((1 << 5) - 1);

    /// The set of these bits.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The set as bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of these are asked for.
    #[inline(always)]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether one of these is asked for.
    #[inline(always)]
    pub const fn intersects(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

impl BitOr for Wanted {
    type Output = Self;

    fn bitor(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// Addresses from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct AddressRange {
    /// The first address.
    pub start: u64,
    /// The first address after it.
    pub end: u64,
}

impl AddressRange {
    /// No address.
    pub const NONE: Self = Self { start: 0, end: 0 };
}

/// What the numbers in a table stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Listed {
    /// The table is not used: all are kept.
    Nothing = 0,
    /// The numbers to keep.
    Kept = 1,
    /// The numbers to drop.
    Dropped = 2,
}

/// How many namespaces of each kind a filter names. 0 keeps all; otherwise those in the table are
/// kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct NamespaceFilter {
    /// User namespaces of the task.
    pub user: u8,
    /// Mount namespaces of the task.
    pub mount: u8,
    /// Pid namespaces of the task.
    pub pid: u8,
    /// Zero.
    pub reserved: u8,
}

impl NamespaceFilter {
    /// All are kept.
    pub const NONE: Self = Self {
        user: 0,
        mount: 0,
        pid: 0,
        reserved: 0,
    };
}

/// An automaton that decides whether a name matches one of several globs: one bit per state,
/// one table look-up per character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct CommPattern {
    /// For each character, the states that it can enter.
    pub enter: [u64; 256],
    /// The states that stay active for any character: those of a `*`.
    pub stay: u64,
    /// The states before the first character.
    pub start: u64,
    /// The states that accept at the end of the name.
    pub accept: u64,
}

/// The whole configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Config {
    /// Capabilities to keep, a bit each; numbers above 63 are always kept.
    pub capabilities: u64,
    /// The lowest address that everybody may map (`vm.mmap_min_addr`).
    pub lowest_mapping: u64,
    /// The functions that ask without audit, for [`AuditArgument::CallPath`]; unused entries are 0.
    pub unaudited: [AddressRange; 8],
    /// The functions that ask for set*id, for [`AuditArgument::CallPath`]; unused entries are 0.
    pub insetid: [AddressRange; 2],
    /// `cap_capable` itself, for [`AuditArgument::CallPath`].
    pub cap_capable: AddressRange,
    /// The address of the kernel's `landlock_blob_sizes`, or 0.
    pub landlock: u64,
    /// The offsets of the kernel's structures.
    pub offsets: Offsets,
    /// The tracer's own process, whose checks are never shown.
    pub own_pid: u32,
    /// Frames of the kernel stack to capture, at most [`crate::MAX_FRAMES`].
    pub kernel_frames: u32,
    /// Frames of the user stack to capture, at most [`crate::MAX_FRAMES`].
    pub user_frames: u32,
    /// The only process to keep, or 0. If there are several, they are in a table.
    pub only_pid: u32,
    /// When the only process was started, as [`TICK`](crate::TICK) says, or 0 if that is not known.
    pub only_started: u32,
    /// The number of cgroups to keep; 0 keeps all.
    pub cgroups: u32,
    /// The number of patterns of names whose cgroups are kept too; 0 follows none.
    pub cgroup_patterns: u32,
    /// If the ring buffer holds more bytes than this, the reader is woken even while it rests.
    pub wakeup_bytes: u32,
    /// The bit of `task_struct.flags` that marks an io_uring worker on this kernel, or 0.
    pub io_worker: u32,
    /// The securebits that this kernel knows, locks included.
    pub securebits: u32,
    /// Namespaces to keep.
    pub namespaces: NamespaceFilter,
    /// How to read the audit flag: an [`AuditArgument`].
    pub audit: u8,
    /// 1: drop checks that are known not to be audited.
    pub audited_only: u8,
    /// Zero.
    pub reserved: [u8; 4],
    /// A mask for a record's time in units of 256 ns: if none of its bits is set there, the record
    /// queries how full the ring buffer is.
    pub wakeup_sample: u8,
    /// 1: the verifier knows the current task's type and lets its members be read without a helper
    /// (`bpf_get_current_task_btf`, 5.11 and later), and all of their offsets are known.
    pub typed_task: u8,
    /// Results to keep: 1 granted, 2 denied, 3 both. An unknown result is always kept.
    pub results: u8,
    /// A [`UniqueBy`].
    pub unique: u8,
    /// What is asked for besides the plain check.
    pub wanted: Wanted,
    /// 1: keep processes in the table only.
    pub pids: u8,
    /// 1: keep threads in the table only.
    pub tids: u8,
    /// What the table of users holds: a [`Listed`].
    pub users: u8,
    /// What the table of groups holds: a [`Listed`].
    pub groups: u8,
    /// How many [`CommPattern`]s there are.
    pub comms: u8,
    /// 1: add the children of followed processes to the table.
    pub follow: u8,
    /// 1: send records.
    pub send: u8,
    /// 1: count in the table.
    pub count: u8,
    /// What to count by: 0 process, 1 cgroup, 2 nothing (all in one), 3 process and cgroup.
    pub count_subject: u8,
    /// 1: count by caller and system call too.
    pub count_origin: u8,
    /// 1: report the results of system calls in which a check was denied.
    pub outcomes: u8,
    /// 1: report system calls that failed as [`crate::Operation`]s.
    pub operations: u8,
    /// 1: `bpf_task_pt_regs` exists (5.15 and later).
    pub task_regs_helper: u8,
}

impl Config {
    /// Every check is kept and sent as a plain check, and nothing is known about this kernel.
    pub const PLAIN: Self = Self {
        capabilities: u64::MAX,
        lowest_mapping: 0,
        unaudited: [AddressRange::NONE; 8],
        insetid: [AddressRange::NONE; 2],
        cap_capable: AddressRange::NONE,
        landlock: 0,
        offsets: Offsets::UNKNOWN,
        own_pid: 0,
        kernel_frames: 0,
        user_frames: 0,
        only_pid: 0,
        only_started: 0,
        cgroups: 0,
        cgroup_patterns: 0,
        wakeup_bytes: 0,
        io_worker: 0,
        securebits: 0,
        namespaces: NamespaceFilter::NONE,
        audit: 0,
        audited_only: 0,
        reserved: [0; 4],
        wakeup_sample: 0,
        typed_task: 0,
        results: 3,
        unique: 0,
        wanted: Wanted::NOTHING,
        pids: 0,
        tids: 0,
        users: 0,
        groups: 0,
        comms: 0,
        follow: 0,
        send: 1,
        count: 0,
        count_subject: 0,
        count_origin: 0,
        outcomes: 0,
        operations: 0,
        task_regs_helper: 0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_no_padding() {
        let fields = 24 + 11 * size_of::<AddressRange>() + size_of::<Offsets>() + 10 * 4 + 4 + 24;
        assert_eq!(size_of::<Config>(), fields);
        assert_eq!(size_of::<CommPattern>(), 259 * 8);
    }
}
