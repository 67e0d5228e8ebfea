//! The maps that both transports share.
//!
//! Their memory is allocated when they are created: a kprobe may run where memory cannot be
//! allocated, and kernels from 5.7 to 6.0 warn about maps that would try (kernel/bpf/verifier.c,
//! `check_map_prog_compatibility`). User space shrinks those that a run does not use to one entry.

use aya_ebpf::{
    macros::map,
    maps::{Array, CgroupArray, HashMap, LruHashMap, PerCpuArray, PerCpuHashMap, StackTrace},
};
use capable_common::{
    CALLS, COMM_LENGTH, CallTexts, CgroupPattern, CommPattern, Count, CountKey, Counters,
    FollowedProcess, MAX_CGROUP_PATTERNS, MAX_CGROUPS, MAX_COMM_PATTERNS, MAX_FRAMES, OwnCheck,
    Recent,
};

use crate::{cgroups::Name, names::Walk};

/// What happened to the checks, per processor.
#[map]
pub static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

/// Checks of the tracer itself, by capability: these tell it what its hook sees and which arguments
/// are passed.
#[map]
pub static OWN_CHECKS: Array<OwnCheck> = Array::with_max_entries(64, 0);

/// Processes to keep by their numbers, and which of those that had this number: see [`crate::life`].
#[map]
pub static PIDS: HashMap<u32, FollowedProcess> = HashMap::with_max_entries(1 << 16, 0);

/// Threads to keep by their numbers, and when they were started, or 0.
#[map]
pub static TIDS: HashMap<u32, u32> = HashMap::with_max_entries(4096, 0);

/// Real user ids to keep, or to drop.
#[map]
pub static USERS: HashMap<u32, u32> = HashMap::with_max_entries(4096, 0);

/// Real group ids to keep, or to drop.
#[map]
pub static GROUPS: HashMap<u32, u32> = HashMap::with_max_entries(4096, 0);

/// Cgroups to keep, with all that is below them.
#[map]
pub static CGROUPS: CgroupArray = CgroupArray::with_max_entries(MAX_CGROUPS as u32, 0);

/// The ids of cgroups to keep, by names: see [`crate::cgroups`].
#[map]
pub static CGROUP_IDS: HashMap<u64, u32> = HashMap::with_max_entries(1 << 14, 0);

/// The names of those to come.
#[map]
pub static CGROUP_PATTERNS: Array<CgroupPattern> =
    Array::with_max_entries(MAX_CGROUP_PATTERNS as u32, 0);

/// A buffer for such a name and its path, because each would fill half of a program's stack.
#[map]
pub static CGROUP_NAME: PerCpuArray<Name> = PerCpuArray::with_max_entries(1, 0);

/// Inode numbers of namespaces to keep. The kinds share the table: their numbers do not overlap.
#[map]
pub static NAMESPACES: HashMap<u32, u32> = HashMap::with_max_entries(4096, 0);

/// Names to keep.
#[map]
pub static COMMS: Array<CommPattern> = Array::with_max_entries(MAX_COMM_PATTERNS as u32, 0);

/// What `--unique` has sent.
#[map]
pub static UNIQUE: HashMap<UniqueKey, u32> = HashMap::with_max_entries(1 << 16, 0);

/// What was counted.
#[map]
pub static COUNTS: PerCpuHashMap<CountKey, Count> = PerCpuHashMap::with_max_entries(1 << 14, 0);

/// What each processor counted recently: see [`crate::count`].
#[map]
pub static RECENT: PerCpuArray<Recent> = PerCpuArray::with_max_entries(capable_common::RECENT, 0);

/// Checks between the entry of `cap_capable` and its return, by thread. The oldest entries are
/// evicted, so one whose return was missed does not stay for ever.
#[map]
pub static PENDING: LruHashMap<u32, Pending> = LruHashMap::with_max_entries(1 << 14, 0);

