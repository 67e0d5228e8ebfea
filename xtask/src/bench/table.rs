//! The figures of a kernel as a table.

use super::cases;
use super::figure::{Figures, HOST};
use super::host::RATIO;
use super::measure::{BURST, IDLE, LOST, MEMORY, NOTHING, SIZE, START};

/// A table with its headings, the first column on the left.
pub struct Table {
    /// The headings.
    pub head: Vec<String>,
    /// The cells of each row.
    pub rows: Vec<Vec<String>>,
}

/// What each tracer adds to each check, in instructions of the whole system.
pub fn instructions(report: &Figures) -> Table {
    let mut head = vec!["added per check".to_owned()];
    head.extend(cases::PER_CHECK.map(str::to_owned));
    let rows = subjects(report, |subject| {
        let cells = cases::PER_CHECK.map(|measure| {
            let value = added(report, subject, measure);
            match (value, loses(report, subject, measure)) {
                // Lost checks cost nothing, so the figure is too low.
                (Some(value), true) => format!("{value:.0}*"),
                (Some(value), _) => format!("{value:.0}"),
                (None, _) => "-".into(),
            }
        });
        cells.to_vec()
    });
    Table { head, rows }
}

/// The other measurements.
pub fn others(report: &Figures) -> Table {
    let head = [
        "",
        "exec to attached, ms",
        "peak memory, KiB",
        "program and libraries, KiB",
        "switches/s when idle",
        "lost at full rate, %",
        "burst: rows",
        "lost, as said",
        "not accounted for",
    ];
    let rows = subjects(report, |subject| {
        let cell = |measure, digits: usize| match report.value(subject, measure) {
            Some(value) => format!("{value:.digits$}"),
            None => "-".into(),
        };
        let burst = report.find(subject, BURST);
        let lost = burst.and_then(|figure| figure.lost);
        let missing = burst.and_then(|figure| {
            Some(super::measure::BURST_TOTAL as f64 - figure.value? - figure.lost? as f64)
        });
        vec![
            cell(START, 1),
            cell(MEMORY, 0),
            cell(SIZE, 0),
            cell(IDLE, 1),
            cell(LOST, 1),
            cell(BURST, 0),
            lost.map_or("-".into(), |lost| lost.to_string()),
            missing.map_or("-".into(), |missing| format!("{missing:.0}")),
        ]
    });
    Table {
        head: head.map(str::to_owned).to_vec(),
        rows,
    }
}

/// What was measured on this machine: how many times as long the load takes when it is traced.
pub fn ratios(report: &Figures) -> Table {
    let head = ["capable", "the load takes"].map(str::to_owned).to_vec();
    let mut rows = Vec::new();
    for figure in &report.figures {
        if let Some(what) = figure.measure.strip_prefix(RATIO) {
            let ratio = figure
                .value
                .map_or("-".into(), |value| format!("{value:.2} times as long"));
            rows.push(vec![what.to_owned(), ratio]);
        }
    }
    if let Some(time) = report.value("capable", START) {
        rows.push(vec!["exec to attached".into(), format!("{time:.0} ms")]);
    }
    Table { head, rows }
}

/// All tables as plain text.
pub fn text(report: &Figures) -> String {
    if report.row == HOST {
        return format!("Linux {}\n{}", report.kernel, aligned(&ratios(report)));
    }
    let base = cases::LOADS
        .map(|measure| match report.value(NOTHING, measure) {
            Some(value) => format!("{value:.0} ({measure})"),
            None => format!("- ({measure})"),
        })
        .join(", ");
    let goals = super::goals::table(report);
    format!(
        "Linux {}\nInstructions per check with {NOTHING}: {base}\n\n{}\n{}\n{}",
        report.kernel,
        aligned(&instructions(report)),
        aligned(&others(report)),
        aligned(&goals)
    )
}

/// Whether a tracer lost checks while it was measured, if known.
pub fn loses(report: &Figures, subject: &str, measure: &str) -> bool {
    let said = report.find(subject, measure).and_then(|figure| figure.lost);
    // bpftrace reports losses among its rows, which go to /dev/null here; there, another run tells.
    let seen = report
        .value(subject, LOST)
        .filter(|_| measure == cases::ROWS);
    said.is_some_and(|lost| lost > 0) || seen.is_some_and(|share| share > 0.1)
}

/// Instructions that a tracer adds to a check.
pub fn added(report: &Figures, subject: &str, measure: &str) -> Option<f64> {
    let base = report.value(NOTHING, cases::load_named(measure))?;
    Some(report.value(subject, measure)? - base)
}

/// The rows with at least one meaningful cell.
fn subjects(report: &Figures, cells: impl Fn(&str) -> Vec<String>) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for subject in report.subjects() {
        let cells = cells(subject);
        if subject != NOTHING && cells.iter().any(|cell| cell != "-") {
            rows.push([vec![subject.to_owned()], cells].concat());
        }
    }
    rows
}

fn aligned(table: &Table) -> String {
    let lines = || std::iter::once(&table.head).chain(&table.rows);
    let widths: Vec<usize> = (0..table.head.len())
        .map(|column| lines().map(|line| line[column].len()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in lines() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            if column == 0 {
                text += &format!("{cell:width$}");
            } else {
                text += &format!("  {cell:>width$}");
            }
        }
        text = text.trim_end().to_owned() + "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::figure::Figure;
    use super::*;

    #[test]
    fn what_a_tracer_adds_is_shown_and_marked_where_it_lost_checks() {
        let mut report = Figures::new("6.1", "6.1.0", false);
        report.figures = vec![
            Figure::new(NOTHING, cases::ROWS, 2600.0),
            Figure::new("quick", cases::ROWS, 3600.0),
            Figure::new("lossy", cases::ROWS, 3000.0),
            Figure::new("lossy", LOST, 12.5),
            Figure::missing("absent", cases::ROWS, "it ended"),
        ];
        let table = instructions(&report);
        let cell = |row: usize| (table.rows[row][0].as_str(), table.rows[row][1].as_str());
        assert_eq!(cell(0), ("quick", "1000"));
        assert_eq!(cell(1), ("lossy", "400*"));
        assert_eq!(table.rows.len(), 2);
    }
}
