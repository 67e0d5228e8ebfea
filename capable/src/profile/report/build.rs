//! Building the report from observations.

use std::collections::BTreeMap;

use super::{CapabilityReport, Counts, Evidence, LeftOut, PLACES, Place, Program, Report, Run};
use crate::capability::{Capability, CapabilitySet};
use crate::event::{Task, Verdict};
use crate::profile::observation::{self, Observation, Outcome, Phase};
use crate::profile::rules::{self, Class, Finding, Ruling};
use crate::profile::words;

/// The checks of one capability with what the rules found.
type Findings = Vec<(Observation, Finding)>;

impl Report {
    /// Classes what was observed.
    pub fn new(run: Run, observations: impl IntoIterator<Item = Observation>) -> Self {
        let observations = observation::merge(observations);
        let checks = total(observations.iter());
        let mut unknowns = run.unknowns;
        unknowns.extend(unknowns_of(&observations));
        let mut found: BTreeMap<Capability, Findings> = BTreeMap::new();
        let mut left_out: Vec<LeftOut> = Vec::new();
        for part in rules::split(&observations) {
            match rules::judge(&part) {
                Ruling::Counts(finding) => found
                    .entry(part.observation.capability)
                    .or_default()
                    .push((part.observation, finding)),
                Ruling::LeftOut { rule, why } => {
                    let place = left_out.iter().position(|line| line.why == why);
                    let place = place.unwrap_or_else(|| {
                        left_out.push(LeftOut {
                            checks: 0,
                            rule,
                            why,
                            capabilities: CapabilitySet::EMPTY,
                        });
                        left_out.len() - 1
                    });
                    left_out[place].checks += part.observation.count;
                    left_out[place]
                        .capabilities
                        .insert(part.observation.capability);
                }
            }
        }
        let mut capabilities: Vec<_> = found
            .into_iter()
            .map(|(capability, findings)| capability_report(capability, &findings))
            .collect();
        capabilities.sort_by_key(|report| (report.class, report.capability));
        Self {
            version: super::VERSION,
            command: run.command,
            subject: run.subject,
            kernel: run.kernel,
            hook: run.hook,
            duration_ns: run.duration,
            checks,
            needed: capabilities
                .iter()
                .filter(|report| report.class == Class::Needed)
                .map(|report| report.capability)
                .collect(),
            incomplete: (!run.losses.is_empty()).then_some(run.losses),
            capabilities,
            left_out,
            unknowns,
        }
    }
}

fn total<'a>(observations: impl Iterator<Item = &'a Observation>) -> u64 {
    observations.map(|observation| observation.count).sum()
}

fn capability_report(capability: Capability, findings: &Findings) -> CapabilityReport {
    let evidence = evidence(findings);
    let class = evidence
        .first()
        .map_or(Class::CouldNotTell, |strongest| strongest.class);
    let of_class = || {
        findings
            .iter()
            .filter(move |(_, finding)| finding.class == class)
    };
    let certain = of_class().any(|(_, finding)| finding.certain);
    let starting_only = class == Class::Needed
        && of_class().all(|(observation, _)| observation.phase == Phase::Starting);
    let mut why = evidence
        .first()
        .map_or_else(String::new, |strongest| strongest.why.clone());
    if starting_only {
        why.push_str("; only while starting, so it could be dropped after that");
    }
    let mut places = places(findings);
    let more_places = places.len().saturating_sub(PLACES) as u64;
    places.truncate(PLACES);
    CapabilityReport {
        capability,
        class,
        certain,
        why,
        alternative: of_class()
            .find_map(|(_, finding)| finding.alternative)
            .or_else(|| capability.wider().filter(|_| class == Class::Needed)),
        starting_only,
        counts: counts(findings),
        programs: programs(findings.iter().map(|(observation, _)| observation)),
        places,
        more_places,
        first_ns: first(findings.iter().map(|(observation, _)| observation)),
        evidence,
    }
}

fn first<'a>(observations: impl Iterator<Item = &'a Observation>) -> u64 {
    observations
        .map(|observation| observation.first)
        .min()
        .unwrap_or(0)
}

/// Findings with the same sentence, together; the strongest, most certain and busiest first.
fn evidence(findings: &Findings) -> Vec<Evidence> {
    let mut groups: Vec<(&Finding, Vec<&Observation>)> = Vec::new();
    for (observation, finding) in findings {
        let same = |(other, _): &&mut (&Finding, _)| {
            other.class == finding.class && other.rule == finding.rule && other.why == finding.why
        };
        match groups.iter_mut().find(same) {
            Some((_, observations)) => observations.push(observation),
            None => groups.push((finding, vec![observation])),
        }
    }
    let mut evidence: Vec<_> = groups
        .into_iter()
        .map(|(finding, observations)| Evidence {
            class: finding.class,
            rule: finding.rule,
            certain: finding.certain,
            why: finding.why.clone(),
            checks: total(observations.iter().copied()),
            granted: total(
                observations
                    .iter()
                    .copied()
                    .filter(|observation| observation.is_granted_by_bit()),
            ),
            programs: programs(observations.iter().copied())
                .into_iter()
                .map(|program| program.name)
                .collect(),
            first_ns: first(observations.iter().copied()),
        })
        .collect();
    evidence.sort_by_key(|line| (line.class, !line.certain, u64::MAX - line.checks));
    evidence
}

