//! Stacks in the format that flame graph tools read: one line per distinct stack, the outermost
//! frame first, and how often it was seen.

use std::collections::HashMap;

use super::{NamedStack, Row, RowNeeds, Sink, numbers};
use crate::escape::push_escaped;

/// The most that is kept of different stacks, in bytes.
const SIZE_LIMIT: usize = 64 << 20;
/// What a stack takes beside its line, in bytes: its place in the table.
const ENTRY_SIZE: usize = 64;
/// The line of all stacks that did not fit any more.
const OTHERS: &[u8] = b"[stacks that did not fit in memory]";

/// Stacks, counted: `comm;outer;...;inner;CAP_X count`.
#[derive(Debug, Default)]
pub struct Folded {
    counts: HashMap<Vec<u8>, u64>,
    /// The bytes that they take.
    size: usize,
    /// How often a stack was seen that did not fit any more.
    others: u64,
    /// The line of the current row; kept to reuse its memory.
    line: Vec<u8>,
}

impl Sink for Folded {
    fn needs(&self) -> RowNeeds {
        RowNeeds::STACK
    }

    fn header(&mut self, _out: &mut Vec<u8>) {}

    fn row(&mut self, row: &Row<'_>, _out: &mut Vec<u8>) {
        self.line.clear();
        push_part(&mut self.line, row.event.comm());
        push_stack(&mut self.line, row.user_stack);
        push_stack(&mut self.line, row.kernel_stack);
        let capability = row.event.capability();
        self.line.push(b';');
        match capability.name() {
            Some(name) => self.line.extend_from_slice(name.as_bytes()),
            None => {
                self.line.extend_from_slice(b"CAP_");
                numbers::push_signed(&mut self.line, capability.number().into());
            }
        }
        match self.counts.get_mut(&self.line) {
            Some(count) => *count += 1,
            None if self.size + self.line.len() + ENTRY_SIZE > SIZE_LIMIT => self.others += 1,
            None => {
                self.size += self.line.len() + ENTRY_SIZE;
                self.counts.insert(self.line.clone(), 1);
            }
        }
    }

    fn left_out(&self) -> Option<String> {
        let others = self.others;
        (others > 0).then(|| {
            format!(
                "{others} checks had stacks that were new when {} MiB of them were kept: one line \
                 counts them all; a filter, or a shorter time, keeps stacks apart",
                SIZE_LIMIT >> 20
            )
        })
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let mut lines: Vec<_> = self.counts.drain().collect();
        lines.sort_unstable();
        if self.others > 0 {
            lines.push((OTHERS.to_vec(), self.others));
        }
        for (line, count) in lines {
            out.extend_from_slice(&line);
            out.push(b' ');
            numbers::push_number(out, count);
            out.push(b'\n');
        }
    }
}

fn push_stack(line: &mut Vec<u8>, stack: NamedStack<'_>) {
    if stack == NamedStack::NotCaptured {
        line.extend_from_slice(b";[stack not captured]");
    }
    for frame in stack.frames().iter().rev() {
        line.push(b';');
        match (frame.function, frame.module) {
            (Some(function), _) => push_part(line, function.as_bytes()),
            // Like perf's scripts for an address without a symbol: the file in brackets.
            (None, Some(module)) => {
                line.push(b'[');
                push_part(line, module.as_bytes());
                line.push(b']');
            }
            (None, None) => line.extend_from_slice(b"[unknown]"),
        }
    }
}

/// A part must not contain the separator.
fn push_part(line: &mut Vec<u8>, part: &[u8]) {
    let start = line.len();
    push_escaped(line, part);
    for byte in &mut line[start..] {
        if *byte == b';' {
            *byte = b':';
        }
    }
}
