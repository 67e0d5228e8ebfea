//! From observed checks to the capabilities that a program needs.
//!
//! Pure: [`Observation`]s go in and a [`Report`] comes out, from which the [gate](mod@gate) decides
//! and the [emitters](emit) write their lines. Launching, tracing and counting are done elsewhere.
//! Each [`Rule`] is a function of its own. docs/classification.md lists the rules with their
//! reasons; docs/emitters.md says what each emitter writes and what it cannot know.

pub mod emit;
pub mod gate;

mod interner;
mod names;
pub(crate) mod observation;
pub(crate) mod refusal;
mod report;
mod rules;
mod tally;
mod words;

pub(crate) use interner::Interner;
pub use observation::{Case, Observation, Outcome, Phase};
pub use refusal::{Explained, RefusalKind};
pub use report::{
    CapabilityReport, Counts, Evidence, Exit, FollowedUnit, LeftOut, Origin, Program, ReadError,
    Report, ReportedLoss, Run,
};
pub use rules::{Class, Rule};
pub(crate) use tally::Tally;
