//! The report: what each capability means to a program, and why.
//!
//! Its JSON form has stable names, states its format version, and can be read back as a baseline.
//! `text` and `markdown` are for people.

mod answer;
mod build;
mod json;
mod markdown;
mod text;

pub use json::ReadError;
use serde::{Deserialize, Serialize};

use super::names;
use super::refusal::Explained;
use super::rules::{Class, Rule};
use crate::capability::{Capability, CapabilitySet};

/// What is known about a run besides its checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The command and its arguments; empty if something that was already running was profiled.
    pub command: Vec<String>,
    /// What was profiled if it was not a command: `unit nginx.service`, `process 812`.
    pub subject: Option<String>,
    /// The kernel's release, as uname(2) gives it.
    pub kernel: Option<String>,
    /// The hook that saw the checks.
    pub hook: Option<String>,
    /// How long, in nanoseconds.
    pub duration: u64,
    /// Whether the program kept running after it had started, so that "only while starting" means
    /// something.
    pub settled: bool,
    /// How many processes there were, if all of them were seen from their start.
    pub processes: Option<u64>,
    /// How many of the command's processes had not ended; unknown for what was already running.
    pub still_running: Option<u64>,
    /// What was lost while tracing.
    pub losses: Vec<ReportedLoss>,
    /// How the command ended, if it has.
    pub exit: Option<Exit>,
    /// The units that were followed by name.
    pub units: Vec<FollowedUnit>,
    /// What else is worth knowing about the run, one sentence each.
    pub notes: Vec<String>,
    /// What this kernel and hook could not provide, one sentence each.
    pub unknowns: Vec<String>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The code that it exited with; null if a signal ended it.
    pub code: Option<i32>,
    /// The number of the signal that ended it; null if it exited.
    pub signal: Option<i32>,
}

/// A unit that was followed by name, before it ran and over its restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedUnit {
    /// Its name, in words: `unit nginx.service`.
    pub name: String,
    /// How many of this name ran when the profile began.
    pub running: u64,
    /// How many were started since then.
    pub started: u64,
    /// How many times it was started again; null if that cannot be told from the start of another of
    /// this name, as of a template's instances.
    pub restarts: Option<u64>,
}

/// Something that was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedLoss {
    /// The reason, as the end of a sentence: `the buffer was full`.
    pub cause: String,
    /// How many checks, or forks, executions and exits of processes; null if this is not known.
    pub lost: Option<u64>,
}

/// What each capability means to a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The command and its arguments; empty if something that was already running was profiled.
    pub command: Vec<String>,
    /// What was profiled if it was not a command.
    pub subject: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The hook that saw the checks.
    pub hook: Option<String>,
    /// How long, in nanoseconds.
    pub duration_ns: u64,
    /// All checks that were seen, including those left out.
    pub checks: u64,
    /// How many processes there were; null if some already existed before.
    #[serde(default)]
    pub processes: Option<u64>,
    /// How many of the command's processes had not ended when the report was made; null for what
    /// was already running.
    #[serde(default)]
    pub still_running: Option<u64>,
    /// The answer: what the program needs.
    #[serde(with = "names::set")]
    pub needed: CapabilitySet,
    /// What was lost; null if nothing was. After a loss the answer is incomplete.
    pub incomplete: Option<Vec<ReportedLoss>>,
    /// Each capability that was asked for, ordered by class, the strongest first, then by number.
    pub capabilities: Vec<CapabilityReport>,
    /// Checks that say nothing about the program's set.
    pub left_out: Vec<LeftOut>,
    /// How the command ended; null if it has not, and for what was already running.
    #[serde(default)]
    pub exit: Option<Exit>,
    /// System calls that were refused, each with its reason, the oldest first; empty for what was
    /// already running, whose system calls are not observed.
    #[serde(default)]
    pub refusals: Vec<Explained>,
    /// How many more there were.
    #[serde(default)]
    pub more_refusals: u64,
    /// The units that were followed by name.
    #[serde(default)]
    pub units: Vec<FollowedUnit>,
    /// What else is worth knowing about the run, one sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What could not be known, one sentence each.
    pub unknowns: Vec<String>,
}

/// What one capability means to the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityReport {
    /// The capability.
    #[serde(with = "names")]
    pub capability: Capability,
    /// Its class: the strongest among its checks.
    pub class: Class,
    /// False if the class errs on the side of caution.
    pub certain: bool,
    /// The reason, in one sentence.
    pub why: String,
    /// What the kernel accepts instead.
    #[serde(with = "names::option")]
    pub alternative: Option<Capability>,
    /// Needed only while the program was starting: it could be dropped afterwards.
    pub starting_only: bool,
    /// How often it was asked for, by result.
    pub counts: Counts,
    /// The programs in the tree that asked, the most frequent first.
    pub programs: Vec<Program>,
    /// Where it was asked from, at most five places: the strongest class first, then the most
    /// frequent.
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

/// How often a capability was asked for, by result.
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
    /// The result is not known.
    pub unknown: u64,
    /// Made while the program was starting.
    pub starting: u64,
    /// Not audited.
    pub unaudited: u64,
    /// Made for set*id.
    pub insetid: u64,
    /// Made by io_uring workers.
    pub io_workers: u64,
}

/// A program in the tree.
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
    /// The kernel function that asked; null if it is not known.
    pub caller: Option<String>,
    /// The system call; null if it is not known or there was none.
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
    /// False if the rule errs on the side of caution.
    pub certain: bool,
    /// The reason, in one sentence.
    pub why: String,
    /// How many checks; 0 if the kernel never reached the check.
    pub checks: u64,
    /// How many of them the effective set granted.
    pub granted: u64,
    /// The programs that made them, the most frequent first.
    pub programs: Vec<String>,
    /// The first of them, in nanoseconds since the program started.
    pub first_ns: u64,
}

/// Checks that say nothing about the program's set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many.
    pub checks: u64,
    /// The rule that left them out.
    pub rule: Rule,
    /// The reason, in one sentence.
    pub why: String,
    /// For which capabilities.
    #[serde(with = "names::set")]
    pub capabilities: CapabilitySet,
}

impl Report {
    /// The capabilities in a class.
    pub fn of_class(&self, class: Class) -> CapabilitySet {
        self.capabilities
            .iter()
            .filter(|report| report.class == class)
            .map(|report| report.capability)
            .collect()
    }

    /// What each program in the tree needs, by name; those that need nothing are not listed.
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

    /// The report as text for a terminal, ending in a newline.
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// The report in Markdown, for an issue or a wiki, ending in a newline.
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// The report as JSON, ending in a newline: docs/json-schema-report.json is its schema.
    ///
    /// # Errors
    ///
    /// None that a report can cause; errors of `serde_json` are passed on.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        json::json(self)
    }

    /// Reads what [`Self::json`] wrote.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, lacks a field, names an unknown capability or is in another format.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        json::read(text)
    }

    /// What was profiled, as a title: the subject, or the command in shell syntax.
    pub fn title(&self) -> String {
        match (&self.subject, self.command.as_slice()) {
            (Some(subject), _) => super::words::harmless(subject),
            (None, []) => "unknown program".to_owned(),
            (None, command) => super::emit::shell_command(command),
        }
    }
}
