//! The report for a terminal of 80 columns: the answer first, then why.

use super::{CapabilityReport, Evidence, Origin, Report, ReportedLoss};
use crate::capability::CapabilitySet;
use crate::profile::rules::{Class, Rule};
use crate::profile::words::{by_processes, checks, harmless, list, losses, shortened, time, wrap};

/// The width that the text is made for.
const WIDTH: usize = 80;

/// The classes in the order of the report.
const CLASSES: [Class; 5] = [
    Class::Needed,
    Class::Denied,
    Class::CouldNotTell,
    Class::AskedNotNeeded,
    Class::Advisory,
];

/// The report as text, ending in a newline.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    if let Some(losses) = &report.incomplete {
        incomplete(&mut out, losses);
    }
    answer(&mut out, report);
    for class in CLASSES {
        section(&mut out, report, class);
    }
    left_out(&mut out, report);
    sentences(&mut out, "Notes", &report.notes);
    sentences(&mut out, "Not known", &report.unknowns);
    footer(&mut out, report);
    out
}

fn line(out: &mut String, text: &str) {
    wrap(out, "", "  ", WIDTH, text);
}

fn incomplete(out: &mut String, lost: &[ReportedLoss]) {
    let text = format!(
        "INCOMPLETE: the set may lack capabilities, because something was lost: {}.",
        losses(lost)
    );
    wrap(out, "", "  ", WIDTH, &text);
    out.push('\n');
}

fn names(set: CapabilitySet) -> String {
    let names: Vec<_> = set
        .iter()
        .map(|capability| capability.to_string())
        .collect();
    names.join(", ")
}

fn answer(out: &mut String, report: &Report) {
    let title = shortened(&report.title());
    let answer = super::answer::answer(report, names);
    line(out, &format!("{title}: {answer}."));
    // What still runs is in the answer already, and in a note.
    if let Some(limits) = report.limits().filter(|_| report.is_profile()) {
        line(out, &limits);
    }
    for (class, sentence) in [
        (Class::Denied, "Denied, and may be needed:"),
        (Class::CouldNotTell, "Could not tell whether needed:"),
    ] {
        let set = report.of_class(class);
        if !set.is_empty() {
            line(out, &format!("{sentence} {}.", names(set)));
        }
    }
}

fn section(out: &mut String, report: &Report, class: Class) {
    let mut reports = report
        .capabilities
        .iter()
        .filter(|each| each.class == class)
        .peekable();
    if reports.peek().is_none() {
        return;
    }
    out.push('\n');
    let mut title = class.title().to_owned();
    title[..1].make_ascii_uppercase();
    line(out, &title);
    for each in reports {
        capability(out, each);
    }
}

fn capability(out: &mut String, report: &CapabilityReport) {
    let head = format!(
        "{}: {}{}",
        report.capability,
        counts(report),
        if report.certain { "" } else { "; not certain" }
    );
    wrap(out, "  ", "    ", WIDTH, &head);
    let mut why = report.why.clone();
    if let Some(alternative) = report.alternative {
        why.push_str(&format!("; {alternative} is accepted too"));
    }
    sentence(out, &why);
    let places = match places(report) {
        places if places.is_empty() => places,
        places => format!(", in {places}"),
    };
    let asked = format!(
        "asked for by {}, first after {}{places}",
        programs(report),
        time(first(report)),
    );
    sentence(out, &asked);
    let mut said: Vec<(Class, Rule)> = Vec::new();
    for evidence in &report.evidence {
        // Findings that differ only in the place are already in the list of places.
        let kind = (evidence.class, evidence.rule);
        if !said.is_empty() && !said.contains(&kind) {
            other(out, report, evidence);
        }
        said.push(kind);
    }
}

fn sentence(out: &mut String, text: &str) {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    wrap(out, "    ", "    ", WIDTH, &format!("{text}."));
}

/// What another rule found about the same capability.
fn other(out: &mut String, report: &CapabilityReport, evidence: &Evidence) {
    let alike = |other: &&Evidence| other.class == evidence.class && other.rule == evidence.rule;
    let count: u64 = report
        .evidence
        .iter()
        .filter(alike)
        .map(|each| each.checks)
        .sum();
    let checks = checks(count);
    let which = match evidence.class == report.class {
        true => format!("also {checks}"),
        false => format!("{}, {checks}", evidence.class.title()),
    };
    let text = format!("{which}: {}", evidence.why);
    wrap(out, "    - ", "      ", WIDTH, &format!("{text}."));
}

