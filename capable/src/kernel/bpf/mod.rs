//! Programs and maps: system calls, the eBPF object, and what is done to its instructions before
//! the kernel sees them.

pub(super) mod assembly;
pub(super) mod entries;
mod instruction;
pub mod object;
pub mod privileges;
mod specialise;
pub(super) mod sys;
