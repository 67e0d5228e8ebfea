//! What the running kernel offers, and how the tracer uses it.

pub mod btf;
pub mod features;
pub mod offsets;
pub mod plan;
pub mod sys;
