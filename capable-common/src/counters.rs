//! The counters that the kernel side keeps, and the tables in which it counts checks.

use crate::COMM_LENGTH;

/// What happened to the checks that the hooks saw, per processor.
///
/// Each check is counted once, as `passed`, `filtered` or `undecided`. Those that were sent have no counter
/// of their own: they are `passed` minus those repeated or lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    /// Checks that reached a hook and that no filter dropped, not counting the tracer's own.
    pub passed: u64,
    /// Checks that a filter dropped.
    pub filtered: u64,
    /// Checks that `--unique` dropped because an equal one was sent before.
    pub repeated: u64,
    /// Checks lost because the buffer was full.
    pub lost_full: u64,
    /// Checks lost because their processor has no perf buffer: it came online after the buffers
    /// were opened, or went offline in between (CPU hotplug).
    pub lost_hotplug: u64,
    /// Records other than checks lost because the buffer was full.
    pub lost_life: u64,
    /// Records other than checks lost because their processor has no perf buffer.
    pub lost_life_hotplug: u64,
    /// Stacks that the kernel could not capture; their checks were sent without them.
    pub lost_stacks: u64,
    /// Checks whose return was missed, as detected at the next check of the same thread.
    pub lost_pairs: u64,
    /// Entries of the pair of probes minus their returns, modulo 2^64 on each processor, because a
    /// thread can return on another one.
    pub unreturned: u64,
    /// Checks that could not be counted because the table was full.
    pub lost_counts: u64,
    /// Processes not followed because the table of processes was full.
    pub lost_processes: u64,
    /// Checks sent although an equal one may have been sent before, because the table of what was
    /// sent was full.
    pub unique_full: u64,
    /// Cgroups not followed because the table of cgroups was full.
    pub lost_cgroups: u64,
    /// Checks that no filter dropped, left out because audited ones were asked for and it is not
    /// known whether they are.
    pub undecided: u64,
}

impl Counters {
    /// Checks that reached a hook, not counting the tracer's own.
    pub fn seen(&self) -> u64 {
        self.passed + self.filtered + self.undecided
    }
}

/// What a check is counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct CountKey {
    /// The process (tgid) as [`crate::process_word`] has it, or the cgroup's id.
    pub subject: u64,
    /// The number of the kernel stack in the table of stacks; 0 if it was not asked for, `u64::MAX`
    /// if it could not be captured. Or the cgroup's id, where the process is counted with it.
    pub caller: u64,
    /// The bits of [`crate::Flags`] that tell kinds of checks apart.
    pub flags: u32,
    /// The capability's number.
    pub capability: i32,
    /// The result: 0 when granted.
    pub result: i32,
    /// The system call's number, or [`crate::SYSCALL_NONE`].
    pub syscall: i32,
    /// The task's name.
    pub comm: [u8; COMM_LENGTH],
}

/// How often, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Count {
    /// How many checks.
    pub checks: u64,
    /// The first of them, in nanoseconds of `CLOCK_MONOTONIC`.
    pub first: u64,
}

/// What a processor counted recently and has not yet added to the table of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Recent {
    /// What it is counted under.
    pub key: CountKey,
    /// How often and since when; the time is 0 while the entry is being changed, and before the
    /// first check.
    pub count: Count,
}

/// How many of [`Recent`] each processor has: a power of two.
pub const RECENT: u32 = 8;

/// What the tracer learns from its own checks, by capability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct OwnCheck {
    /// How often the tracer itself was checked for this capability.
    pub checks: u64,
    /// The fourth argument of the latest of these checks.
    pub options: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_the_sizes_that_the_kernel_side_was_built_with() {
        assert_eq!(size_of::<Counters>(), 120);
        assert_eq!(size_of::<CountKey>(), 48);
        assert_eq!(size_of::<Count>(), 16);
        assert_eq!(size_of::<Recent>(), 64);
        assert_eq!(size_of::<OwnCheck>(), 16);
    }
}
