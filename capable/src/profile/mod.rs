//! From observed checks to the capabilities that a program needs.
//!
//! Pure: [`Observation`]s go in, a [`Report`] comes out, and from it the [gate](mod@gate)'s answer
//! and the lines that the [emitters](emit) write. Who launches, traces and counts is elsewhere.
//! Each [`Rule`] is a function of its own; docs/classification.md lists them with their
//! reasons, docs/emitters.md what each emitter writes and cannot know.

pub mod emit;
pub mod gate;

mod interner;
mod names;
mod observation;
mod report;
mod rules;
mod tally;
mod words;

pub(crate) use interner::Interner;
pub use observation::{Case, Observation, Outcome, Phase};
pub use report::{
    CapabilityReport, Counts, Evidence, LeftOut, Origin, Program, ReadError, Report, ReportedLoss,
    Run,
};
pub use rules::{Class, Rule};
pub(crate) use tally::Tally;