/// How often it was asked for, by result.
pub(super) fn counts(report: &CapabilityReport) -> String {
    let counts = &report.counts;
    if counts.checks == 0 {
        return "never asked for".to_owned();
    }
    let parts: Vec<_> = [
        (counts.granted, "granted"),
        (counts.granted_by_ownership, "granted by ownership"),
        (counts.denied, "denied"),
        (counts.unknown, "asked"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| match count {
        1 => format!("{what} once"),
        2 => format!("{what} twice"),
        _ => format!("{what} {count} times"),
    })
    .collect();
    let mut text = list(&parts);
    if counts.io_workers > 0 {
        text.push_str(&format!(" ({} by io_uring)", counts.io_workers));
    }
    text
}

/// The findings that decided the class.
fn deciding(report: &CapabilityReport) -> impl Iterator<Item = &Evidence> {
    let class = report.class;
    report
        .evidence
        .iter()
        .filter(move |evidence| evidence.class == class)
}

/// The time of the first check in this class.
pub(super) fn first(report: &CapabilityReport) -> u64 {
    deciding(report)
        .map(|evidence| evidence.first_ns)
        .min()
        .unwrap_or(report.first_ns)
}

/// How many programs are named; the rest are only counted.
const PROGRAMS: usize = 3;

/// The programs that made the checks in this class.
pub(super) fn programs(report: &CapabilityReport) -> String {
    let mut names: Vec<String> = Vec::new();
    for program in deciding(report).flat_map(|evidence| &evidence.programs) {
        let name = harmless(program);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(PROGRAMS);
    names.truncate(PROGRAMS);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    list(&names)
}

/// Where the checks in this class were made; empty if that is not known.
pub(super) fn places(report: &CapabilityReport) -> String {
    let deciding = report.places.iter().filter(|it| it.class == report.class);
    let places: Vec<_> = deciding.filter_map(place).collect();
    if places.is_empty() {
        return String::new();
    }
    let more = match report.more_places {
        0 => String::new(),
        more => format!(" and {more} more places"),
    };
    format!("{}{more}", places.join(", "))
}

/// `caller (syscall) 12×`
fn place(place: &Origin) -> Option<String> {
    let name = match (&place.caller, &place.syscall) {
        (Some(caller), Some(syscall)) => format!("{} ({})", harmless(caller), harmless(syscall)),
        (Some(only), None) | (None, Some(only)) => harmless(only),
        (None, None) => return None,
    };
    Some(match place.checks {
        0 | 1 => name,
        count => format!("{name} {}×", count),
    })
}

fn left_out(out: &mut String, report: &Report) {
    if report.left_out.is_empty() {
        return;
    }
    out.push('\n');
    line(out, "Left out");
    for each in &report.left_out {
        let text = format!(
            "{} {} ({}).",
            checks(each.checks),
            each.why,
            names(each.capabilities)
        );
        wrap(out, "  ", "    ", WIDTH, &text);
    }
}

fn sentences(out: &mut String, title: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    out.push('\n');
    line(out, title);
    for each in sentences {
        wrap(out, "  ", "    ", WIDTH, &format!("{}.", harmless(each)));
    }
}

fn footer(out: &mut String, report: &Report) {
    out.push('\n');
    let seen = match report.incomplete {
        None => "",
        Some(_) => " were seen",
    };
    let lost = match report.incomplete {
        None => "nothing was lost",
        Some(_) => "INCOMPLETE, see above",
    };
    let text = format!(
        "{}{}{seen} in {}; {lost}.",
        checks(report.checks),
        by_processes(report.processes),
        time(report.duration_ns),
    );
    line(out, &text);
    let kernel = report
        .kernel
        .as_ref()
        .map(|kernel| format!("Linux {kernel}"));
    let hook = report.hook.as_ref().map(|hook| format!("hook: {hook}"));
    let by: Vec<_> = kernel.into_iter().chain(hook).collect();
    if !by.is_empty() {
        line(out, &harmless(&format!("{}.", by.join(", "))));
    }
}

#[cfg(test)]
pub(crate) mod tests;
