//! Building the report from observations.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{CapabilityReport, Counts, Evidence, LeftOut, Origin, PLACES, Program, Report, Run};
use crate::capability::{Capability, CapabilitySet};
use crate::event::{Task, Verdict};
use crate::profile::observation::{Case, Observation, Outcome, Phase};
use crate::profile::rules::{self, Class, Finding, Rule, Ruling, Why};
use crate::profile::tally::Tally;
use crate::profile::words;

/// The checks of one capability with what the rules found.
type Findings = Vec<(Observation, Finding)>;

impl Report {
    /// Classifies what was observed.
    pub fn new(run: Run, observations: impl IntoIterator<Item = Observation>) -> Self {
        let tally: Tally = observations.into_iter().collect();
        let observations: Vec<Observation> = tally.into_observations().collect();
        let checks = total(observations.iter());
        let settled = run.settled
            || observations
                .iter()
                .any(|observation| observation.case.phase == Phase::Running);
        let mut found: BTreeMap<Capability, Findings> = BTreeMap::new();
        let mut left_out: IndexMap<(Rule, Why), (u64, CapabilitySet)> = IndexMap::new();
        for part in rules::split(&observations) {
            let capability = part.observation.case.facts.capability;
            match rules::judge(&part) {
                Ruling::Counts(finding) => found
                    .entry(capability)
                    .or_default()
                    .push((part.observation, finding)),
                Ruling::LeftOut { rule, why } => {
                    let (checks, capabilities) = left_out
                        .entry((rule, why))
                        .or_insert((0, CapabilitySet::EMPTY));
                    *checks += part.observation.count;
                    capabilities.insert(capability);
                }
            }
        }
        let mut unknowns = run.unknowns;
        unknowns.extend(unknowns_of(&found));
        let mut capabilities: Vec<_> = found
            .into_iter()
            .map(|(capability, findings)| capability_report(capability, &findings, settled))
            .collect();
        capabilities.sort_by_key(|report| (report.class, report.capability));
        Self {
            command: run.command,
            subject: run.subject,
            kernel: run.kernel,
            hook: run.hook,
            duration_ns: run.duration,
            checks,
            processes: run.processes,
            still_running: run.still_running,
            needed: capabilities
                .iter()
                .filter(|report| report.class == Class::Needed)
                .map(|report| report.capability)
                .collect(),
            incomplete: (!run.losses.is_empty()).then_some(run.losses),
            capabilities,
            left_out: left_out
                .into_iter()
                .map(|((rule, why), (checks, capabilities))| LeftOut {
                    checks,
                    rule,
                    why: why.to_string(),
                    capabilities,
                })
                .collect(),
            exit: run.exit,
            refusals: Vec::new(),
            more_refusals: 0,
            units: run.units,
            notes: run.notes,
            unknowns,
        }
    }
}

fn total<'a>(observations: impl Iterator<Item = &'a Observation>) -> u64 {
    observations.map(|observation| observation.count).sum()
}

fn capability_report(
    capability: Capability,
    findings: &Findings,
    settled: bool,
) -> CapabilityReport {
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
    let starting_only = settled
        && class == Class::Needed
        && of_class().all(|(observation, _)| observation.case.phase == Phase::Starting);
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
        alternative: does_as_well(of_class().filter(|_| class == Class::Needed)),
        starting_only,
        counts: counts(findings),
        programs: programs(findings.iter().map(|(observation, _)| observation)),
        places,
        more_places,
        first_ns: first(findings.iter().map(|(observation, _)| observation)),
        evidence,
    }
}

/// The wider capability that the kernel accepts at every place where this one is needed. Where one
/// of them is not known, or takes nothing else, there is none.
fn does_as_well<'a>(
    needed: impl Iterator<Item = &'a (Observation, Finding)>,
) -> Option<Capability> {
    let accepted = needed.map(|(observation, finding)| {
        let case = &observation.case;
        let place = case.place.as_ref();
        finding.alternative.or_else(|| {
            place.and_then(|place| place.always_takes_instead_of(case.facts.capability))
        })
    });
    let mut accepted = accepted.collect::<Vec<_>>().into_iter();
    let wide = accepted.next()??;
    accepted.all(|other| other == Some(wide)).then_some(wide)
}