fn counts(findings: &Findings) -> Counts {
    let mut counts = Counts::default();
    for (observation, _) in findings {
        let count = observation.count;
        let add = |to: &mut u64, applies: bool| *to += if applies { count } else { 0 };
        counts.checks += count;
        match observation.verdict {
            Some(Verdict::Granted) => counts.granted += count,
            Some(Verdict::GrantedByOwnership) => counts.granted_by_ownership += count,
            Some(Verdict::Denied(_)) => counts.denied += count,
            None => counts.unknown += count,
        }
        add(&mut counts.starting, observation.phase == Phase::Starting);
        add(&mut counts.unaudited, observation.audited == Some(false));
        add(&mut counts.insetid, observation.insetid == Some(true));
        add(
            &mut counts.io_workers,
            observation.task == Some(Task::IoWorker),
        );
    }
    counts
}

fn programs<'a>(observations: impl Iterator<Item = &'a Observation>) -> Vec<Program> {
    let mut programs: BTreeMap<&str, u64> = BTreeMap::new();
    for observation in observations {
        *programs.entry(&observation.program).or_default() += observation.count;
    }
    let mut programs: Vec<_> = programs
        .into_iter()
        .map(|(name, checks)| Program {
            name: name.to_owned(),
            checks,
        })
        .collect();
    programs.sort_by_key(|program| u64::MAX - program.checks);
    programs
}

fn places(findings: &Findings) -> Vec<Place> {
    let mut places: BTreeMap<(Class, Option<&str>, Option<&str>), u64> = BTreeMap::new();
    for (observation, finding) in findings {
        let caller = observation.caller_symbol();
        let place = (finding.class, caller, observation.syscall.as_deref());
        *places.entry(place).or_default() += observation.count;
    }
    let mut places: Vec<_> = places
        .into_iter()
        .map(|((class, caller, syscall), checks)| Place {
            caller: caller.map(str::to_owned),
            syscall: syscall.map(str::to_owned),
            class,
            checks,
        })
        .collect();
    places.sort_by_key(|place| (place.class, u64::MAX - place.checks));
    places
}

