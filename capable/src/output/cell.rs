//! One value, formatted for people.

use super::{
    Clock,
    columns::Align,
    layout::{INDENT, TableSlot},
    numbers::{push_hex, push_number, push_signed, put_right},
    value::Value,
};
use crate::escape::{bytes_of, is_all_plain, is_plain, push_cut, push_hex_byte};
use crate::event::{comm_bytes, comm_length};

/// Shown instead of a value that is not known.
pub const UNKNOWN: u8 = b'-';

/// Writes `value` over the blanks of its column if that takes no more than a copy, and returns
/// whether it did; if not, the caller writes the row with [`push`].
// Always inlined: each column's copy knows what kind of value it has, so only one arm is left.
#[inline(always)]
pub fn put(blanks: &mut [u8], align: Align, value: Value<'_>, clock: &mut Clock) -> bool {
    match value {
        Value::Number(number) => match align {
            Align::Right => put_right(blanks, number),
            Align::Left => false,
        },
        Value::Flag(flag) => put_byte(blanks, align, b'0' + u8::from(flag)),
        Value::Word(word) => put_text(blanks, align, word.as_bytes()),
        Value::Unknown => put_byte(blanks, align, UNKNOWN),
        Value::Comm(comm) => is_plain_comm(comm) && put_comm(blanks, align, comm),
        Value::Text(text) => {
            is_all_plain(text.as_bytes()) && put_text(blanks, align, text.as_bytes())
        }
        Value::Time(time) => put_text(blanks, align, clock.text(time)),
        Value::Signed(_)
        | Value::Numbered(..)
        | Value::Bytes(_)
        | Value::Mask(_)
        | Value::Arguments(_) => false,
    }
}

#[inline]
fn put_byte(blanks: &mut [u8], align: Align, byte: u8) -> bool {
    let place = match align {
        Align::Left => blanks.first_mut(),
        Align::Right => blanks.last_mut(),
    };
    place.map(|place| *place = byte).is_some()
}

#[inline]
fn put_text(blanks: &mut [u8], align: Align, text: &[u8]) -> bool {
    let Some(rest) = blanks.len().checked_sub(text.len()) else {
        return false;
    };
    let start = match align {
        Align::Left => 0,
        Align::Right => rest,
    };
    blanks[start..start + text.len()].copy_from_slice(text);
    true
}

/// A name in the column made for it is a single copy of constant length.
#[inline]
fn put_comm(blanks: &mut [u8], align: Align, comm: &[u8; 16]) -> bool {
    let length = comm_length(comm);
    let Some(place) = blanks.first_chunk_mut::<15>() else {
        return put_text(blanks, align, &comm[..length]);
    };
    if align == Align::Right || length > place.len() {
        return put_text(blanks, align, &comm[..length]);
    }
    // What follows the NUL is not part of the name.
    const BLANKS: u64 = u64::from_ne_bytes([b' '; 8]);
    let cut = |half: u64, length: usize| {
        let kept = (1_u64 << (8 * length)) - 1;
        half & kept | BLANKS & !kept
    };
    let bytes = u128::from_le_bytes(*comm);
    let (low, high) = (bytes as u64, (bytes >> 64) as u64);
    let (low, high) = match length {
        8.. => (low, cut(high, length - 8)),
        _ => (cut(low, length), BLANKS),
    };
    let text = u128::from(high) << 64 | u128::from(low);
    place.copy_from_slice(&text.to_le_bytes()[..15]);
    true
}

/// Whether every byte is plain or NUL. All bytes are checked, to avoid a branch per byte.
#[inline]
fn is_plain_comm(comm: &[u8; 16]) -> bool {
    let odd = |byte: u8| u8::from(!is_plain(byte) & (byte != 0));
    comm.iter().fold(0, |any, &byte| any | odd(byte)) == 0
}

/// Appends `value` as it is shown, at whatever cost; text is cut to `width` columns. Returns the
/// number of terminal columns used.
pub fn push(out: &mut Vec<u8>, value: Value<'_>, width: usize, clock: &mut Clock) -> usize {
    let start = out.len();
    match value {
        Value::Unknown => out.push(UNKNOWN),
        Value::Number(number) => push_number(out, number),
        Value::Signed(number) => push_signed(out, number),
        Value::Flag(flag) => out.push(b'0' + u8::from(flag)),
        Value::Word(word) => out.extend_from_slice(word.as_bytes()),
        Value::Numbered(prefix, number) => {
            out.extend_from_slice(prefix.as_bytes());
            push_signed(out, number);
        }
        Value::Text(text) => return push_cut(out, &bytes_of(text), width),
        Value::Comm(comm) => return push_cut(out, comm_bytes(comm), width),
        Value::Bytes(bytes) => bytes.iter().for_each(|&byte| push_hex_byte(out, byte)),
        Value::Mask(mask) => push_hex(out, mask, 16),
        Value::Arguments(arguments) => push_arguments(out, arguments),
        Value::Time(time) => out.extend_from_slice(clock.text(time)),
    }
    // All of these are ASCII.
    out.len() - start
}

/// Appends the arguments, in hexadecimal, with a blank between two.
pub fn push_arguments(out: &mut Vec<u8>, arguments: &[u64; 6]) {
    for (index, &argument) in arguments.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        push_hex(out, argument, 1);
    }
}

/// Appends one row cell by cell. A number that is too long for its column is not cut: it takes the
/// extra space from the columns that follow.
pub fn push_row<'a>(
    out: &mut Vec<u8>,
    slots: &[TableSlot],
    clock: &mut Clock,
    mut cell: impl FnMut(&TableSlot) -> (Value<'a>, Option<&'static [u8]>),
) {
    let mut column = 0;
    for (index, slot) in slots.iter().enumerate() {
        if slot.folded {
            out.push(b'\n');
            out.extend_from_slice(&[b' '; INDENT]);
            column = slot.start;
        } else if index > 0 {
            out.push(b' ');
            column += 1;
        }
        // If earlier columns have run over, this one gets less room, but at least one column.
        let room = slot.end.saturating_sub(column).max(1);
        let width = if slot.open { usize::MAX } else { room };
        let (value, colour) = cell(slot);
        let start = out.len();
        let used = push(out, value, width, clock);
        let blanks = slot.end.saturating_sub(column + used);
        if let Some(colour) = colour {
            out.splice(start..start, colour.iter().copied());
            out.extend_from_slice(super::colour::RESET);
        }
        match slot.align {
            Align::Left if index + 1 == slots.len() => column += used,
            Align::Left => {
                out.resize(out.len() + blanks, b' ');
                column += used + blanks;
            }
            Align::Right => {
                out.resize(out.len() + blanks, b' ');
                let end = out.len();
                out[start..end].rotate_right(blanks);
                column += used + blanks;
            }
        }
    }
    out.push(b'\n');
}