fn first<'a>(observations: impl Iterator<Item = &'a Observation>) -> u64 {
    observations
        .map(|observation| observation.first)
        .min()
        .unwrap_or(0)
}

/// Findings with the same reason, merged; the strongest, most certain and most frequent first.
fn evidence(findings: &Findings) -> Vec<Evidence> {
    let mut groups: IndexMap<(Class, Rule, &Why), (bool, Vec<&Observation>)> = IndexMap::new();
    for (observation, finding) in findings {
        let reason = (finding.class, finding.rule, &finding.why);
        let (_, observations) = groups
            .entry(reason)
            .or_insert((finding.certain, Vec::new()));
        observations.push(observation);
    }
    let mut evidence: Vec<_> = groups
        .into_iter()
        .map(|((class, rule, why), (certain, observations))| Evidence {
            class,
            rule,
            certain,
            why: why.to_string(),
            checks: total(observations.iter().copied()),
            granted: total(
                observations
                    .iter()
                    .copied()
                    .filter(|observation| observation.case.facts.is_granted_by_bit()),
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
        let Observation { case, count, .. } = observation;
        let add = |to: &mut u64, applies: bool| *to += if applies { *count } else { 0 };
        counts.checks += count;
        match case.facts.verdict {
            Some(Verdict::Granted) => counts.granted += count,
            Some(Verdict::GrantedByOwnership | Verdict::GrantedByBoth) => {
                counts.granted_by_ownership += count;
            }
            Some(Verdict::Denied(_)) => counts.denied += count,
            None => counts.unknown += count,
        }
        add(&mut counts.starting, case.phase == Phase::Starting);
        add(&mut counts.unaudited, case.facts.audited() == Some(false));
        add(&mut counts.insetid, case.facts.insetid == Some(true));
        add(
            &mut counts.io_workers,
            case.facts.task == Some(Task::IoWorker),
        );
    }
    counts
}

fn programs<'a>(observations: impl Iterator<Item = &'a Observation>) -> Vec<Program> {
    let mut programs: BTreeMap<&str, u64> = BTreeMap::new();
    for observation in observations {
        *programs.entry(&observation.case.program).or_default() += observation.count;
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

fn places(findings: &Findings) -> Vec<Origin> {
    let mut places: BTreeMap<(Class, Option<&str>, Option<&str>), u64> = BTreeMap::new();
    for (observation, finding) in findings {
        let case = &observation.case;
        let place = (finding.class, case.caller_symbol(), case.syscall);
        *places.entry(place).or_default() += observation.count;
    }
    let mut places: Vec<_> = places
        .into_iter()
        .map(|((class, caller, syscall), checks)| Origin {
            caller: caller.map(str::to_owned),
            syscall: syscall.map(str::to_owned),
            class,
            checks,
        })
        .collect();
    places.sort_by_key(|place| (place.class, u64::MAX - place.checks));
    places
}

/// What could not be known about the checks that count, one sentence each. For checks that are
/// certainly advisory, nothing else matters.
fn unknowns_of(found: &BTreeMap<Capability, Findings>) -> Vec<String> {
    let matters = |finding: &Finding| finding.class != Class::Advisory || !finding.certain;
    let observations: Vec<&Observation> = found
        .values()
        .flatten()
        .filter(|(_, finding)| matters(finding))
        .map(|(observation, _)| observation)
        .collect();
    let sentence = |unknown: fn(&Case) -> bool, what: &str| {
        let unknown = observations
            .iter()
            .filter(|observation| unknown(&observation.case));
        let count = total(unknown.copied());
        (count > 0).then(|| format!("{} {what}", words::checks(count)))
    };
    [
        sentence(
            |case| case.facts.verdict.is_none(),
            "without a known result: their class errs on the safe side",
        ),
        sentence(
            |case| case.caller_symbol().is_none(),
            "by kernel functions that are not known: advisory ones may count as needs",
        ),
        sentence(
            |case| case.facts.is_denied() && case.outcome == Outcome::Unknown,
            "denied in calls whose outcome was not observed: whether they mattered is not known",
        ),
        sentence(
            |case| case.target_is_home.is_none(),
            "over a user namespace that is not known: assumed to be the initial one",
        ),
        sentence(
            |case| case.facts.owner.is_none(),
            "of credentials whose owner is not known: assumed to be the program's own",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests;
