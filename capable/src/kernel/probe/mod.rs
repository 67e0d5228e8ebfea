//! What this kernel can do, and what it does differently.

mod allowed;
mod attempt;
pub mod features;
pub(super) mod inlining;
mod support;
mod system;
