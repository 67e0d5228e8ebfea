//! The report as Markdown, for a web page or a comment on a pull request.

use super::text::{counts, first, places, programs};
use super::{CapabilityReport, Report};
use crate::capability::CapabilitySet;
use crate::profile::words::{by_processes, checks, harmless, losses, shortened, time};

/// The report as Markdown, ending in a newline.
pub fn markdown(report: &Report) -> String {
    let mut out = format!(
        "# Capabilities of {}\n\n",
        code(&shortened(&report.title()))
    );
    if let Some(lost) = &report.incomplete {
        out.push_str(&format!(
            "> **Incomplete**: the set may lack capabilities, because something was lost: \
             {}.\n\n",
            escaped(&losses(lost))
        ));
    }
    out.push_str(&format!("{}.\n", answer(report)));
    // What still runs is in the answer already, and in a note.
    if let Some(limits) = report.limits().filter(|_| report.is_profile()) {
        out.push_str(&format!("{limits}\n"));
    }
    if !report.capabilities.is_empty() {
        out.push_str("\n| capability | class | checks | asked by | from | first after | why |\n");
        out.push_str("|---|---|---|---|---|---|---|\n");
        for each in &report.capabilities {
            row(&mut out, each);
        }
    }
    items(
        &mut out,
        "Left out",
        report.left_out.iter().map(|each| {
            format!(
                "{} {} ({})",
                checks(each.checks),
                escaped(&each.why),
                names(each.capabilities)
            )
        }),
    );
    items(
        &mut out,
        "Notes",
        report.notes.iter().map(|each| escaped(each)),
    );
    items(
        &mut out,
        "Not known",
        report.unknowns.iter().map(|each| escaped(each)),
    );
    footer(&mut out, report);
    out
}

/// The answer as a sentence of its own, without the full stop.
fn answer(report: &Report) -> String {
    let clause = super::answer::answer(report, names);
    match clause.strip_prefix("in ") {
        Some(rest) => format!("In {rest}"),
        None => format!("It {clause}"),
    }
}

fn row(out: &mut String, report: &CapabilityReport) {
    let certain = if report.certain { "" } else { " (not certain)" };
    let alternative = report
        .alternative
        .map(|alternative| format!("; {} is accepted too", code(&alternative.to_string())));
    out.push_str(&format!(
        "| {} | {}{certain} | {} | {} | {} | {} | {}{} |\n",
        code(&report.capability.to_string()),
        report.class.title(),
        counts(report),
        escaped(&programs(report)),
        escaped(&places(report)),
        time(first(report)),
        escaped(&report.why),
        alternative.unwrap_or_default(),
    ));
}

fn items(out: &mut String, title: &str, items: impl Iterator<Item = String>) {
    for (index, item) in items.enumerate() {
        if index == 0 {
            out.push_str(&format!("\n{title}:\n\n"));
        }
        out.push_str(&format!("- {item}.\n"));
    }
}

fn footer(out: &mut String, report: &Report) {
    let lost = match report.incomplete {
        None => "nothing was lost",
        Some(_) => "**incomplete**, see above",
    };
    let kernel = report
        .kernel
        .as_ref()
        .map(|kernel| format!(" Linux {}.", escaped(kernel)));
    let hook = report
        .hook
        .as_ref()
        .map(|hook| format!(" Hook: {}.", escaped(hook)));
    out.push_str(&format!(
        "\n{}{} in {}; {lost}.{}{}\n",
        checks(report.checks),
        by_processes(report.processes),
        time(report.duration_ns),
        kernel.unwrap_or_default(),
        hook.unwrap_or_default()
    ));
}

fn names(set: CapabilitySet) -> String {
    let names: Vec<_> = set
        .iter()
        .map(|capability| code(&capability.to_string()))
        .collect();
    names.join(", ")
}

/// A code span that nothing in the text can end.
fn code(text: &str) -> String {
    format!("`{}`", harmless(text).replace('`', "'").replace('|', "\\|"))
}

/// Text in which nothing is taken as markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in harmless(text).chars() {
        if matches!(
            character,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#'
        ) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::varied;
    use super::*;
    use crate::capability::Capability;
    use crate::profile::Run;
    use crate::profile::observation::tests::{granted, once};

    #[test]
    fn each_capability_is_a_row_of_the_table() {
        let report = varied();
        let text = markdown(&report);
        let rows = text.lines().filter(|line| line.starts_with("| `CAP_"));
        assert_eq!(rows.count(), report.capabilities.len());
        assert!(
            text.contains("It needs `CAP_NET_RAW`, `CAP_SYS_ADMIN`."),
            "{text}"
        );
        for line in text.lines().filter(|line| line.starts_with('|')) {
            let cells = line.replace("\\|", "").matches('|').count();
            assert_eq!(cells, 8, "{line}");
        }
    }

    #[test]
    fn a_name_cannot_become_markup() {
        let check = granted(Capability::CHOWN, "<script>|", "chown");
        let report = Report::new(
            Run {
                command: vec!["a`b|c".to_owned()],
                ..Run::default()
            },
            once([check]),
        );
        let text = markdown(&report);
        assert!(text.contains("# Capabilities of `'a'b\\|c'`"), "{text}");
        assert!(text.contains("\\<script\\>\\|"), "{text}");
    }
}