/// What could not be known of some checks, a sentence each.
fn unknowns_of(observations: &[Observation]) -> Vec<String> {
    let sentence = |unknown: fn(&Observation) -> bool, what: &str| {
        let count = total(
            observations
                .iter()
                .filter(|observation| unknown(observation)),
        );
        (count > 0).then(|| format!("{} {what}", words::checks(count)))
    };
    [
        sentence(
            |check| check.verdict.is_none(),
            "whose result is not known: the class errs on the safe side",
        ),
        sentence(
            |check| check.caller_symbol().is_none(),
            "of which no function is known that asked: advisory ones may count as needs",
        ),
        sentence(
            |check| check.is_denied() && check.outcome == Outcome::Unknown,
            "denied in calls whose end was not seen: whether they mattered is not known",
        ),
        sentence(
            |check| check.target.is_none(),
            "of which the user namespace is not known: it was taken for the initial one",
        ),
        sentence(
            |check| check.owner.is_none(),
            "of which it is not known whose credentials they were: taken for the program's own",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::observation::tests::{denied, granted};
    use crate::profile::report::Loss;

    fn report(observations: Vec<Observation>) -> Report {
        Report::new(Run::default(), observations)
    }

    fn times(count: u64, observation: Observation) -> Observation {
        Observation {
            count,
            ..observation
        }
    }

    #[test]
    fn the_needed_set_is_the_answer_and_the_noise_is_named() {
        let mut overcommit = times(
            1_014,
            granted(
                Capability::SYS_ADMIN,
                "security_vm_enough_memory_mm",
                "mmap",
            ),
        );
        overcommit.audited = Some(false);
        let report = report(vec![
            overcommit,
            granted(Capability::NET_RAW, "inet_create", "socket"),
        ]);
        assert_eq!(report.needed, Capability::NET_RAW.into());
        assert_eq!(report.checks, 1_015);
        assert_eq!(
            report.of_class(Class::Advisory),
            Capability::SYS_ADMIN.into()
        );
        assert_eq!(report.capabilities[0].capability, Capability::NET_RAW);
    }

    #[test]
    fn a_capability_with_several_classes_has_the_strongest_and_shows_all() {
        let mut overcommit = times(
            9,
            granted(Capability::SYS_ADMIN, "__vm_enough_memory", "brk"),
        );
        overcommit.audited = Some(false);
        let report = report(vec![
            overcommit,
            granted(Capability::SYS_ADMIN, "path_mount", "mount"),
        ]);
        let [only] = report.capabilities.as_slice() else {
            panic!("{:?}", report.capabilities);
        };
        assert_eq!(only.class, Class::Needed);
        assert!(only.why.contains("path_mount"));
        let classes: Vec<_> = only.evidence.iter().map(|line| line.class).collect();
        assert_eq!(classes, [Class::Needed, Class::Advisory]);
        assert_eq!(only.counts.checks, 10);
        assert_eq!(only.counts.unaudited, 9);
    }

    #[test]
    fn what_is_needed_only_while_starting_is_said_so() {
        let mut bind = granted(Capability::NET_BIND_SERVICE, "__inet_bind", "bind");
        bind.phase = Phase::Starting;
        let starting = report(vec![bind.clone()]);
        assert!(starting.capabilities[0].starting_only);
        assert!(starting.capabilities[0].why.contains("only while starting"));
        let mut later = bind.clone();
        later.phase = Phase::Running;
        let both = report(vec![bind, later]);
        assert!(!both.capabilities[0].starting_only);
    }

    #[test]
    fn nothing_is_dropped_without_a_line_that_says_how_many_and_why() {
        let mut kernel = times(12, granted(Capability::SYS_ADMIN, "do_mount", "mount"));
        kernel.task = Some(Task::KernelThread);
        let mut other = kernel.clone();
        other.capability = Capability::CHOWN;
        let report = report(vec![kernel, other]);
        assert!(report.capabilities.is_empty());
        let [line] = report.left_out.as_slice() else {
            panic!("{:?}", report.left_out);
        };
        assert_eq!(line.checks, 24);
        assert_eq!(line.capabilities.len(), 2);
        assert_eq!(report.checks, 24);
    }

    #[test]
    fn every_check_is_counted_once() {
        let failed = Outcome::SyscallFailed(libc::EPERM);
        let report = report(vec![
            times(
                5,
                denied(
                    Capability::PERFMON,
                    "perf_event_open",
                    "perf_event_open",
                    failed,
                ),
            ),
            times(
                5,
                denied(
                    Capability::SYS_ADMIN,
                    "perf_event_open",
                    "perf_event_open",
                    failed,
                ),
            ),
            times(3, granted(Capability::CHOWN, "setattr_prepare", "chown")),
        ]);
        let counted: u64 = report
            .capabilities
            .iter()
            .map(|each| each.counts.checks)
            .sum();
        let left_out: u64 = report.left_out.iter().map(|line| line.checks).sum();
        assert_eq!(counted + left_out, report.checks);
        assert_eq!(report.checks, 13);
    }

    #[test]
    fn a_loss_makes_the_answer_incomplete() {
        let loss = Loss {
            cause: "ring buffer full".to_owned(),
            lost: Some(3),
        };
        let run = Run {
            losses: vec![loss.clone()],
            ..Run::default()
        };
        let report = Report::new(run, Vec::new());
        assert_eq!(report.incomplete, Some(vec![loss]));
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut check = times(4, granted(Capability::CHOWN, "", "chown"));
        check.verdict = None;
        let report = report(vec![check]);
        assert_eq!(report.capabilities[0].class, Class::CouldNotTell);
        assert!(report.needed.is_empty());
        assert_eq!(report.unknowns.len(), 2);
        assert!(report.unknowns[0].starts_with("4 checks whose result is not known"));
    }

    #[test]
    fn a_narrow_capability_that_was_held_has_its_alternative() {
        let report = report(vec![granted(
            Capability::PERFMON,
            "perf_event_open",
            "perf_event_open",
        )]);
        assert_eq!(
            report.capabilities[0].alternative,
            Some(Capability::SYS_ADMIN)
        );
    }

    #[test]
    fn the_busiest_places_are_listed_and_the_rest_is_counted() {
        let checks = (1..=7)
            .map(|number| {
                times(
                    number,
                    granted(Capability::CHOWN, &format!("caller_{number}"), "chown"),
                )
            })
            .collect();
        let report = report(checks);
        let places = &report.capabilities[0].places;
        assert_eq!(places.len(), PLACES);
        assert_eq!(places[0].caller.as_deref(), Some("caller_7"));
        assert_eq!(report.capabilities[0].more_places, 2);
    }

    #[test]
    fn each_program_of_the_tree_gets_its_own_needs() {
        let mut mount = granted(Capability::SYS_ADMIN, "path_mount", "mount");
        mount.program = "mount".to_owned();
        let chown = granted(Capability::CHOWN, "setattr_prepare", "chown");
        let report = report(vec![mount, chown]);
        let by_program = report.needed_by_program();
        assert!(by_program.contains(&("mount", Capability::SYS_ADMIN.into())));
        assert!(by_program.contains(&("prog", Capability::CHOWN.into())));
    }
}
