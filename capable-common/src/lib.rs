//! What crosses the boundary between the kernel side and the user side.
//!
//! Everything here is `repr(C)` and has no padding, and a test pins its size: the kernel side
//! writes these bytes and the user side reads them, and the two are compiled by different compilers
//! for different targets.
#![cfg_attr(not(test), no_std)]

mod arch;
mod cgroups;
mod config;
mod counters;
mod offsets;
mod operation;
mod process;
mod record;

pub use cgroups::{
    CgroupPattern, CgroupPlace, MAX_CGROUP_DEPTH, MAX_CGROUP_NAME, MAX_CGROUP_PATTERNS, NAME_WORDS,
};
pub use config::{
    AddressRange, AuditArgument, CommPattern, Config, Listed, MAX_CGROUPS, MAX_COMM_PATTERNS,
    NamespaceFilter, UniqueBy, Wanted,
};
pub use counters::{Count, CountKey, Counters, OwnCheck, RECENT, Recent};
pub use offsets::{NO_OFFSET, Offsets};
pub use operation::{
    CALLS, CallTexts, MAX_GROUPS, MAX_NAMES, NAME_LENGTH, NAMES_LENGTH, NO_TEXT, Operation,
    OperationFlags, TEXT_LENGTH,
};
pub use process::{FollowedProcess, TICK, process_word};
pub use record::{
    COMM_LENGTH, Check, Detail, Flags, LARGEST_RECORD, Life, MAX_FRAMES, Membership, RecordKind,
    STACK_FAILED, SYSCALL_NONE, UNKNOWN_SET,
};
