//! The report: what each capability is to a program, and why.
//!
//! Its JSON form has stable names, says which form it is, and reads back, for a baseline. `text`
//! and `markdown` are for people.

mod build;
mod json;
mod markdown;
mod text;

pub use json::ReadError;
use serde::{Deserialize, Serialize};

use super::names;
use super::rules::{Class, Rule};
use crate::capability::{Capability, CapabilitySet};

/// What is known of a run besides its checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The command and its arguments; empty where something that ran already was profiled.
    pub command: Vec<String>,
    /// What was profiled where it was no command: `unit nginx.service`, `process 812`.
    pub subject: Option<String>,
    /// The kernel's release, as uname(2) gives it.
    pub kernel: Option<String>,
    /// The hook that saw the checks.
    pub hook: Option<String>,
    /// How long, in nanoseconds.
    pub duration: u64,
    /// The program went on after it had started, so that "only while starting" says something.
    pub settled: bool,
    /// How many processes there were, where they were all seen from their beginning.
    pub processes: Option<u64>,
    /// What was lost on the way.
    pub losses: Vec<ReportedLoss>,
    /// What else there is to know of the run, a sentence each.
    pub notes: Vec<String>,
    /// What this kernel and hook could not give, a sentence each.
    pub unknowns: Vec<String>,
}

/// Something that was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedLoss {
    /// Why, as the end of a sentence: `the buffer was full`.
    pub cause: String,
    /// How many checks or steps in the life of processes; null where that is not known.
    pub lost: Option<u64>,
}

/// What each capability is to a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The command and its arguments; empty where something that ran already was profiled.
    pub command: Vec<String>,
    /// What was profiled where it was no command.
    pub subject: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The hook that saw the checks.
    pub hook: Option<String>,
    /// How long, in nanoseconds.
    pub duration_ns: u64,
    /// All checks that were seen, those left out included.
    pub checks: u64,
    /// How many processes there were; null where some were there before.
    #[serde(default)]
    pub processes: Option<u64>,
    /// The answer: what the program needs.
    #[serde(with = "names::set")]
    pub needed: CapabilitySet,
    /// What was lost; null where nothing was. With a loss the answer is incomplete.
    pub incomplete: Option<Vec<ReportedLoss>>,
    /// Each capability that was asked for, the strongest class first, then by number.
    pub capabilities: Vec<CapabilityReport>,
    /// Checks that say nothing of the program's set.
    pub left_out: Vec<LeftOut>,
    /// What else there is to know of the run, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What could not be known, a sentence each.
    pub unknowns: Vec<String>,
}

/// What one capability is to the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityReport {
    /// The capability.
    #[serde(with = "names")]
    pub capability: Capability,
    /// Its class: the strongest that any of its checks has.
    pub class: Class,
    /// False where the class errs on the safe side.
    pub certain: bool,
    /// One sentence why.
    pub why: String,
    /// What the kernel takes in its place.
    #[serde(with = "names::option")]
    pub alternative: Option<Capability>,
    /// Needed while the program was starting and not later: it could be dropped then.
    pub starting_only: bool,
    /// How often, by what was decided.
    pub counts: Counts,
    /// The programs of the tree that asked, the busiest first.
    pub programs: Vec<Program>,
    /// Where it was asked from, the strongest class and then the busiest first, at most
    /// five.
    pub places: Vec<Origin>,
    /// Places left out of the list.
    pub more_places: u64,
    /// The first check, in nanoseconds since the program started.
    pub first_ns: u64,
    /// What each rule found, the strongest class first.
    pub evidence: Vec<Evidence>,
}

/// The most places that a report lists for a capability.
const PLACES: usize = 5;

/// How often, by what was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All checks.
    pub checks: u64,
    /// Granted, because the effective set held it.
    pub granted: u64,
    /// Granted, because the user owns the namespace.
    pub granted_by_ownership: u64,
    /// Denied.
    pub denied: u64,
    /// What was decided is not known.
    pub unknown: u64,
    /// Made while the program was starting.
    pub starting: u64,
    /// Made without audit.
    pub unaudited: u64,
    /// Made for set*id.
    pub insetid: u64,
    /// Made by io_uring workers.
    pub io_workers: u64,
}

/// A program of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name or path.
    pub name: String,
    /// How many checks it made.
    pub checks: u64,
}

/// Where a check was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The kernel function that asked; null where it is not known.
    pub caller: Option<String>,
    /// The system call; null where it is not known or there was none.
    pub syscall: Option<String>,
    /// The class of the checks made there.
    pub class: Class,
    /// How many checks.
    pub checks: u64,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The class.
    pub class: Class,
    /// The rule, as docs/classification.md names it.
    pub rule: Rule,
    /// False where the rule errs on the safe side.
    pub certain: bool,
    /// One sentence why.
    pub why: String,
    /// How many checks; 0 where the kernel never got to asking.
    pub checks: u64,
    /// How many of them were granted by the bit.
    pub granted: u64,
    /// The programs that made them, the busiest first.
    pub programs: Vec<String>,
    /// The first of them, in nanoseconds since the program started.
    pub first_ns: u64,
}

/// Checks that say nothing of the program's set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many.
    pub checks: u64,
    /// The rule that left them out.
    pub rule: Rule,
    /// One sentence why.
    pub why: String,
    /// For which capabilities.
    #[serde(with = "names::set")]
    pub capabilities: CapabilitySet,
}

impl Report {
    /// The capabilities of a class.
    pub fn of_class(&self, class: Class) -> CapabilitySet {
        self.capabilities
            .iter()
            .filter(|report| report.class == class)
            .map(|report| report.capability)
            .collect()
    }

    /// What a program of the tree needs, by name; those that need nothing are not listed.
    pub fn needed_by_program(&self) -> Vec<(&str, CapabilitySet)> {
        let mut programs: Vec<(&str, CapabilitySet)> = Vec::new();
        for report in &self.capabilities {
            for evidence in &report.evidence {
                if evidence.class != Class::Needed {
                    continue;
                }
                for program in &evidence.programs {
                    match programs.iter_mut().find(|(name, _)| name == program) {
                        Some((_, set)) => {
                            set.insert(report.capability);
                        }
                        None => programs.push((program, report.capability.into())),
                    }
                }
            }
        }
        programs
    }

    /// As a person reads it in a terminal, closed by a newline.
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// As a person reads it in an issue or a wiki, in Markdown, closed by a newline.
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// As a program reads it, closed by a newline: docs/json-schema-report.json is its schema.
    ///
    /// # Errors
    ///
    /// None that a report can cause; what `serde_json` gives is handed on.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        json::json(self)
    }

    /// Reads what [`Self::json`] wrote.
    ///
    /// # Errors
    ///
    /// The text is no JSON, lacks a field, names an unknown capability or has another form.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        json::read(text)
    }

    /// What was profiled, as a title: the subject, or the command as a shell reads it.
    pub fn title(&self) -> String {
        match (&self.subject, self.command.as_slice()) {
            (Some(subject), _) => super::words::harmless(subject),
            (None, []) => "unknown program".to_owned(),
            (None, command) => super::emit::shell_command(command),
        }
    }
}
