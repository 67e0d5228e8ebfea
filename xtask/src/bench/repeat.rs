//! How much the counts of two runs differ.

use super::cases::PER_CHECK;
use super::figure::Figures;
use super::table::loses;

/// One figure of two runs.
struct Difference<'a> {
    subject: &'a str,
    measure: &'a str,
    first: f64,
    second: f64,
}

impl Difference<'_> {
    /// In percent of the smaller one.
    fn percent(&self) -> f64 {
        ((self.first / self.second).max(self.second / self.first) - 1.0) * 100.0
    }
}

/// A sentence comparing the instructions per check, for the whole system, of two runs on the same
/// kernel; empty if there is no other run.
pub fn text(report: &Figures, again: &[Figures]) -> String {
    let Some(other) = again.iter().find(|other| other.row == report.row) else {
        return String::new();
    };
    let mut differences = differences(report, other);
    differences.sort_by(|one, next| next.percent().total_cmp(&one.percent()));
    let Some(most) = differences.first() else {
        return String::new();
    };
    let median = differences[differences.len() / 2].percent();
    let beyond: Vec<String> = differences
        .iter()
        .filter(|one| one.percent() > LIMIT)
        .map(|one| format!("{}, {}", one.subject, one.measure))
        .collect();
    let beyond = match &beyond[..] {
        [] => format!("none by more than {LIMIT:.0} %"),
        some => format!("by more than {LIMIT:.0} %: {}", some.join("; ")),
    };
    format!(
        "\nA second run counted {} of these too: in the whole system they differ by {median:.1} % in the median \
         and by {:.1} % at most ({}, {}: {:.0} and {:.0}), {beyond}.\n",
        differences.len(),
        most.percent(),
        most.subject,
        most.measure,
        most.first,
        most.second,
    )
}

/// How far two runs may differ, in percent.
const LIMIT: f64 = 5.0;

/// The figures that both runs counted without losing checks.
fn differences<'a>(report: &'a Figures, other: &Figures) -> Vec<Difference<'a>> {
    let counted = report
        .figures
        .iter()
        .filter(|figure| PER_CHECK.contains(&&*figure.measure));
    counted
        .filter_map(|figure| {
            let again = other.find(&figure.subject, &figure.measure)?;
            let lossless = |run| !loses(run, &figure.subject, &figure.measure);
            (lossless(report) && lossless(other)).then_some(Difference {
                subject: &figure.subject,
                measure: &figure.measure,
                first: figure.value?,
                second: again.value?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::cases::{JSON, ROWS};
    use super::super::figure::Figure;
    use super::*;

    fn report(rows: f64, json: f64) -> Figures {
        let mut report = Figures::new("6.1", "6.1.0", false);
        report.figures = vec![
            Figure::new("capable", ROWS, rows),
            Figure::new("capable", JSON, json),
        ];
        report
    }

    #[test]
    fn the_largest_difference_is_named_and_what_is_beyond_the_limit() {
        let said = text(&report(1000.0, 2000.0), &[report(1010.0, 2200.0)]);
        assert!(said.contains("counted 2 of these"), "{said}");
        assert!(said.contains("10.0 % at most (capable, JSON to a file: 2000 and 2200)"));
        assert!(said.contains("by more than 5 %: capable, JSON to a file."));
        let said = text(&report(1000.0, 2000.0), &[report(1010.0, 2000.0)]);
        assert!(said.contains("1.0 % at most"), "{said}");
        assert!(said.contains("none by more than 5 %."), "{said}");
    }

    #[test]
    fn a_kernel_that_was_measured_once_is_compared_with_nothing() {
        let mut other = report(1.0, 1.0);
        other.row = "5.10".into();
        assert_eq!(text(&report(1000.0, 2000.0), &[other]), "");
    }
}
