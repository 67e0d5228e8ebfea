//! Rows as JSON: one object per line.
//!
//! Written by hand: everything that stays the same from row to row (keys, braces and the values
//! that follow from the check's kind) is put together once, and a row is these pieces with the
//! other values in between.

use super::{
    Clock, Frame, NamedStack, Row, RowNeeds, Sink,
    columns::{COLUMNS, Column},
    numbers::{push_hex, push_number, push_signed},
    templates::Templates,
    value::Value,
};
use crate::document::Document;
use crate::escape::{is_all_quotable, is_unsafe, push_hex_digits, text_of};
use crate::event::comm_bytes;

/// JSON of chosen columns.
#[derive(Debug)]
pub struct Json {
    members: Vec<Member>,
    /// The columns whose values are written for each row.
    varying: Vec<&'static Column>,
    /// Closes the last object inside the row.
    tail: &'static [u8],
    clock: Clock,
    templates: Templates<Template>,
}

/// A row for checks of one kind.
#[derive(Debug, Default)]
struct Template {
    /// Everything except the values that are written for each row.
    text: Vec<u8>,
    /// Where these values go.
    gaps: Vec<usize>,
}

/// A value and everything between it and the value before it.
#[derive(Debug)]
struct Member {
    lead: Vec<u8>,
    column: &'static Column,
}

impl Json {
    /// Lines with these columns, in the order of [`COLUMNS`]: fields of one object stand together.
    pub fn new(columns: &[&'static Column], clock: Clock) -> Self {
        let mut members = Vec::with_capacity(columns.len());
        let mut open = None;
        let chosen = COLUMNS
            .iter()
            .filter(|column| columns.iter().any(|chosen| chosen.key == column.key));
        for column in chosen {
            let (group, name) = column.path();
            let mut lead = Vec::new();
            if open.is_some() && open != group {
                lead.push(b'}');
            }
            match (group, open == group && group.is_some()) {
                (_, true) => lead.push(b','),
                (group, false) => {
                    if members.is_empty() {
                        lead.push(b'{');
                        push_key(&mut lead, "schema");
                        push_string(&mut lead, Document::Check.schema());
                    }
                    lead.push(b',');
                    if let Some(group) = group {
                        push_key(&mut lead, group);
                        lead.push(b'{');
                    }
                }
            }
            push_key(&mut lead, name);
            open = group;
            members.push(Member { lead, column });
        }
        let columns = members.iter().map(|member| member.column);
        Self {
            varying: columns.filter(|column| !column.by_kind).collect(),
            members,
            templates: Templates::new(),
            tail: if open.is_some() { b"}" } else { b"" },
            clock,
        }
    }
}

impl Sink for Json {
    fn needs(&self) -> RowNeeds {
        self.members
            .iter()
            .fold(RowNeeds::empty(), |needs, member| {
                needs | member.column.needs
            })
    }

