//! What a report says about how it was made: hook and kernel, what was lost, what was not known.

use std::fs;

use crate::{
    profile::{FollowedUnit, ReportedLoss, Run},
    session::{self, Followed, LossEffect, Losses, Session},
};

/// How the checks were seen, and what was missed.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The hook.
    hook: String,
    /// What cannot be known, one sentence each.
    unknowns: Vec<String>,
    /// What else is worth knowing, one sentence each.
    notes: Vec<String>,
    /// What was lost.
    losses: Vec<ReportedLoss>,
    /// The units that were followed.
    units: Vec<FollowedUnit>,
}

impl Account {
    /// What is known before the first check.
    pub fn new<T>(session: &Session<T>, gaps: &[String]) -> Self {
        let plan = session.plan();
        let mut unknowns: Vec<String> = plan
            .unknown
            .iter()
            .map(|unknown| format!("{}: {}", unknown.what, unknown.lack.reason))
            .collect();
        unknowns.extend(gaps.iter().chain(session.gaps()).cloned());
        Self {
            hook: plan.hook.to_string(),
            unknowns,
            notes: Vec::new(),
            losses: Vec::new(),
            units: Vec::new(),
        }
    }

    /// Adds a sentence on what cannot be known.
    pub fn unknown(&mut self, sentence: String) {
        self.unknowns.push(sentence);
    }

    /// Adds a sentence on what else is worth knowing.
    pub fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Adds what was lost: missing checks make the report incomplete; anything else is listed as
    /// unknown.
    pub fn settle(&mut self, losses: &Losses) {
        for loss in losses.iter() {
            match loss.cause.effect() {
                LossEffect::Missing => self.losses.push(as_reported(loss)),
                LossEffect::Unknown => self.unknown(loss.to_string()),
            }
        }
    }

    /// Adds what was seen of the units that were named.
    pub fn followed(&mut self, followed: Vec<Followed>) {
        for unit in followed {
            if unit.existed == 0 || unit.made > 0 {
                self.note(unit.to_string());
            }
            self.units.push(FollowedUnit {
                restarts: unit.restarts(),
                name: unit.name,
                running: unit.existed,
                started: unit.made,
            });
        }
    }

    /// In the form that a report takes.
    pub fn into_run(self) -> Run {
        Run {
            kernel: kernel_release(),
            hook: Some(self.hook),
            losses: self.losses,
            units: self.units,
            notes: self.notes,
            unknowns: self.unknowns,
            ..Run::default()
        }
    }
}

/// A loss in the words of a report.
fn as_reported(loss: session::Loss) -> ReportedLoss {
    let why = loss.cause.why();
    ReportedLoss {
        cause: match loss.cause.remedy() {
            Some(remedy) => format!("{why} ({remedy})"),
            None => why.to_owned(),
        },
        lost: loss.count,
    }
}

/// The release of the running kernel, as uname(2) gives it.
pub fn kernel_release() -> Option<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(release.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{profile::Report, session::every_cause};

    #[test]
    fn a_report_names_every_loss_and_is_incomplete_by_those_that_lack_checks() {
        let mut account = Account::default();
        account.settle(&every_cause());
        let report = Report::new(account.into_run(), []);
        let missing = every_cause()
            .iter()
            .filter(|loss| loss.cause.effect() == LossEffect::Missing)
            .count();
        assert_eq!(report.incomplete.as_ref().map(Vec::len), Some(missing));
        let text = report.text();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for loss in every_cause().iter() {
            let why = loss.cause.why();
            assert!(words(&text).contains(why), "{why}: {text}");
        }
    }
}
