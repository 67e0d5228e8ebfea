//! A trace under way: loading, attaching, filtering, and what comes of it.

pub mod attach;
mod counters;
pub mod counts;
pub mod filters;
pub mod glob;
pub mod numbers;
mod recent;
pub mod record;
mod rest;
mod ring;
pub mod stream;
pub mod tracer;
