//! Shows inspected subjects as text, side by side.
//!
//! Each subject becomes a [`Sheet`]: a title and labelled cells. Sheets are the columns of one
//! table, and cells with the same label share a line, so that differences are easy to see. Sheets
//! that do not fit the width follow in further tables.

mod file;
pub mod holders;
mod process;
mod set;
mod unit;

use std::cell::RefCell;

use comfy_table::{ContentArrangement, Table, presets};

pub use self::set::concise;
use super::Subject;
use crate::capability::CapabilitySet;
use crate::context::accounts::Accounts;
use crate::escape::printable;

/// The text about one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The title.
    pub title: String,
    /// Labels and cells; each label occurs once.
    pub rows: Vec<(String, String)>,
}

impl Sheet {
    fn new(title: String) -> Self {
        Self {
            title,
            rows: Vec::new(),
        }
    }

    fn row(&mut self, label: impl Into<String>, cell: impl Into<String>) {
        self.rows.push((label.into(), cell.into()));
    }

    fn cell(&self, label: &str) -> Option<&str> {
        self.rows
            .iter()
            .find(|(known, _)| known == label)
            .map(|(_, cell)| cell.as_str())
    }
}

/// How sheets name sets and users.
pub struct Words {
    universe: CapabilitySet,
    users: RefCell<Accounts>,
}

impl Words {
    /// Names users as this machine does; `universe` is every capability that the running kernel
    /// knows, which is what `all` means.
    pub fn new(universe: CapabilitySet) -> Self {
        Self {
            universe,
            users: RefCell::new(Accounts::users()),
        }
    }

    fn set(&self, set: CapabilitySet) -> String {
        concise(set, self.universe)
    }

    /// `0 (root)`, or the number alone if it has no name.
    fn user(&self, uid: u32) -> String {
        match self.users.borrow_mut().name(uid) {
            Some(name) => format!("{uid} ({})", printable(name.as_bytes())),
            None => uid.to_string(),
        }
    }
}

/// The cell for a value that is not known.
const UNKNOWN: &str = "-";

fn yes_no(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => UNKNOWN,
    }
}

/// The sheets of a subject: its own and, for a unit, that of its main process.
pub fn of(subject: &Subject, words: &Words) -> Vec<Sheet> {
    match subject {
        Subject::Process(process) => vec![process::sheet(process, words)],
        Subject::File(file) => vec![file::sheet(file, words)],
        Subject::Unit(unit) => std::iter::once(unit::sheet(unit, words))
            .chain(
                unit.main_process
                    .as_ref()
                    .map(|main| process::sheet(main, words)),
            )
            .collect(),
    }
}

/// The narrowest column: names of capabilities do not fit a narrower one.
const NARROWEST: usize = 26;

/// The sheets side by side, within this width if one is given.
pub fn side_by_side(sheets: &[Sheet], width: Option<u16>) -> String {
    let labels = sheets
        .iter()
        .flat_map(|sheet| &sheet.rows)
        .map(|(label, _)| label.len())
        .max()
        .unwrap_or(0);
    let at_once = width.map_or(sheets.len(), |width| {
        (usize::from(width).saturating_sub(labels) / NARROWEST).max(1)
    });
    let tables: Vec<String> = sheets
        .chunks(at_once.max(1))
        .map(|sheets| table(sheets, width))
        .collect();
    tables.join("\n")
}

/// The labels of all sheets, each once. A label that only a later sheet has comes after the label
/// that precedes it there.
fn labels(sheets: &[Sheet]) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for sheet in sheets {
        let mut next = 0;
        for (label, _) in &sheet.rows {
            next = match labels.iter().position(|known| known == label) {
                Some(position) => position + 1,
                None => {
                    labels.insert(next, label);
                    next + 1
                }
            };
        }
    }
    labels
}

/// A table without lines, which is fitted to this width if one is given.
fn plain_table(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

fn table(sheets: &[Sheet], width: Option<u16>) -> String {
    let mut table = plain_table(width);
    let titles = sheets.iter().map(|sheet| sheet.title.as_str());
    table.add_row([""].into_iter().chain(titles));
    for label in labels(sheets) {
        let cells = sheets
            .iter()
            .map(|sheet| sheet.cell(label).unwrap_or_default());
        table.add_row([label].into_iter().chain(cells));
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
        column.set_padding((0, 1));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(title: &str, rows: &[(&str, &str)]) -> Sheet {
        let mut sheet = Sheet::new(title.to_owned());
        for (label, cell) in rows {
            sheet.row(*label, *cell);
        }
        sheet
    }

    #[test]
    fn the_same_label_is_one_line_and_what_one_lacks_stays_empty() {
        let sheets = [
            sheet("a", &[("permitted", "CAP_KILL"), ("mount", "nosuid")]),
            sheet("b", &[("permitted", "none")]),
        ];
        let text = side_by_side(&sheets, None);
        let words: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            words,
            [
                vec!["a", "b"],
                vec!["permitted", "CAP_KILL", "none"],
                vec!["mount", "nosuid"]
            ]
        );
    }

    #[test]
    fn what_a_later_sheet_adds_comes_behind_what_it_follows_there() {
        let sheets = [
            sheet("unit", &[("bounding", "all"), ("files", "a")]),
            sheet(
                "process",
                &[("effective", "none"), ("bounding", "all"), ("uid", "0")],
            ),
        ];
        assert_eq!(labels(&sheets), ["effective", "bounding", "uid", "files"]);
    }

    #[test]
    fn long_cells_wrap_between_names_and_never_exceed_the_width() {
        let long = concise(CapabilitySet::from_bits(0xff_ffff), universe());
        let sheets = [
            sheet("a", &[("bounding", &long)]),
            sheet("b", &[("bounding", &long)]),
            sheet("c", &[("bounding", &long)]),
        ];
        let text = side_by_side(&sheets, Some(80));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert_eq!(text.matches("bounding").count(), 2, "{text}");
        assert_eq!(text.matches("CAP_CHECKPOINT_RESTORE").count(), 3, "{text}");
    }

    fn universe() -> CapabilitySet {
        CapabilitySet::ALL_NAMED
    }
}
