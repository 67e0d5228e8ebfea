//! The answer of a report: what was seen to be needed, and what that covers.

use super::{Class, FollowedUnit, Report};
use crate::capability::CapabilitySet;
use crate::profile::words::time;

/// The answer as a clause after the name of the program, without a full stop:
/// `needs CAP_CHOWN`, `in 1.0 s it asked for no capability`.
///
/// Only of a command that was seen from its start to its end can one say what it needs. Of anything
/// else, one can say what it needed while it was watched.
pub(super) fn answer(report: &Report, names: fn(CapabilitySet) -> String) -> String {
    let needed = names(report.needed);
    let none = report.needed.is_empty();
    let refused = report.was_refused();
    if report.incomplete.is_some() {
        return match none {
            true => "was not seen to need a capability".to_owned(),
            false => format!("needs at least {needed}"),
        };
    }
    if report.is_profile() {
        if report.never_ran() {
            return format!(
                "did not run in the {} that were watched",
                time(report.duration_ns)
            );
        }
        let what = match (none, report.checks) {
            (true, 0) => "asked for no capability".to_owned(),
            (true, _) if refused => "was granted nothing that it needed".to_owned(),
            (true, _) => "needed no capability".to_owned(),
            (false, _) => format!("needed {needed}"),
        };
        return format!("in {} it {what}", time(report.duration_ns));
    }
    match (none, report.checks, report.still_running.unwrap_or(0)) {
        (true, 0, 0) => "asked for no capability in this run".to_owned(),
        (true, _, 0) if refused => "was granted no capability that it needed".to_owned(),
        (true, _, 0) => "needed no capability in this run".to_owned(),
        (false, _, 0) => format!("needs {needed}"),
        (true, 0, left) => format!("asked for no capability so far, and {}", still(left)),
        (true, _, left) if refused => {
            format!(
                "was granted no capability that it needed so far, and {}",
                still(left)
            )
        }
        (true, _, left) => format!("needed no capability so far, and {}", still(left)),
        (false, _, left) => format!("needs at least {needed}, and {}", still(left)),
    }
}

fn still(left: u64) -> String {
    match left {
        1 => "1 of its processes is still running".to_owned(),
        _ => format!("{left} of its processes are still running"),
    }
}

impl Report {
    /// Whether something that was already running was watched for a while, and not a command from
    /// its start.
    pub(super) fn is_profile(&self) -> bool {
        self.command.is_empty()
    }

    /// Whether nothing of what was to be watched ran, and so nothing can be said of it.
    fn never_ran(&self) -> bool {
        let ran = |unit: &FollowedUnit| unit.running > 0 || unit.started > 0;
        self.checks == 0 && !self.units.is_empty() && !self.units.iter().any(ran)
    }

    /// What the answer does not cover, as a sentence; `None` if it covers a whole run.
    pub(crate) fn limits(&self) -> Option<String> {
        if self.is_profile() {
            let saw_starts = !self.units.is_empty() && self.units.iter().all(|one| one.started > 0);
            let example = if saw_starts {
                ""
            } else {
                ", such as at its start,"
            };
            return Some(format!(
                "Only the {} that were watched are covered: what it asks for at other times{example} \
                 is missing.",
                time(self.duration_ns)
            ));
        }
        let (what, they) = match self.still_running? {
            0 => return None,
            1 => ("1 of its processes was".to_owned(), "it"),
            left => (format!("{left} of its processes were"), "they"),
        };
        Some(format!(
            "{what} still running when this was made: what {they} asked for later is not included."
        ))
    }

