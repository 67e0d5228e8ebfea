//! Rows as a table for people.
//!
//! The common row is a copy of a blank line with each cell written into its place. A row with
//! something to escape, to cut or to colour, or with a number too long for its column, is written
//! again cell by cell.

use super::{
    Clock, NamedStack, Needs, Row, Sink, cell, colour, columns::Align, layout::Slot,
    stacks::push_stacks, value::Value,
};
use crate::event::Verdict;

/// A table of chosen columns.
#[derive(Debug)]
pub struct Table {
    slots: Vec<Slot>,
    clock: Clock,
    colour: bool,
    /// A line of blanks, as long as a row.
    blank: Vec<u8>,
}

impl Table {
    /// A table with these columns in their places, in colour or not.
    pub fn new(slots: Vec<Slot>, clock: Clock, colour: bool) -> Self {
        let width = slots.last().map_or(0, |slot| slot.end);
        Self {
            slots,
            clock,
            colour,
            blank: vec![b' '; width],
        }
    }

    /// Writes the row into its places; `false` where it does not fit them.
    #[inline]
    fn put(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.extend_from_slice(&self.blank);
        let line = &mut out[start..];
        for slot in &self.slots {
            let Some(blanks) = line.get_mut(slot.start..slot.end) else {
                return false;
            };
            if !(slot.shown.put)(row, blanks, slot.align, &mut self.clock) {
                return false;
            }
        }
        if self
            .slots
            .last()
            .is_some_and(|slot| slot.align == Align::Left)
        {
            let written = line.iter().rposition(|&byte| byte != b' ');
            out.truncate(start + written.map_or(0, |last| last + 1));
        }
        out.push(b'\n');
        true
    }
}

impl Sink for Table {
    fn needs(&self) -> Needs {
        self.slots
            .iter()
            .fold(Needs::empty(), |needs, slot| needs | slot.column.needs)
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        cell::push_row(out, &self.slots, &mut self.clock, |slot| {
            (Value::Word(slot.column.header), None)
        });
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
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

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}
