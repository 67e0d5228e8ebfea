//! Rows as a table for people.
//!
//! Usually a row is a copy of a prepared line for checks of its kind, with the other cells written
//! over it. A row with anything to escape, cut or colour, or with a number that is too long for its
//! column, is written cell by cell instead.

use capable_common::Check;

use super::{
    Clock, NamedStack, Row, RowNeeds, Sink, cell, colour,
    columns::Align,
    layout::{INDENT, TableSlot},
    stacks::push_stacks,
    templates::Templates,
    value::Value,
};
use crate::event::{Event, Verdict, repeats};

/// A table of chosen columns.
#[derive(Debug)]
pub struct Table {
    slots: Vec<TableSlot>,
    /// The slots whose cells are written for each row.
    varying: Vec<TableSlot>,
    /// The slot whose cells are the same for a whole second.
    second: Option<TableSlot>,
    /// The last cell ends with its text, without padding, and is written for each row.
    ragged: bool,
    clock: Clock,
    colour: bool,
    templates: Templates<Template>,
    /// Rows depend only on the check itself and its second.
    remembers: bool,
    before: Option<Before>,
}

/// The previous row: a program that makes the same check again and again gives the same row each
/// time.
#[derive(Debug)]
struct Before {
    check: Check,
    /// The second that it was made in.
    second: i64,
    /// Where it is in the output buffer: at the end, unless it was flushed.
    start: usize,
    end: usize,
}

/// A line for checks of one kind.
#[derive(Debug, Default)]
struct Template {
    /// The line with its line break, blank where cells are written for each row; `None` if a cell
    /// does not fit.
    line: Option<Vec<u8>>,
    /// The second whose time is in the line.
    second: i64,
}

impl Table {
    /// A table with these columns in their places, in colour or not.
    pub fn new(slots: Vec<TableSlot>, clock: Clock, colour: bool) -> Self {
        let (mut varying, mut second) = (Vec::new(), None);
        for &slot in slots.iter().filter(|slot| !slot.column.by_kind) {
            if slot.column.key == "time" && clock.is_whole_seconds() {
                second = Some(slot);
            } else {
                varying.push(slot);
            }
        }
        let ragged = slots
            .last()
            .is_some_and(|slot| slot.align == Align::Left && !slot.column.by_kind);
        let mut table = Self {
            slots,
            varying,
            second,
            ragged,
            clock,
            colour,
            templates: Templates::new(),
            remembers: false,
            before: None,
        };
        let no_time = table.slots.iter().all(|slot| slot.column.key != "time");
        // What a row shows of the credentials is in the check.
        let adds_nothing = (table.needs() - RowNeeds::CREDENTIALS).is_empty();
        table.remembers = adds_nothing && (table.second.is_some() || no_time);
        table
    }

    /// Writes the row into a copy of its template; `false` if it does not fit.
    #[inline]
    fn put(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> bool {
        let check = row.event.check;
        let template = self
            .templates
            .of(row, || Template::new(&self.slots, row, &mut self.clock));
        let Some(line) = &mut template.line else {
            return false;
        };
        if let Some(slot) = &self.second {
            let second = self.clock.second(check.time);
            if template.second != second {
                template.second = second;
                put_cell(slot, row, line, &mut self.clock);
            }
        }
        let start = out.len();
        out.extend_from_slice(line);
        let line = &mut out[start..];
        for slot in &self.varying {
            if !put_cell(slot, row, line, &mut self.clock) {
                return false;
            }
        }
        if self.ragged {
            // The line break, too, comes after the blanks.
            out.pop();
            trim(out, start);
            out.push(b'\n');
        }
        true
    }
}

impl Template {
    fn new(slots: &[TableSlot], row: &Row<'_>, clock: &mut Clock) -> Self {
        let width = slots.last().map_or(0, |slot| slot.end);
        let mut line = vec![b' '; width];
        for slot in slots.iter().filter(|slot| slot.folded) {
            line[slot.start - INDENT - 1] = b'\n';
        }
        let mut fixed = slots.iter().filter(|slot| slot.column.by_kind);
        let fits = fixed.all(|slot| put_cell(slot, row, &mut line, clock));
        if let Some(last) = slots.last()
            && last.column.by_kind
        {
            trim(&mut line, 0);
        }
        line.push(b'\n');
        Self {
            line: fits.then_some(line),
            // No time falls in this second.
            second: i64::MIN,
        }
    }
}

/// Writes one cell over the blanks of its column, if that takes no more than a copy.
#[inline]
fn put_cell(slot: &TableSlot, row: &Row<'_>, line: &mut [u8], clock: &mut Clock) -> bool {
    line.get_mut(slot.start..slot.end)
        .is_some_and(|blanks| (slot.shown.put)(row, blanks, slot.align, clock))
}

/// Removes the trailing blanks of the line that begins at `start`.
fn trim(out: &mut Vec<u8>, start: usize) {
    let written = out[start..].iter().rposition(|&byte| byte != b' ');
    out.truncate(start + written.map_or(0, |last| last + 1));
}

impl Sink for Table {
    fn needs(&self) -> RowNeeds {
        self.slots
            .iter()
            .fold(RowNeeds::empty(), |needs, slot| needs | slot.column.needs)
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        cell::push_row(out, &self.slots, &mut self.clock, |slot| {
            (Value::Word(slot.column.header), None)
        });
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        self.write(row, out);
    }

    fn bare(&mut self, check: &Check, out: &mut Vec<u8>) {
        let start = out.len();
        if self.remembers
            && let second = self.clock.second(check.time)
            && let Some(before) = &mut self.before
            && start == before.end
            && second == before.second
            && repeats(check, &before.check)
        {
            out.extend_from_within(before.start..);
            (before.start, before.end) = (start, out.len());
            return;
        }
        self.write_new(check, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

impl Table {
    /// Writes the row of a check that differs from the one before, and remembers it.
    #[inline(never)]
    fn write_new(&mut self, check: &Check, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(&Row::bare(Event::bare(check)), out);
        if self.remembers {
            self.before = Some(Before {
                check: *check,
                second: self.clock.second(check.time),
                start,
                end: out.len(),
            });
        }
    }

    /// Writes a row from scratch.
    fn write(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let denied = self.colour && matches!(row.event.verdict(), Some(Verdict::Denied(_)));
        if denied || !self.put(row, out) {
            out.truncate(start);
            cell::push_row(out, &self.slots, &mut self.clock, |slot| {
                let stands_out = denied && matches!(slot.column.key, "name" | "result" | "errno");
                (
                    (slot.shown.value)(row),
                    stands_out.then_some(colour::DENIED),
                )
            });
        }
        if !matches!(
            (row.kernel_stack, row.user_stack),
            (NamedStack::NotAsked, NamedStack::NotAsked)
        ) {
            push_stacks(out, row);
        }
    }
}
