//! `capable list`: one line for every capability.

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

use super::explain::layout::{columns, wrap};
use super::print::{print, say};
use crate::capability::{Capability, Danger, last_of_running_kernel};
use crate::document::Document;

/// List every capability with its number, the kernel that introduced it, and what it allows; the
/// same as explain without arguments
#[derive(clap::Args, Debug)]
#[command(after_long_help = NOTES)]
pub struct Args {
    /// How to write it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = ListFormat::Table)]
    output: ListFormat,
}

impl Args {
    /// The options to list in this format.
    pub(super) fn new(output: ListFormat) -> Self {
        Self { output }
    }
}

/// Examples for `--help`.
const NOTES: &str = "\
Capabilities that the running kernel does not have are marked. Those that have
no name in this version of capable are listed by number.

Examples:
  capable list                           one line for every capability
  capable list -o json | jq -r .name     names only";

/// How to write the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// A line for each.
    Table,
    /// One object per line for each.
    Json,
}

/// A capability in the list.
#[derive(Serialize)]
struct Row {
    number: i32,
    /// `null` where this version has no name for the number.
    name: Option<&'static str>,
    since: Option<&'static str>,
    summary: Option<&'static str>,
    danger: Option<Danger>,
    /// `null` where the running kernel does not tell.
    in_running_kernel: Option<bool>,
}

impl Row {
    fn new(capability: Capability, last: Option<i32>) -> Self {
        let told = capability.explanation();
        Self {
            number: capability.number(),
            name: capability.name(),
            since: capability.since(),
            summary: told.map(|told| told.summary),
            danger: told.map(|told| told.danger),
            in_running_kernel: last.map(|last| capability.number() <= last),
        }
    }

    /// What the table says about it.
    fn remark(&self) -> String {
        match (self.summary, self.in_running_kernel) {
            (Some(summary), Some(false)) => format!("{summary} (not in the running kernel)"),
            (Some(summary), _) => summary.to_owned(),
            (None, _) => "not known to this version".to_owned(),
        }
    }
}

/// Lists the capabilities that have a name here, and those that the running kernel has beyond them.
///
/// # Errors
///
/// If the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let last = match last_of_running_kernel() {
        Ok(last) => Some(last),
        Err(error) => {
            say(format_args!(
                "capable: cannot tell which of these the running kernel has: {error}\n"
            ));
            None
        }
    };
    let rows = rows(last);
    let text = match args.output {
        ListFormat::Table => table(&rows, columns()),
        ListFormat::Json => {
            let lines = rows.iter().map(|row| Document::List.line(row));
            lines.collect::<Result<String, _>>()?
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Every capability that has a name or that a kernel with this last one has.
fn rows(last: Option<i32>) -> Vec<Row> {
    let named = Capability::LAST_NAMED.number();
    // A set has no bit for any beyond that, whatever a kernel may report.
    let end = last
        .unwrap_or(named)
        .clamp(named, *Capability::NUMBERS.end());
    (*Capability::NUMBERS.start()..=end)
        .map(|number| Row::new(Capability::from_number(number), last))
        .collect()
}

fn table(rows: &[Row], columns: usize) -> String {
    let mut text = line("NR", "CAPABILITY", "SINCE", "ALLOWS TO", columns);
    for row in rows {
        let name = Capability::from_number(row.number).to_string();
        text.push_str(&line(
            &row.number.to_string(),
            &name,
            row.since.unwrap_or("-"),
            &row.remark(),
            columns,
        ));
    }
    text
}

fn line(number: &str, name: &str, since: &str, remark: &str, columns: usize) -> String {
    let first = format!("{number:>2}  {name:<22}  {since:<6}  ");
    wrap(remark, columns, &first, &" ".repeat(first.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_ends_no_sooner_than_the_running_kernels_last_capability() {
        let last = last_of_running_kernel().unwrap();
        let rows = rows(Some(last));
        let known = rows.iter().rfind(|row| row.in_running_kernel == Some(true));
        assert_eq!(known.map(|row| row.number), Some(last));
        assert!(rows.len() >= Capability::all().len());
    }

    #[test]
    fn what_the_running_kernel_lacks_is_marked() {
        let table = table(&rows(Some(37)), 140);
        let marked: Vec<_> = table
            .lines()
            .filter(|line| line.ends_with("(not in the running kernel)"))
            .collect();
        assert_eq!(marked.len(), 3, "{table}");
        assert!(marked[0].contains("CAP_PERFMON"), "{table}");
    }

    #[test]
    fn what_a_newer_kernel_has_beyond_the_table_is_listed() {
        let table = table(&rows(Some(42)), 80);
        assert!(
            table.ends_with(&format!(
                "41  {:<22}  -       not known to this version\n42  {:<22}  -       not known to this version\n",
                "CAP_41", "CAP_42"
            )),
            "{table}"
        );
    }

    #[test]
    fn a_kernel_that_tells_nothing_leaves_null() {
        let row = serde_json::to_value(&rows(None)[0]).unwrap();
        assert_eq!(row["name"], "CAP_CHOWN");
        assert_eq!(row["danger"], "equals_root");
        assert!(row["in_running_kernel"].is_null());
    }

    #[test]
    fn a_lying_kernel_cannot_make_the_list_long() {
        assert_eq!(rows(Some(i32::MAX)).len(), 64);
        assert_eq!(rows(Some(-1)).len(), 41);
    }

    #[test]
    fn every_line_fits_80_columns() {
        for line in table(&rows(Some(40)), 80).lines() {
            assert!(line.len() <= 80, "{line}");
        }
    }
}
