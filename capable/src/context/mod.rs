//! Adds what user space knows about a check: names of users, groups, cgroups, system calls and code.
//!
//! All of this is looked up while rows are printed. Each look-up is therefore answered from memory
//! or with bounded work, and what cannot be known is `None`.

pub mod accounts;
pub mod cgroups;
pub(crate) mod getent;
mod ids;
pub mod kernel_symbols;
pub(crate) mod kernel_threads;
mod mounts;
pub mod namespaces;
pub(crate) mod nearest;
pub mod processes;
pub mod surroundings;
pub mod syscalls;
pub mod user_symbols;
