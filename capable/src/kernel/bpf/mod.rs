//! Programs and maps: system calls, the eBPF object, and how its instructions are changed before
//! the kernel sees them.

pub(super) mod assembly;
pub(super) mod entries;
pub(super) mod info;
mod instruction;
pub mod memory_limit;
pub mod object;
pub(super) mod perf;
pub mod privileges;
mod specialise;
pub(super) mod sys;
