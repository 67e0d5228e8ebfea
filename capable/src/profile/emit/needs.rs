//! The input of an emitter.

use std::path::PathBuf;

use crate::capability::CapabilitySet;
use crate::profile::report::Report;
use crate::profile::rules::Class;

/// The user that the program runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RunsAs {
    /// Root, which holds everything in its bounding set.
    Root,
    /// Another user, by name or number: it holds its ambient set and what it gains from its file.
    User(String),
    /// Not known.
    #[default]
    Unknown,
}

/// One program of the process tree, and what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeedyProgram {
    /// Its name, of which the kernel keeps 15 bytes.
    pub name: String,
    /// What it needs.
    pub set: CapabilitySet,
    /// The file that was executed; `None` if it is not known, or several had this name.
    pub file: Option<PathBuf>,
    /// What executed it, if it is a script.
    pub interpreter: Option<PathBuf>,
    /// Whether it executed other programs; `None` if this was not observed.
    pub executes: Option<bool>,
}

/// What a program needs, and what else is known about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramNeeds {
    /// The set.
    pub set: CapabilitySet,
    /// The part of the set that is kept only to be on the safe side.
    pub not_certain: CapabilitySet,
    /// The part of the set that was needed only while starting.
    pub starting_only: CapabilitySet,
    /// Capabilities that were denied and are not in the set, but may be needed.
    pub denied: CapabilitySet,
    /// Capabilities that are not in the set because it could not be determined whether they are
    /// needed.
    pub could_not_tell: CapabilitySet,
    /// Whether anything was lost while tracing.
    pub incomplete: bool,
    /// Whether no check was seen at all: then an empty set proves nothing.
    pub nothing_observed: bool,
    /// What the set does not cover, as a sentence: what was watched only for a while, or was still
    /// running.
    pub limits: Option<String>,
    /// The programs of the process tree that need something.
    pub programs: Vec<NeedyProgram>,
    /// The name for it in comments: the command, or what was profiled.
    pub title: String,
    /// The command and its arguments, if one was run.
    pub command: Vec<String>,
    /// The user that it runs as.
    pub runs_as: RunsAs,
    /// Whether it executed a set-user-ID program or one with file capabilities.
    pub gains_privileges: Option<bool>,
    /// The executed file.
    pub executable: Option<PathBuf>,
    /// The interpreter, if the file is a script.
    pub interpreter: Option<PathBuf>,
    /// What the program uses and does not get in secure-execution mode (ld.so(8)), in which a file
    /// that gives privileges runs: variables of its environment, and `$ORIGIN`.
    pub secure_execution: Vec<String>,
    /// The systemd unit.
    pub unit: Option<String>,
    /// The container image.
    pub image: Option<String>,
    /// The container or service.
    pub service: Option<String>,
}

impl ProgramNeeds {
    /// Taken from a report. The caller must add the user, the file, the unit and the image.
    pub fn from_report(report: &Report) -> Self {
        let pick = |wanted: fn(&crate::profile::report::CapabilityReport) -> bool| {
            report
                .capabilities
                .iter()
                .filter(|each| each.class == Class::Needed && wanted(each))
                .map(|each| each.capability)
                .collect()
        };
        Self {
            set: report.needed,
            not_certain: pick(|each| !each.certain),
            starting_only: pick(|each| each.starting_only),
            denied: report.of_class(Class::Denied),
            could_not_tell: report.of_class(Class::CouldNotTell),
            incomplete: report.incomplete.is_some(),
            nothing_observed: report.checks == 0,
            limits: report.limits(),
            programs: report
                .needed_by_program()
                .into_iter()
                .map(|(name, set)| NeedyProgram {
                    name: name.to_owned(),
                    set,
                    ..NeedyProgram::default()
                })
                .collect(),
            title: report.title(),
            command: report.command.clone(),
            ..Self::default()
        }
    }

    /// What could not be known, or should be, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.incomplete {
            notes
                .push("INCOMPLETE: checks were lost, so the set may lack capabilities.".to_owned());
        }
        if self.nothing_observed {
            notes.push(
                "No check was seen, which does not show that it needs no capability: watch it for \
                 longer and while it works, or from its start with `capable run`."
                    .to_owned(),
            );
        }
        notes.extend(self.limits.clone());
        let unnamed: CapabilitySet = self
            .set
            .iter()
            .filter(|capability| capability.name().is_none())
            .collect();
        for (set, sentence) in [
            (self.not_certain, "Kept to be on the safe side, try without"),
            (self.denied, "Denied and not in the set, but may be needed"),
            (
                self.could_not_tell,
                "Could not tell whether needed, not in the set",
            ),
            (self.starting_only, "Needed while starting only"),
            (
                unnamed,
                "Needed, but it has no name that could be written here",
            ),
        ] {
            if !set.is_empty() {
                notes.push(format!(
                    "{sentence}: {}.",
                    set.to_string().replace(',', ", ")
                ));
            }
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::profile::observation::tests::{denied, granted, once};
    use crate::profile::{Outcome, Run};

    #[test]
    fn the_needs_are_those_of_the_report() {
        let failed = Outcome::SyscallFailed(libc::EPERM);
        let report = Report::new(
            Run {
                command: vec!["prog".to_owned()],
                ..Run::default()
            },
            once([
                granted(Capability::NET_RAW, "inet_create", "socket"),
                granted(Capability::PERFMON, "bpf_check", "bpf"),
                denied(Capability::SYS_NICE, "can_nice", "nice", failed),
            ]),
        );
        let needs = ProgramNeeds::from_report(&report);
        assert_eq!(needs.set, "net_raw,perfmon".parse().unwrap());
        assert_eq!(needs.not_certain, Capability::PERFMON.into());
        assert_eq!(needs.denied, Capability::SYS_NICE.into());
        assert_eq!(needs.programs.len(), 1);
        assert_eq!(needs.programs[0].name, "prog");
        assert_eq!(needs.programs[0].set, needs.set);
        assert_eq!(needs.title, "prog");
    }
}
