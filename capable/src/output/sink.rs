//! Where rows end up.

use capable_common::Check;

use super::{Row, RowNeeds};
use crate::event::Event;

/// A format of rows.
///
/// A sink appends to the caller's buffer and never writes anywhere itself: the caller writes the
/// buffer once per batch, and decides in one place what a broken pipe means.
pub trait Sink {
    /// What rows must contain for this sink.
    fn needs(&self) -> RowNeeds;

    /// What comes before the first row.
    fn header(&mut self, out: &mut Vec<u8>);

    /// One row.
    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>);

    /// The row of a check with nothing added.
    fn bare(&mut self, check: &Check, out: &mut Vec<u8>) {
        self.row(&Row::bare(Event::bare(check)), out);
    }

    /// What it did not keep apart, in a sentence, if there is something to say.
    fn left_out(&self) -> Option<String> {
        None
    }

    /// What comes after the last row.
    fn finish(&mut self, out: &mut Vec<u8>);
}
