//! Stacks under a row of a table.

use super::{
    Frame, NamedStack, Row,
    numbers::{push_hex, push_number},
};
use crate::escape::push_escaped;

/// Appends the stacks that were asked for, a line for each frame, the innermost first.
pub fn push_stacks(out: &mut Vec<u8>, row: &Row<'_>) {
    let (kernel, user) = (row.kernel_stack, row.user_stack);
    let asked = |stack| !matches!(stack, NamedStack::NotAsked);
    // A single stack must be the one that was asked for; with two, the reader must know which is
    // which.
    let both = asked(kernel) && asked(user);
    push_stack(out, "kernel stack", kernel, both);
    push_stack(out, "user stack", user, both);
}

fn push_stack(out: &mut Vec<u8>, name: &str, stack: NamedStack<'_>, named: bool) {
    if stack == NamedStack::NotAsked {
        return;
    }
    let empty = stack == NamedStack::Frames(&[]);
    let said = stack.note().or(empty.then_some("empty"));
    if named || said.is_some() {
        out.extend_from_slice(b"    ");
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        if let Some(said) = said {
            out.push(b' ');
            // It may name a file.
            push_escaped(out, said.as_bytes());
        }
        out.push(b'\n');
    }
    for frame in stack.frames() {
        out.extend_from_slice(b"        ");
        push_frame(out, frame);
        out.push(b'\n');
    }
}

/// `function+0xoffset [module] file:line`, with `(inlined)` after an inlined function, or the
/// address with the offset in the module and its build id if no function is known.
fn push_frame(out: &mut Vec<u8>, frame: &Frame<'_>) {
    match frame.function {
        Some(function) => {
            push_escaped(out, function.as_bytes());
            if frame.inlined {
                out.extend_from_slice(b" (inlined)");
            } else {
                out.push(b'+');
                push_hex(out, frame.offset, 1);
            }
        }
        None => push_hex(out, frame.address, 1),
    }
    if let Some(module) = frame.module {
        out.extend_from_slice(b" [");
        push_escaped(out, module.as_bytes());
        if let (None, Some(offset)) = (frame.function, frame.module_offset) {
            out.push(b'+');
            push_hex(out, offset, 1);
        }
        out.push(b']');
        if let (None, Some(build_id)) = (frame.function, frame.build_id) {
            out.extend_from_slice(b" build id ");
            push_escaped(out, build_id.as_bytes());
        }
    }
    if let Some(file) = frame.file {
        out.push(b' ');
        push_escaped(out, file.as_bytes());
        if let Some(line) = frame.line {
            out.push(b':');
            push_number(out, line.into());
        }
    }
}
