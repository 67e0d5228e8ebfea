//! The gate for CI: fails a run that needed or used a capability outside of what is allowed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::report::{CapabilityReport, Report, json};
use super::rules::Class;
use crate::capability::{Capability, CapabilitySet, ParseSetError};

/// What was given to `--allow` or `--baseline` cannot be read.
#[derive(Debug, Error)]
pub enum GateError {
    /// It is neither a list nor a file that exists.
    #[error("'{given}' is no list of capabilities ({list}), and there is no file of that name")]
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
    #[error("{}: {error}", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: json::ReadError,
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
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(GateError::Neither {
            given: given.to_owned(),
            list,
        }),
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
    let report = json::read(text).map_err(|error| GateError::Report {
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

fn used(report: &CapabilityReport) -> bool {
    use super::rules::Rule;
    report.evidence.iter().any(|evidence| {
        evidence.granted > 0
            && evidence.class != Class::Advisory
            && !matches!(evidence.rule, Rule::Access | Rule::SameId)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::observation::tests::{denied, granted};
    use crate::profile::{Observation, Outcome, Run};

    fn report(observations: Vec<Observation>) -> Report {
        Report::new(Run::default(), observations)
    }

    fn offending(report: &Report, allowed: &str) -> Vec<(Capability, Reason)> {
        offences(report, allowed.parse().unwrap())
            .iter()
            .map(|offence| (offence.report.capability, offence.reason))
            .collect()
    }

    #[test]
    fn what_is_needed_offends_unless_it_is_allowed() {
        let report = report(vec![granted(Capability::NET_RAW, "inet_create", "socket")]);
        assert_eq!(offending(&report, "net_raw"), []);
        assert_eq!(
            offending(&report, "none"),
            [(Capability::NET_RAW, Reason::Needed)]
        );
    }

    #[test]
    fn the_overcommit_check_of_root_passes_the_gate() {
        let mut noise = granted(Capability::SYS_ADMIN, "cap_vm_enough_memory", "mmap");
        noise.audited = Some(false);
        assert_eq!(offending(&report(vec![noise]), "none"), []);
    }

    #[test]
    fn a_wide_one_that_stood_in_for_a_narrow_one_is_used() {
        let report = report(vec![
            denied(
                Capability::BPF,
                "bpf_check",
                "bpf",
                Outcome::SyscallSucceeded,
            ),
            granted(Capability::SYS_ADMIN, "bpf_check", "bpf"),
        ]);
        assert_eq!(
            offending(&report, "none"),
            [
                (Capability::BPF, Reason::Needed),
                (Capability::SYS_ADMIN, Reason::Used)
            ]
        );
        assert_eq!(offending(&report, "sys_admin"), []);
        assert_eq!(
            offending(&report, "bpf"),
            [(Capability::SYS_ADMIN, Reason::Used)]
        );
    }

    #[test]
    fn a_denied_check_offends_nobody_and_an_unknown_one_does() {
        let failed = Outcome::SyscallFailed(libc::EPERM);
        let refused = denied(Capability::CHOWN, "setattr_prepare", "chown", failed);
        assert_eq!(offending(&report(vec![refused.clone()]), "none"), []);
        let mut unknown = refused;
        unknown.verdict = None;
        assert_eq!(
            offending(&report(vec![unknown]), "none"),
            [(Capability::CHOWN, Reason::CouldNotTell)]
        );
    }

    #[test]
    fn a_list_and_a_file_with_comments_allow_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("allowed");
        fs::write(&file, "# for ping\nnet_raw  # sockets\n\nCAP_CHOWN, kill\n").unwrap();
        let expected = "net_raw,chown,kill".parse().unwrap();
        assert_eq!(allowed("net_raw,chown,kill").unwrap(), expected);
        assert_eq!(allowed(file.to_str().unwrap()).unwrap(), expected);
        fs::write(&file, "net_raw\nnet_rwa\n").unwrap();
        let error = allowed(file.to_str().unwrap()).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("NET_RAW"),
            "{error}"
        );
    }

    #[test]
    fn what_is_neither_a_list_nor_a_file_is_named() {
        let error = allowed("net_rwa").unwrap_err().to_string();
        assert!(error.contains("'net_rwa'"), "{error}");
        assert!(error.contains("did you mean CAP_NET_RAW"), "{error}");
        assert!(error.contains("no file of that name"), "{error}");
    }

    #[test]
    fn a_report_as_baseline_lets_only_what_is_new_offend() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let old = report(vec![granted(Capability::NET_RAW, "inet_create", "socket")]);
        fs::write(&file, json::json(&old).unwrap()).unwrap();
        let new = report(vec![
            granted(Capability::NET_RAW, "inet_create", "socket"),
            granted(Capability::CHOWN, "setattr_prepare", "chown"),
        ]);
        let known = baseline(&file).unwrap();
        assert_eq!(known, allowed(file.to_str().unwrap()).unwrap());
        let found: Vec<_> = offences(&new, known)
            .iter()
            .map(|offence| offence.report.capability)
            .collect();
        assert_eq!(found, [Capability::CHOWN]);
    }

    #[test]
    fn a_baseline_that_is_no_report_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("not.json");
        fs::write(&file, "net_raw\n").unwrap();
        let error = baseline(&file).unwrap_err().to_string();
        assert!(
            error.contains("not.json") && error.contains("no report"),
            "{error}"
        );
    }
}
