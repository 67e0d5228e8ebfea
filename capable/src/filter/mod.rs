//! Which checks are wanted, as one tree of conditions.
//!
//! Whatever a user types to narrow a trace becomes an [`Expression`]: options such as `-p` and `-C`
//! are short ways to write one. The expression is turned into filters that the kernel side can
//! apply, so that an unwanted check costs neither a record nor a wake-up. A tree that the kernel
//! side cannot decide, or that no check can satisfy, is an error: a filter never silently matches
//! nothing.

mod expression;
mod lower;
#[cfg(test)]
mod tests;

pub use crate::kernel::trace::glob::GlobError;
pub use expression::{Condition, Expression, Field};
pub use lower::LowerError;
pub(crate) use lower::lower;
