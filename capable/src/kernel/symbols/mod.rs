//! The kernel's functions by name, from `/proc/kallsyms`.
//!
//! [`find()`] streams the file once and keeps nothing, for the few ranges that the kernel side
//! needs. Only text symbols are read; others never occur in a stack.

mod error;
mod find;
pub(crate) mod kallsyms;
mod name;

pub use error::SymbolsError;
pub use find::{find, find_data};
pub use name::clean_name;
