//! Names for addresses in the kernel, from `/proc/kallsyms`.
//!
//! [`KernelSymbols::load`] keeps every function in a compact table, for stacks and for the caller
//! of each check.

mod alias;
mod caller;
mod stack;
mod table;
#[cfg(test)]
mod tests;

pub use crate::kernel::symbols::SymbolsError;
pub use table::{KernelFrame, KernelSymbols, UnreadSymbols};