    /// Whether something was refused, or it is not known whether it was, that may be needed.
    pub(crate) fn was_refused(&self) -> bool {
        [Class::Denied, Class::CouldNotTell]
            .iter()
            .any(|&class| !self.of_class(class).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::profile::observation::tests::{denied, granted, once};
    use crate::profile::report::markdown::markdown;
    use crate::profile::{Observation, Outcome, ReportedLoss, Run};

    fn profile() -> Run {
        Run {
            subject: Some("process 812 (nginx)".to_owned()),
            duration: 1_000_000_000,
            ..Run::default()
        }
    }

    fn run(still_running: u64) -> Run {
        Run {
            command: vec!["prog".to_owned()],
            still_running: Some(still_running),
            ..Run::default()
        }
    }

    fn needs() -> Vec<Observation> {
        once([granted(Capability::NET_RAW, "inet_create", "socket")])
    }

    fn refusal() -> Vec<Observation> {
        let failed = Outcome::SyscallFailed(libc::EPERM);
        once([denied(
            Capability::CHOWN,
            "setattr_prepare",
            "fchownat",
            failed,
        )])
    }

    /// A check that nobody needs granted.
    fn mapped() -> Vec<Observation> {
        let caller = "security_vm_enough_memory_mm";
        once([granted(Capability::SYS_ADMIN, caller, "mmap")])
    }

    #[test]
    fn the_answer_says_no_more_than_was_seen() {
        for (run, observed, expected) in [
            (run(0), needs(), "prog: needs CAP_NET_RAW."),
            (run(0), mapped(), "prog: needed no capability in this run."),
            (run(0), vec![], "prog: asked for no capability in this run."),
            (
                run(0),
                refusal(),
                "prog: was granted no capability that it needed.",
            ),
            (
                run(1),
                mapped(),
                "prog: needed no capability so far, and 1 of its processes is still running.",
            ),
            (
                run(1),
                vec![],
                "prog: asked for no capability so far, and 1 of its processes is still running.",
            ),
            (
                run(2),
                needs(),
                "prog: needs at least CAP_NET_RAW, and 2 of its processes are still running.",
            ),
            (
                run(2),
                refusal(),
                "prog: was granted no capability that it needed so far, and 2 of its processes are \
                 still running.",
            ),
            (
                profile(),
                needs(),
                "process 812 (nginx): in 1.0 s it needed CAP_NET_RAW.",
            ),
            (
                profile(),
                mapped(),
                "process 812 (nginx): in 1.0 s it needed no capability.",
            ),
            (
                profile(),
                vec![],
                "process 812 (nginx): in 1.0 s it asked for no capability.",
            ),
            (
                profile(),
                refusal(),
                "process 812 (nginx): in 1.0 s it was granted nothing that it needed.",
            ),
        ] {
            let text = Report::new(run, observed).text().replace("\n  ", " ");
            assert_eq!(text.lines().next(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_never_ran_is_not_said_to_have_asked_for_nothing() {
        let text = |running, started| {
            let unit = FollowedUnit {
                name: "unit a.service".to_owned(),
                running,
                started,
                restarts: Some(0),
            };
            let run = Run {
                subject: Some("unit a.service".to_owned()),
                units: vec![unit],
                ..profile()
            };
            Report::new(run, []).text()
        };
        let never = text(0, 0);
        let expected = "unit a.service: did not run in the 1.0 s that were watched.";
        assert_eq!(never.lines().next(), Some(expected), "{never}");
        for ran in [text(1, 0), text(0, 1)] {
            assert!(ran.contains("it asked for no capability"), "{ran}");
        }
    }

    #[test]
    fn a_start_that_was_seen_is_not_said_to_be_missing() {
        let started = |started| FollowedUnit {
            name: "unit a.service".to_owned(),
            running: 0,
            started,
            restarts: Some(0),
        };
        let limits = |units: &[FollowedUnit]| {
            let run = Run {
                units: units.to_vec(),
                ..profile()
            };
            Report::new(run, needs()).limits().unwrap()
        };
        let seen = limits(&[started(1)]);
        assert!(seen.ends_with("at other times is missing."), "{seen}");
        let one = limits(&[started(1), started(0)]);
        assert!(one.contains("such as at its start"), "{one}");
    }

    #[test]
    fn what_was_only_watched_for_a_while_is_said_to_be_that() {
        let sentence = "Only the 1.0 s that were watched are covered: what it asks for at \
                        other times, such as at its start, is missing.";
        let watched = Report::new(profile(), needs());
        assert!(
            watched.text().replace("\n  ", " ").contains(sentence),
            "{}",
            watched.text()
        );
        assert!(
            markdown(&watched).contains(sentence),
            "{}",
            markdown(&watched)
        );
        assert!(markdown(&watched).contains("In 1.0 s it needed `CAP_NET_RAW`.\n"));
        let whole = Report::new(run(0), needs());
        assert_eq!(whole.limits(), None);
        assert_eq!(
            Report::new(run(1), needs()).limits().as_deref(),
            Some(
                "1 of its processes was still running when this was made: what it asked for later \
                 is not included."
            )
        );
        assert!(markdown(&whole).contains("It needs `CAP_NET_RAW`.\n"));
    }

    #[test]
    fn with_a_loss_nobody_is_told_that_nothing_is_needed() {
        for run in [run(0), run(1), profile()] {
            let losses = vec![ReportedLoss {
                cause: "the buffer was full".to_owned(),
                lost: Some(1),
            }];
            let report = Report::new(Run { losses, ..run }, []);
            for text in [report.text(), report.markdown()] {
                assert!(text.contains("not seen to need a capability"), "{text}");
                assert!(!text.contains("no capability"), "{text}");
            }
        }
    }
}
