//! Where the columns of a table stand.

use super::{
    TimeFormat,
    columns::{Align, Column, Shown},
};

/// The widest that a column gets when there is room to give away.
const GENEROUS: u16 = 60;

/// One column in its place.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Which column.
    pub column: &'static Column,
    /// What its cells show.
    pub shown: Shown,
    /// Where it begins, in terminal columns.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Where its cells stand.
    pub align: Align,
    /// Its text may be longer than the column: it is the last one and nobody cuts it.
    pub open: bool,
}

/// Gives each column its place, one blank between two.
///
/// With a known width of the terminal, columns that can be narrower give way until the row fits,
/// and get what is left over.
pub fn lay_out(columns: &[&'static Column], time: TimeFormat, terminal: Option<u16>) -> Vec<Slot> {
    let mut start = 0;
    let mut slots = Vec::with_capacity(columns.len());
    for (index, (&column, width)) in columns
        .iter()
        .zip(widths(columns, time, terminal))
        .enumerate()
    {
        let end = start + usize::from(width);
        let relative = column.key == "time" && time == TimeFormat::Relative;
        slots.push(Slot {
            column,
            shown: column.shown,
            start,
            end,
            align: if relative { Align::Right } else { column.align },
            open: index + 1 == columns.len() && terminal.is_none(),
        });
        start = end + 1;
    }
    slots
}

fn widths(columns: &[&'static Column], time: TimeFormat, terminal: Option<u16>) -> Vec<u16> {
    let mut widths: Vec<u16> = columns
        .iter()
        .map(|column| match column.key {
            "time" => time.width(),
            _ => column.width,
        })
        .collect();
    let Some(terminal) = terminal else {
        return widths;
    };
    let terminal = usize::from(terminal);
    let cells: usize = widths.iter().map(|&width| usize::from(width)).sum();
    let mut line = cells + columns.len().saturating_sub(1);
    // One blank at a time, each flexible column in turn, so that all give and get alike.
    loop {
        let before = line;
        for (width, column) in widths.iter_mut().zip(columns) {
            if column.least == column.width {
                continue;
            }
            if line > terminal && *width > column.least {
                *width -= 1;
                line -= 1;
            } else if line < terminal && *width < GENEROUS {
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

    fn line(keys: &[&str], terminal: Option<u16>) -> usize {
        let slots = lay_out(&by_keys(keys), TimeFormat::Clock, terminal);
        slots.last().unwrap().end
    }

    #[test]
    fn the_default_table_takes_eighty_columns_on_any_terminal() {
        for terminal in [None, Some(40), Some(80), Some(200)] {
            assert_eq!(line(DEFAULT, terminal), 80);
        }
    }

    #[test]
    fn the_wide_table_takes_the_terminal_as_far_as_it_can() {
        assert_eq!(line(WIDE, Some(200)), 200);
        assert_eq!(line(WIDE, Some(240)), 240);
        let least = line(WIDE, Some(80));
        assert!((180..=200).contains(&least), "{least}");
        assert_eq!(line(WIDE, Some(least as u16)), least);
        let extra = [DEFAULT, EXTRA].concat();
        assert_eq!(line(&extra, Some(170)), 170);
    }
}
