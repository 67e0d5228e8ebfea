//! What user space adds to a check: names of users, cgroups, system calls and code.
//!
//! Everything here is asked for while rows are being printed, so each look-up is answered from
//! memory or by a bounded piece of work, and what cannot be known is `None`.

pub mod cgroups;
mod ids;
pub mod kernel_symbols;
pub mod namespaces;
pub mod nearest;
pub mod syscalls;
pub mod user_symbols;
pub mod users;