/// The kernel stacks of these checks, by thread.
#[map]
pub static PENDING_FRAMES: LruHashMap<u32, [u64; MAX_FRAMES]> =
    LruHashMap::with_max_entries(1 << 12, 0);

/// A buffer to capture such a stack in, because it is larger than a program's stack.
#[map]
pub static ENTRY_FRAMES: PerCpuArray<[u64; MAX_FRAMES]> = PerCpuArray::with_max_entries(1, 0);

/// Threads in a system call in which a check was denied.
#[map]
pub static DENIED: LruHashMap<u32, u32> = LruHashMap::with_max_entries(1 << 14, 0);

/// How many of them there are, or more: while there are none, a return need not be looked up.
#[map]
pub static EXPECTED: Array<u64> = Array::with_max_entries(1, 0);

/// What the arguments of system calls point to, by their numbers: see [`crate::operation`].
#[map]
pub static CALL_TEXTS: Array<CallTexts> = Array::with_max_entries(CALLS as u32, 0);

/// Where the walk from a file up to the root is.
#[map]
pub static WALK: PerCpuArray<Walk> = PerCpuArray::with_max_entries(1, 0);

/// Kernel stacks that tell checks apart.
#[map]
pub static STACKS: StackTrace = StackTrace::with_max_entries(1 << 14, 0);

/// The arguments of a check whose result is awaited.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Pending {
    /// `cred`
    pub credentials: u64,
    /// `target_ns`
    pub target: u64,
    /// `cap`
    pub capability: i32,
    /// `opts`, or `audit`
    pub options: u32,
    /// Bytes of the kernel stack in [`PENDING_FRAMES`], or a negative errno.
    pub bytes: i64,
}

/// What makes two checks the same.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct UniqueKey {
    /// A name in two words, or a number or a process in the first.
    pub subject: [u64; COMM_LENGTH / 8],
    /// The capability's number.
    pub capability: i32,
    /// The result; 1 if it is unknown.
    pub result: i32,
}

/// This processor's counters. `None` cannot happen: the map has an entry 0.
#[inline(always)]
pub fn counters() -> Option<&'static mut Counters> {
    // SAFETY: the entry lives as long as the map, and the map as long as the program. No other
    // reference to it exists while a hook runs: the fields are only ever added to, by `add`.
    COUNTERS
        .get_ptr_mut(0)
        .map(|counters| unsafe { &mut *counters })
}

/// Adds one to one of this processor's counters.
#[inline(always)]
pub fn count_one(which: impl FnOnce(&mut Counters) -> &mut u64) {
    if let Some(counters) = counters() {
        add(which(counters));
    }
}

/// Adds several to one of this processor's counters.
#[inline(always)]
pub fn count_many(which: impl FnOnce(&mut Counters) -> &mut u64, many: u64) {
    if let Some(counters) = counters() {
        add_many(which(counters), many);
    }
}

/// Adds one, atomically.
#[inline(always)]
pub fn add(counter: &mut u64) {
    add_many(counter, 1);
}

/// Takes one away, as [`add`] adds it.
#[inline(always)]
pub fn subtract(counter: &mut u64) {
    add_many(counter, u64::MAX);
}

/// Adds, atomically: on a preemptible kernel two programs can share a processor's counters.
///
/// In assembly, because the target has no compare-and-swap and `core` therefore offers no
/// `fetch_add` for it; the instruction is `BPF_XADD`, which every kernel has.
#[inline(always)]
pub fn add_many(counter: &mut u64, many: u64) {
    #[cfg(target_arch = "bpf")]
    // SAFETY: the counter is aligned and valid, and the instruction changes nothing else.
    unsafe {
        core::arch::asm!(
            "lock *(u64 *)({counter} + 0) += {many}",
            counter = in(reg) &raw mut *counter,
            many = in(reg) many,
        );
    }
    #[cfg(not(target_arch = "bpf"))]
    {
        *counter = counter.wrapping_add(many);
    }
}
