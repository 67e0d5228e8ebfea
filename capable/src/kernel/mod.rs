//! What the running kernel offers, and how the tracer uses it: one way from the choice of a hook to
//! a stream of records.

pub mod attach;
pub mod btf;
pub mod counts;
mod entries;
pub mod features;
pub mod filters;
pub mod glob;
mod inlining;
mod instruction;
pub mod object;
pub mod offsets;
pub mod plan;
pub mod privileges;
mod recent;
pub mod record;
mod rest;
mod ring;
mod specialise;
pub mod stream;
mod sys;
pub mod tracer;
