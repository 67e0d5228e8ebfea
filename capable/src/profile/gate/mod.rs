//! The gate for CI: fails a run that needed or used a capability outside of what is allowed.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::report::{CapabilityReport, Evidence, ReadError, Report};
use super::rules::{Class, Rule};
use crate::capability::{Capability, CapabilitySet, ParseSetError};
use crate::files::read_text;

/// What was given to `--allow` or `--baseline` cannot be read.
#[derive(Debug, Error)]
pub enum GateError {
    /// It is neither a list nor an existing file.
    #[error("'{given}' is neither a list of capabilities ({list}) nor a file")]
    Neither {
        /// What was given.
        given: String,
        /// Why it is not a list.
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
    /// A line of the file is not a capability.
    #[error("{}, line {line}: {error}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        error: ParseSetError,
    },
    /// The file is a report, but cannot be read.
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
    /// It could not be determined.
    CouldNotTell,
}

/// A capability outside of what is allowed, with everything that the report says about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offence<'a> {
    /// Why it offends.
    pub reason: Reason,
    /// Its checks.
    pub report: &'a CapabilityReport,
}

/// Reads the argument of `--allow`: either a list, or a file. The file has one or more capabilities
/// per line, with `#` starting a comment, or is a report in JSON, which allows what that run needed
/// or used.
///
/// A text that can be read as a list is never treated as a file name: write `./kill` for a file
/// named `kill`.
///
/// # Errors
///
/// If it is neither a list nor a readable file, or a line is not a capability.
pub fn allowed(given: &str) -> Result<CapabilitySet, GateError> {
    let list = match given.parse::<CapabilitySet>() {
        Ok(set) => return Ok(set),
        Err(error) => error,
    };
    let path = Path::new(given);
    match read_text(path) {
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

/// Reads the argument of `--baseline`: a report in JSON, which allows what that run needed or used,
/// so that only what is new offends.
///
/// # Errors
///
/// If the file cannot be read or is not a report.
pub fn baseline(path: &Path) -> Result<CapabilitySet, GateError> {
    let text = read_text(path).map_err(|error| GateError::File {
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
/// * Needed: offends unless its alternative is allowed, which the kernel accepts instead.
/// * Used: the effective set granted it and that had an effect. Advisory checks have none:
///   otherwise root would never pass a gate, because the overcommit check grants CAP_SYS_ADMIN all
///   the time. access(2) and setting the same id have no effect either.
/// * Could not tell: offends, because in doubt the gate stays shut.
///
/// A denied check never offends: the program did without. An incomplete report may hide an offence:
/// [`Report::incomplete`] says so, and the caller decides what to do about it.
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
    /// The offending checks, grouped by what the rules found about them.
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

/// Granted by the effective set, with an effect.
fn is_use(evidence: &Evidence) -> bool {
    evidence.granted > 0
        && evidence.class != Class::Advisory
        && !matches!(evidence.rule, Rule::Access | Rule::SameId)
}

#[cfg(test)]
mod tests;
