//! What a report says of how it was made: hook and kernel, what was lost, what was not known.

use std::fs;

use capable_common::Counters;

use crate::{
    profile::{Run, report::Loss},
    session::{Missed, Session, Summary},
};

/// How the checks were seen, and what of them was not.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The hook.
    hook: String,
    /// What cannot be known, a sentence each.
    unknowns: Vec<String>,
    /// What else there is to know, a sentence each.
    notes: Vec<String>,
    /// What was lost.
    losses: Vec<Loss>,
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
        }
    }

    /// Adds a sentence on what cannot be known.
    pub fn unknown(&mut self, sentence: String) {
        self.unknowns.push(sentence);
    }

    /// Adds a sentence on what else there is to know.
    pub fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Adds what the kernel side and the kernel counted.
    pub fn settle(&mut self, happened: &Summary) {
        let Summary {
            counters, missed, ..
        } = *happened;
        self.losses.extend(losses(&counters, missed));
        if counters.lost_stacks > 0 {
            self.unknown(format!(
                "{} stacks could not be captured: who asked is not known",
                counters.lost_stacks
            ));
        }
        if missed.outcomes > 0 {
            self.unknown(format!(
                "the kernel skipped the ends of {} system calls, of any program: how those went on in \
                 which a check was denied is not known",
                missed.outcomes
            ));
        }
        if missed.uncounted {
            self.unknown("this kernel does not count the checks that it skips".to_owned());
        }
    }

    /// As a report takes it.
    pub fn into_run(self) -> Run {
        Run {
            kernel: kernel_release(),
            hook: Some(self.hook),
            losses: self.losses,
            notes: self.notes,
            unknowns: self.unknowns,
            ..Run::default()
        }
    }
}

/// Everything that was lost, by cause.
fn losses(counters: &Counters, missed: Missed) -> Vec<Loss> {
    [
        (
            counters.lost_full,
            "the buffer was full (try --buffer-size)",
        ),
        (
            counters.lost_life,
            "the buffer was full for forks, executions and results (try --buffer-size)",
        ),
        (counters.lost_pairs, "the return of a check was missed"),
        (
            counters.lost_counts,
            "the table of counts was full (try --table-size)",
        ),
        (counters.lost_processes, "the table of processes was full"),
        (
            missed.checks,
            "the kernel skipped the hook, for this or other programs",
        ),
    ]
    .into_iter()
    .filter(|(lost, _)| *lost > 0)
    .map(|(lost, cause)| Loss {
        cause: cause.to_owned(),
        lost: Some(lost),
    })
    .collect()
}

/// The release of the running kernel, as uname(2) gives it.
fn kernel_release() -> Option<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(release.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_makes_the_report_incomplete_and_says_its_cause() {
        let counters = Counters {
            lost_full: 1,
            lost_life: 2,
            lost_pairs: 3,
            lost_counts: 4,
            lost_processes: 5,
            ..Counters::default()
        };
        let missed = Missed {
            checks: 6,
            outcomes: 7,
            uncounted: false,
        };
        let lost: Vec<_> = losses(&counters, missed)
            .into_iter()
            .map(|loss| loss.lost)
            .collect();
        assert_eq!(lost, [1, 2, 3, 4, 5, 6].map(Some));
        assert!(losses(&Counters::default(), Missed::default()).is_empty());
    }
}
