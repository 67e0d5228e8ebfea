//! The gate for CI: fails a run that needed or used a capability outside of what is allowed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::report::{CapabilityReport, Evidence, ReadError, Report};
use super::rules::{Class, Rule};
use crate::capability::{Capability, CapabilitySet, ParseSetError};

/// What was given to `--allow` or `--baseline` cannot be read.
#[derive(Debug, Error)]
pub enum GateError {
    /// It is neither a list nor a file that exists.
    #[error("'{given}' is neither a list of capabilities ({list}) nor a file")]
    Neither {
        /// What was given.
        given: String,
        /// Why it is no list.
        list: ParseSetError,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line of the file is no capability.
    #[error("{}, line {line}: {error}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        error: ParseSetError,
    },
    /// The file is a report that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ReadError,
    },
}

/// Why a capability offends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The program needs it.
    Needed,
    /// It was granted and had an effect, though the program might do without.
    Used,
    /// It could not be told.
    CouldNotTell,
}

impl Reason {
    /// How a person reads it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Used => "used",
            Self::CouldNotTell => "could not tell",
        }
    }
}

/// A capability outside of what is allowed, with all that the report says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offence<'a> {
    /// Why it offends.
    pub reason: Reason,
    /// Its checks.
    pub report: &'a CapabilityReport,
}

/// Reads what `--allow` was given: a list, or else a file with one or more per line, `#` and what
/// follows ignored, or a report in JSON, which allows what that run needed or used.
///
/// A text that is a list is never taken for a file: write `./kill` for a file of that name.
///
/// # Errors
///
/// Neither a list nor a readable file, or a line that is no capability.
pub fn allowed(given: &str) -> Result<CapabilitySet, GateError> {
    let list = match given.parse::<CapabilitySet>() {
        Ok(set) => return Ok(set),
        Err(error) => error,
    };
    let path = Path::new(given);
    match fs::read_to_string(path) {
        Ok(text) => allowed_by_file(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !given.contains('/') => {
            Err(GateError::Neither {
                given: given.to_owned(),
                list,
            })
        }
        Err(error) => Err(GateError::File {
            path: path.to_owned(),
            error,
        }),
    }
}

/// Reads what `--baseline` was given: a report in JSON, which allows what that run needed or
/// used, so that what is new offends.
///
/// # Errors
///
/// The file cannot be read or is no report.
pub fn baseline(path: &Path) -> Result<CapabilitySet, GateError> {
    let text = fs::read_to_string(path).map_err(|error| GateError::File {
        path: path.to_owned(),
        error,
    })?;
    from_report(path, &text)
}

fn allowed_by_file(path: &Path, text: &str) -> Result<CapabilitySet, GateError> {
    if text.trim_start().starts_with('{') {
        return from_report(path, text);
    }
    let mut set = CapabilitySet::EMPTY;
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let more: CapabilitySet = line.parse().map_err(|error| GateError::Line {
            path: path.to_owned(),
            line: index + 1,
            error,
        })?;
        set = set.union(more);
    }
    Ok(set)
}

fn from_report(path: &Path, text: &str) -> Result<CapabilitySet, GateError> {
    let report = Report::from_json(text).map_err(|error| GateError::Report {
        path: path.to_owned(),
        error,
    })?;
    Ok(offences(&report, CapabilitySet::EMPTY)
        .iter()
        .map(|offence| offence.report.capability)
        .collect())
}

/// The capabilities that the run needed or used and that are not allowed.
///
/// * Needed: unless its alternative is allowed, which the kernel takes in its place.
/// * Used: granted by the bit, with an effect. An advisory check has none, so that root passes a
///   gate though the overcommit check grants CAP_SYS_ADMIN all the time; access(2) and setting
///   the same id have none either.
/// * Could not tell: it offends, for a gate that is in doubt is shut.
///
/// A denied check offends nobody: the program did without. An incomplete report may hide an
/// offence; [`Report::incomplete`] says so, and whoever asks decides.
pub fn offences(report: &Report, allowed: CapabilitySet) -> Vec<Offence<'_>> {
    let allows = |capability: Capability| allowed.contains(capability);
    report
        .capabilities
        .iter()
        .filter(|each| !allows(each.capability))
        .filter_map(|each| {
            let reason = match each.class {
                Class::Needed if each.alternative.is_some_and(allows) => None,
                Class::Needed => Some(Reason::Needed),
                Class::CouldNotTell => Some(Reason::CouldNotTell),
                Class::Denied | Class::AskedNotNeeded | Class::Advisory => None,
            };
            let reason = reason.or_else(|| used(each).then_some(Reason::Used))?;
            Some(Offence {
                reason,
                report: each,
            })
        })
        .collect()
}

impl<'a> Offence<'a> {
    /// The checks that offend, by what the rules found of them.
    pub fn evidence(&self) -> impl Iterator<Item = &'a Evidence> + use<'a> {
        let reason = self.reason;
        self.report
            .evidence
            .iter()
            .filter(move |evidence| match reason {
                Reason::Needed => evidence.class == Class::Needed,
                Reason::CouldNotTell => evidence.class == Class::CouldNotTell,
                Reason::Used => is_use(evidence),
            })
    }
}

fn used(report: &CapabilityReport) -> bool {
    report.evidence.iter().any(is_use)
}

/// Granted by the bit, with an effect.
fn is_use(evidence: &Evidence) -> bool {
    evidence.granted > 0
        && evidence.class != Class::Advisory
        && !matches!(evidence.rule, Rule::Access | Rule::SameId)
}

#[cfg(test)]
mod tests;
