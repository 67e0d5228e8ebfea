//! Rows as CSV (RFC 4180), with a header line.
//!
//! The names and values are those of JSON: `true` and `false`, and an empty field if a value is not
//! known. Text is escaped as in a table, so that no control character reaches a reader.

use super::{Clock, Row, RowNeeds, Sink, cell, columns::Column, value::Value};
use crate::escape::push_escaped;
use crate::event::comm_bytes;

/// RFC 4180 ends lines with CR LF.
const END: &[u8] = b"\r\n";

/// CSV of chosen columns.
#[derive(Debug)]
pub struct Csv {
    columns: Vec<&'static Column>,
    clock: Clock,
}

impl Csv {
    /// Lines with these columns, in this order.
    pub fn new(columns: Vec<&'static Column>, clock: Clock) -> Self {
        Self { columns, clock }
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
        let clock = &mut self.clock;
        Self::line(out, self.columns.len(), |index, out| {
            push_value(out, (self.columns[index].data)(row), clock);
        });
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

fn push_value(out: &mut Vec<u8>, value: Value<'_>, clock: &mut Clock) {
    match value {
        Value::Unknown => {}
        Value::Flag(true) => out.extend_from_slice(b"true"),
        Value::Flag(false) => out.extend_from_slice(b"false"),
        Value::Text(text) => push_text(out, text.as_bytes()),
        Value::Comm(comm) => push_text(out, comm_bytes(comm)),
        other => {
            cell::push(out, other, usize::MAX, clock);
        }
    }
}

/// Text is quoted if it contains anything special to a CSV reader, or if it is empty, since an
/// empty field means unknown.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b' ');
    if !text.is_empty() && !text.iter().any(special) {
        push_escaped(out, text);
        return;
    }
    out.push(b'"');
    for (index, part) in text.split(|&byte| byte == b'"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        push_escaped(out, part);
    }
    out.push(b'"');
}
