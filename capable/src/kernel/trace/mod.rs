//! A running trace: loading, attaching, filtering, and its results.

pub mod attach;
pub mod calibration;
mod cause;
pub mod changes;
mod configure;
mod counters;
pub mod counts;
pub mod error;
pub mod filters;
pub mod followed;
pub mod glob;
pub mod losses;
pub mod numbers;
pub mod record;
mod rest;
mod ring;
pub mod settings;
pub mod stream;
mod texts;
pub mod tracer;
