//! What the running kernel offers, and how the tracer uses it: one way from the choice of a hook to
//! a stream of records.

pub mod bpf;
pub mod btf;
pub mod hook;
pub mod plan;
pub mod probe;
pub mod symbols;
pub mod trace;
