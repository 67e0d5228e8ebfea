//! From observed checks to the capabilities that a program needs.
//!
//! Pure: [`Observation`]s go in, a [`Report`] comes out, and from it the [gate](mod@gate)'s answer
//! and the lines that the [emitters](emit) write. Who launches, traces and counts is elsewhere.
//! Each rule is a function of its own in [`rules`]; docs/classification.md lists them with their
//! reasons, docs/emitters.md what each emitter writes and cannot know.

pub mod emit;
pub mod gate;
pub mod observation;
pub mod report;
pub mod rules;

mod interner;
mod names;
mod tally;
mod words;

pub(crate) use interner::Interner;
pub use observation::{Case, Observation, Outcome, Phase};
pub use report::{Report, Run};
pub use rules::Class;
pub(crate) use tally::Tally;
