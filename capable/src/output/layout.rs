//! Where the columns of a table go.

use super::{
    TimeFormat,
    columns::{Align, Column, Shown},
};

/// The widest that a column gets when there is room to spare.
const GENEROUS: u16 = 60;

/// How far the second and further lines of a row are indented.
pub const INDENT: usize = 2;

/// A column with its position.
#[derive(Clone, Copy, Debug)]
pub struct TableSlot {
    /// Which column.
    pub column: &'static Column,
    /// What its cells show.
    pub shown: Shown,
    /// Where it begins, in columns from the beginning of the row. A line break counts as one
    /// column.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Whether it begins a continuation line of the row, indented, after a line break.
    pub folded: bool,
    /// How its cells are aligned.
    pub align: Align,
    /// Its text may be longer than the column, because it is the last one and is not cut.
    pub open: bool,
}

/// Places the columns, with one blank between two.
///
/// If the terminal's width is known, columns that can be narrower shrink until the row fits, and
/// share the room that is left over. A row that cannot be made to fit is folded between two
/// columns.
pub fn lay_out(
    columns: &[&'static Column],
    time: TimeFormat,
    terminal: Option<u16>,
) -> Vec<TableSlot> {
    let mut slots: Vec<TableSlot> = Vec::with_capacity(columns.len());
    let lines = lines(columns, time, terminal);
    // In a folded row no column is widened: it would stand out on its line.
    let most = if lines.len() > 1 { 0 } else { GENEROUS };
    for (number, line) in lines.into_iter().enumerate() {
        let indent = if number == 0 { 0 } else { INDENT };
        let room = terminal.map(|terminal| usize::from(terminal).saturating_sub(indent));
        let widths = widths(line, time, room, most);
        for (index, (&column, width)) in line.iter().zip(widths).enumerate() {
            let folded = number > 0 && index == 0;
            let start = match slots.last() {
                None => 0,
                Some(before) if folded => before.end + 1 + INDENT,
                Some(before) => before.end + 1,
            };
            let relative = column.key == "time" && time == TimeFormat::Relative;
            slots.push(TableSlot {
                column,
                shown: column.shown,
                start,
                end: start + usize::from(width),
                folded,
                align: if relative { Align::Right } else { column.align },
                open: slots.len() + 1 == columns.len() && terminal.is_none(),
            });
        }
    }
    slots
}

/// The columns of each line: all in one if they fit at their smallest widths.
fn lines<'a>(
    mut columns: &'a [&'static Column],
    time: TimeFormat,
    terminal: Option<u16>,
) -> Vec<&'a [&'static Column]> {
    let Some(terminal) = terminal.map(usize::from) else {
        return vec![columns];
    };
    let mut lines = Vec::new();
    while !columns.is_empty() {
        let mut used = if lines.is_empty() { 0 } else { INDENT };
        let fitting = columns.iter().take_while(|column| {
            let fits = used + usize::from(least(column, time)) <= terminal;
            used += usize::from(least(column, time)) + 1;
            fits
        });
        // A column that is too wide for any line gets a line of its own.
        let (line, rest) = columns.split_at(fitting.count().max(1));
        lines.push(line);
        columns = rest;
    }
    lines
}

fn width(column: &Column, time: TimeFormat) -> u16 {
    match column.key {
        "time" => time.width(),
        _ => column.width,
    }
}

fn least(column: &Column, time: TimeFormat) -> u16 {
    match column.key {
        "time" => time.width(),
        _ => column.least,
    }
}

/// Narrower than usual if there is too little room, wider up to `most` if there is more.
fn widths(
    columns: &[&'static Column],
    time: TimeFormat,
    room: Option<usize>,
    most: u16,
) -> Vec<u16> {
    let mut widths: Vec<u16> = columns.iter().map(|column| width(column, time)).collect();
    let Some(room) = room else {
        return widths;
    };
    let cells: usize = widths.iter().map(|&width| usize::from(width)).sum();
    let mut line = cells + columns.len().saturating_sub(1);
    // One column of width at a time, each flexible column in turn, so that all shrink and grow
    // alike.
    loop {
        let before = line;
        for (width, column) in widths.iter_mut().zip(columns) {
            if column.least == column.width {
                continue;
            }
            if line > room && *width > column.least {
                *width -= 1;
                line -= 1;
            } else if line < room && *width < most {
                *width += 1;
                line += 1;
            }
        }
        if line == before {
            return widths;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::columns::{DEFAULT, EXTRA, WIDE, by_keys};

    /// The keys of each line, and the width of the widest.
    fn lines(keys: &[&str], terminal: Option<u16>) -> (Vec<Vec<&'static str>>, usize) {
        let slots = lay_out(&by_keys(keys), TimeFormat::Clock, terminal);
        let (mut lines, mut widest, mut begin) = (vec![Vec::new()], 0, 0);
        for slot in &slots {
            if slot.folded {
                lines.push(Vec::new());
                begin = slot.start - INDENT;
            }
            lines.last_mut().unwrap().push(slot.column.key);
            widest = widest.max(slot.end - begin);
        }
        (lines, widest)
    }

    fn width_of_one_line(keys: &[&str], terminal: Option<u16>) -> usize {
        let (lines, width) = lines(keys, terminal);
        assert_eq!(lines.len(), 1, "{lines:?}");
        width
    }

    #[test]
    fn the_default_table_takes_eighty_columns_on_any_terminal_that_has_them() {
        for terminal in [None, Some(80), Some(200)] {
            assert_eq!(width_of_one_line(DEFAULT, terminal), 80);
        }
    }

    #[test]
    fn the_wide_table_takes_the_terminal_as_far_as_it_can() {
        assert_eq!(width_of_one_line(WIDE, Some(200)), 200);
        assert_eq!(width_of_one_line(WIDE, Some(240)), 240);
        assert_eq!(width_of_one_line(WIDE, Some(196)), 196);
        let extra = [DEFAULT, EXTRA].concat();
        assert_eq!(width_of_one_line(&extra, Some(170)), 170);
    }

    #[test]
    fn a_row_that_no_narrowing_makes_fit_is_folded_between_columns() {
        let extra = [DEFAULT, EXTRA].concat();
        let (folded, width) = lines(&extra, Some(80));
        assert_eq!(folded, [DEFAULT, EXTRA]);
        assert!(width <= 80, "{width}");
        for terminal in 25..180 {
            let (folded, width) = lines(WIDE, Some(terminal));
            assert!(width <= usize::from(terminal), "{width} in {terminal}");
            assert_eq!(folded.concat(), WIDE);
        }
    }

    #[test]
    fn what_goes_to_a_file_is_never_folded() {
        assert_eq!(lines(WIDE, None).0.len(), 1);
    }

    #[test]
    fn a_column_wider_than_the_terminal_gets_a_line_of_its_own() {
        let (folded, _) = lines(&["pid", "name", "uid"], Some(10));
        assert_eq!(folded, [["pid"], ["name"], ["uid"]]);
    }
}
