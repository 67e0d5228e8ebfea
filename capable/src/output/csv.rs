//! Rows as CSV (RFC 4180), with a header line.
//!
//! The names and values are those of JSON: `true` and `false`, and an empty field if a value is not
//! known. Text is escaped as in a table, so that no control character reaches a reader.
//!
//! Spreadsheets take a field for a formula if it begins with `=`, `+`, `-` or `@`, quoted or not, and
//! formulas can fetch and start things. Names of tasks, cgroups and files are others' to choose. So
//! such text gets an apostrophe in front, by which spreadsheets know text, unless the reader is none.

use super::{Clock, Row, RowNeeds, Sink, cell, columns::Column, value::Value};
use crate::escape::{bytes_of, push_escaped};
use crate::event::comm_bytes;

/// RFC 4180 ends lines with CR LF.
const END: &[u8] = b"\r\n";

/// In front of text that would be a formula. A second one is not needed to tell it from text which
/// begins so: that text is marked too.
const MARK: u8 = b'\'';

/// CSV of chosen columns.
#[derive(Debug)]
pub struct Csv {
    columns: Vec<&'static Column>,
    clock: Clock,
    formulas: Formulas,
}

/// What becomes of text that a spreadsheet would take for a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// An apostrophe in front makes it text.
    Marked,
    /// It remains as it is.
    Kept,
}

impl Csv {
    /// Lines with these columns, in this order.
    pub fn new(columns: Vec<&'static Column>, clock: Clock, formulas: Formulas) -> Self {
        Self {
            columns,
            clock,
            formulas,
        }
    }

    fn line(out: &mut Vec<u8>, count: usize, mut field: impl FnMut(usize, &mut Vec<u8>)) {
        for index in 0..count {
            if index > 0 {
                out.push(b',');
            }
            field(index, out);
        }
        out.extend_from_slice(END);
    }
}

impl Sink for Csv {
    fn needs(&self) -> RowNeeds {
        self.columns
            .iter()
            .fold(RowNeeds::empty(), |needs, column| needs | column.needs)
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        Self::line(out, self.columns.len(), |index, out| {
            let field = self.columns[index].field.bytes();
            out.extend(field.map(|byte| if byte == b'.' { b'_' } else { byte }));
        });
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        let Self {
            columns,
            clock,
            formulas,
        } = self;
        Self::line(out, columns.len(), |index, out| {
            push_value(out, (columns[index].data)(row), clock, *formulas);
        });
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

fn push_value(out: &mut Vec<u8>, value: Value<'_>, clock: &mut Clock, formulas: Formulas) {
    match value {
        Value::Unknown => {}
        Value::Flag(true) => out.extend_from_slice(b"true"),
        Value::Flag(false) => out.extend_from_slice(b"false"),
        Value::Text(text) => push_text(out, &bytes_of(text), formulas),
        Value::Comm(comm) => push_text(out, comm_bytes(comm), formulas),
        other => {
            cell::push(out, other, usize::MAX, clock);
        }
    }
}

/// Text is quoted if it contains anything special to a CSV reader, or if it is empty, since an
/// empty field means unknown. A semicolon is special where a comma belongs to numbers.
fn push_text(out: &mut Vec<u8>, text: &[u8], formulas: Formulas) {
    let special = |byte: &u8| matches!(byte, b',' | b';' | b'"' | b' ');
    let marked = formulas == Formulas::Marked && is_formula(text);
    if !text.is_empty() && !text.iter().any(special) {
        if marked {
            out.push(MARK);
        }
        push_escaped(out, text);
        return;
    }
    out.push(b'"');
    if marked {
        out.push(MARK);
    }
    for (index, part) in text.split(|&byte| byte == b'"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        push_escaped(out, part);
    }
    out.push(b'"');
}

/// Whether a spreadsheet may take `text` for a formula, or whether it begins like a marked one.
/// Blanks in front do not keep all of them from it, and full-width characters count in some
/// languages. Control characters are escaped, so that none of them comes first.
fn is_formula(text: &[u8]) -> bool {
    const FULL_WIDTH: [char; 4] = ['＝', '＋', '－', '＠'];
    let blanks = text.iter().take_while(|&&byte| byte == b' ').count();
    let begin = &text[blanks..];
    match begin.first() {
        None => false,
        Some(b'=' | b'+' | b'-' | b'@' | &MARK) => true,
        Some(_) => FULL_WIDTH
            .iter()
            .any(|sign| begin.starts_with(sign.encode_utf8(&mut [0; 4]).as_bytes())),
    }
}