    fn header(&mut self, _out: &mut Vec<u8>) {}

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        let Self {
            members,
            varying,
            tail,
            clock,
            templates,
        } = self;
        let make = || Template::new(members, tail, row, clock);
        let Template { text, gaps } = templates.of(row, make);
        let mut written = 0;
        for (column, &gap) in varying.iter().zip(gaps.iter()) {
            out.extend_from_slice(&text[written..gap]);
            push_value(out, (column.data)(row), clock);
            written = gap;
        }
        out.extend_from_slice(&text[written..]);
        push_stack(out, "kernel_stack", row.kernel_stack);
        push_stack(out, "user_stack", row.user_stack);
        if row.user_stack != NamedStack::NotAsked {
            out.extend_from_slice(b",\"user_stack_note\":");
            push_text(out, row.user_stack.note());
        }
        out.extend_from_slice(b"}\n");
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

impl Template {
    fn new(members: &[Member], tail: &[u8], row: &Row<'_>, clock: &mut Clock) -> Self {
        let mut template = Self::default();
        for Member { lead, column } in members {
            template.text.extend_from_slice(lead);
            if column.by_kind {
                push_value(&mut template.text, (column.data)(row), clock);
            } else {
                template.gaps.push(template.text.len());
            }
        }
        template.text.extend_from_slice(tail);
        template
    }
}

#[inline]
fn push_value(out: &mut Vec<u8>, value: Value<'_>, clock: &mut Clock) {
    match value {
        Value::Unknown => out.extend_from_slice(b"null"),
        Value::Number(number) => push_number(out, number),
        Value::Signed(number) => push_signed(out, number),
        Value::Flag(true) => out.extend_from_slice(b"true"),
        Value::Flag(false) => out.extend_from_slice(b"false"),
        Value::Word(word) => {
            out.push(b'"');
            out.extend_from_slice(word.as_bytes());
            out.push(b'"');
        }
        Value::Numbered(prefix, number) => {
            out.push(b'"');
            out.extend_from_slice(prefix.as_bytes());
            push_signed(out, number);
            out.push(b'"');
        }
        Value::Text(text) => push_string(out, text),
        Value::Comm(comm) => push_comm(out, comm_bytes(comm)),
        Value::Bytes(bytes) => {
            push_numbers(out, bytes.iter().map(|&byte| u64::from(byte)));
        }
        Value::Mask(mask) => {
            out.push(b'"');
            push_hex(out, mask, 16);
            out.push(b'"');
        }
        Value::Arguments(arguments) => push_numbers(out, arguments.iter().copied()),
        Value::Time(time) => {
            out.push(b'"');
            out.extend_from_slice(clock.text(time));
            out.push(b'"');
        }
    }
}

/// Nearly every name can be copied, whatever it means as text.
fn push_comm(out: &mut Vec<u8>, comm: &[u8]) {
    if is_all_quotable(comm) {
        out.push(b'"');
        out.extend_from_slice(comm);
        out.push(b'"');
    } else {
        push_string(out, &text_of(comm));
    }
}

fn push_key(out: &mut Vec<u8>, key: &str) {
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn push_numbers(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) {
    out.push(b'[');
    for (index, number) in numbers.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_number(out, number);
    }
    out.push(b']');
}

/// Appends a JSON string. Anything that could control a terminal is written as a JSON escape, which
/// makes no difference to a parser.
fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_all_quotable(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for character in text.chars() {
            push_character(out, character);
        }
    }
    out.push(b'"');
}

fn push_character(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        _ if is_unsafe(character) => {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.extend_from_slice(b"\\u");
                push_hex_digits(out, u64::from(*unit), 4);
            }
        }
        _ => {
            let mut buffer = [0; 4];
            out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
        }
    }
}

/// Appends the two fields of a stack that was asked for.
fn push_stack(out: &mut Vec<u8>, key: &str, stack: NamedStack<'_>) {
    let state = match stack {
        NamedStack::NotAsked => return,
        NamedStack::NotCaptured => "not_captured",
        NamedStack::ProcessGone(_) => "process_gone",
        NamedStack::Noted(..) | NamedStack::Frames(_) => "captured",
    };
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"_state\":\"");
    out.extend_from_slice(state.as_bytes());
    out.extend_from_slice(b"\",");
    push_key(out, key);
    if stack == NamedStack::NotCaptured {
        out.extend_from_slice(b"null");
        return;
    }
    out.push(b'[');
    for (index, frame) in stack.frames().iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_frame(out, frame);
    }
    out.push(b']');
}

fn push_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => push_string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

fn push_frame(out: &mut Vec<u8>, frame: &Frame<'_>) {
    // A string: an address needs all 64 bits, and many readers keep only 53.
    out.extend_from_slice(b"{\"address\":\"");
    push_hex(out, frame.address, 1);
    out.extend_from_slice(b"\",\"function\":");
    push_text(out, frame.function);
    out.extend_from_slice(b",\"offset\":");
    match frame.function {
        Some(_) => push_number(out, frame.offset),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"module\":");
    push_text(out, frame.module);
    out.extend_from_slice(b",\"module_offset\":");
    match frame.module_offset {
        Some(offset) => push_number(out, offset),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"build_id\":");
    push_text(out, frame.build_id);
    out.extend_from_slice(b",\"file\":");
    push_text(out, frame.file);
    out.extend_from_slice(b",\"line\":");
    match frame.line {
        Some(line) => push_number(out, line.into()),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(if frame.inlined {
        b",\"inlined\":true}"
    } else {
        b",\"inlined\":false}"
    });
}
