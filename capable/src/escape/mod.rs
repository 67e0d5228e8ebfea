//! Untrusted text made safe for a terminal.
//!
//! A task's name can be any bytes that the task likes, and so can file names and function names.
//! Whatever could colour, clear or reorder a terminal is written as an escape: `\x1b` for a byte,
//! `\u{202e}` for a character above 0x7f, `\\` for a backslash, so that the text can be read back.
//! Where bytes have to be text, in JSON and in the library's strings, [`text_of`] makes it of them.

mod hex;
mod text;

pub(crate) use hex::{push_hex_byte, push_hex_digits};
pub use text::{bytes_of, text_of};
use unicode_width::UnicodeWidthChar;

/// Marks text that was cut, as in ps(1) and top(1).
const CUT: u8 = b'+';

/// Whether `byte` can be printed unchanged anywhere.
#[inline]
pub(crate) const fn is_plain(byte: u8) -> bool {
    // Without branches, so that many bytes can be checked at once.
    (byte.wrapping_sub(b' ') <= b'~' - b' ') & (byte != b'\\')
}

/// Whether every byte of `text` can be printed unchanged.
#[inline]
pub(crate) fn is_all_plain(text: &[u8]) -> bool {
    let odd = |any: u8, byte: &u8| any | u8::from(!is_plain(*byte));
    text.chunks(16).all(|part| part.iter().fold(0, odd) == 0)
}

/// Whether every byte of `text` can be printed unchanged even between quotation marks.
#[cfg(feature = "cli")]
#[inline]
pub(crate) fn is_all_quotable(text: &[u8]) -> bool {
    let odd = |any: u8, &byte: &u8| any | u8::from(!is_plain(byte) | (byte == b'"'));
    text.chunks(16).all(|part| part.iter().fold(0, odd) == 0)
}

/// Appends `text`, escaped; returns the number of terminal columns that it takes.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) -> usize {
    push_cut(out, text, usize::MAX)
}

/// Appends as much of the escaped `text` as fits into `width` terminal columns, and marks the cut.
/// Returns the number of columns taken.
pub(crate) fn push_cut(out: &mut Vec<u8>, text: &[u8], width: usize) -> usize {
    if text.len() <= width && is_all_plain(text) {
        out.extend_from_slice(text);
        return text.len();
    }
    let mut used = 0;
    // Where to cut if the whole does not fit: this leaves room for the mark.
    let mut cut = (out.len(), 0);
    let mut fits = |out: &mut Vec<u8>, columns: usize, used: &mut usize| {
        *used += columns;
        if *used < width {
            cut = (out.len(), *used);
        }
        if *used > width {
            out.truncate(cut.0);
            out.push(CUT);
            *used = cut.1 + 1;
            return false;
        }
        true
    };
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            let columns = push_character(out, character);
            if !fits(out, columns, &mut used) {
                return used;
            }
        }
        for &byte in chunk.invalid() {
            let columns = push_byte(out, byte);
            if !fits(out, columns, &mut used) {
                return used;
            }
        }
    }
    used
}

/// Bytes from outside as text that is safe on a terminal and can be read back: backslashes and
/// everything that is not printable UTF-8 are escaped (`\x1b`, `\u{202e}`, `\\`).
///
/// ```
/// # use capable::escape::printable;
/// assert_eq!(printable(b"nginx: worker"), "nginx: worker");
/// assert_eq!(printable(b"\x1b[2Jboo"), r"\x1b[2Jboo");
/// ```
pub fn printable(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    push_escaped(&mut text, bytes);
    String::from_utf8_lossy(&text).into_owned()
}

fn push_byte(out: &mut Vec<u8>, byte: u8) -> usize {
    out.extend_from_slice(b"\\x");
    push_hex_byte(out, byte);
    4
}

fn push_character(out: &mut Vec<u8>, character: char) -> usize {
    if character == '\\' {
        out.extend_from_slice(b"\\\\");
        return 2;
    }
    if is_unsafe(character) {
        let code = u32::from(character);
        if let Ok(byte @ ..0x80) = u8::try_from(code) {
            return push_byte(out, byte);
        }
        let start = out.len();
        out.extend_from_slice(b"\\u{");
        push_hex_digits(out, u64::from(code), 1);
        out.push(b'}');
        return out.len() - start;
    }
    let mut buffer = [0; 4];
    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
    character.width().unwrap_or(0)
}

/// Whether a terminal may do something other than display `character`: C0 and C1 controls, and
/// Unicode format characters, which are invisible or change the direction of writing. What stands
/// for a byte has no shape either.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || text::byte(character).is_some()
        || matches!(
            character,
            '\u{00ad}'
                | '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], width: usize) -> String {
        let mut out = Vec::new();
        let used = push_cut(&mut out, text, width);
        let shown = String::from_utf8(out).unwrap();
        let columns: usize = shown.chars().map(|c| c.width().unwrap_or(0)).sum();
        assert_eq!(used, columns, "{shown:?}");
        assert!(used <= width, "{shown:?}");
        shown
    }

    #[test]
    fn what_could_steer_a_terminal_is_shown_as_an_escape() {
        assert_eq!(cut(b"\x1b[2Jboo", 20), r"\x1b[2Jboo");
        assert_eq!(cut(b"a\nb\tc\x7f", 20), r"a\x0ab\x09c\x7f");
        // The control sequence introducer as a Unicode character, and as a lone byte.
        assert_eq!(cut("\u{9b}31m".as_bytes(), 20), r"\u{9b}31m");
        assert_eq!(cut(b"\x9b31m", 20), r"\x9b31m");
        assert_eq!(
            cut("\u{202e}txt\u{2066}".as_bytes(), 30),
            r"\u{202e}txt\u{2066}"
        );
        assert_eq!(cut(br"a\x1b", 20), r"a\\x1b");
    }

    #[test]
    fn untrusted_names_neither_reach_the_terminal_nor_lose_a_byte() {
        assert_eq!(printable(b"nginx: worker"), "nginx: worker");
        assert_eq!(printable("größe".as_bytes()), "größe");
        assert_eq!(printable(b"\x1b[31m\xff\n\\"), r"\x1b[31m\xff\x0a\\");
        assert_eq!(printable("a\u{202e}b".as_bytes()), r"a\u{202e}b");
        assert_eq!(printable(b"it's \"x\""), "it's \"x\"");
    }

    #[test]
    fn text_of_any_script_stays_as_it_is() {
        assert_eq!(cut("größe".as_bytes(), 20), "größe");
        assert_eq!(cut("日本語".as_bytes(), 6), "日本語");
    }

    #[test]
    fn a_cut_is_marked_and_never_splits_a_character_or_an_escape() {
        assert_eq!(cut(b"systemd-journald", 15), "systemd-journa+");
        assert_eq!(cut(b"systemd-journal", 15), "systemd-journal");
        assert_eq!(cut("日本語".as_bytes(), 5), "日本+");
        assert_eq!(cut("日本語".as_bytes(), 4), "日+");
        assert_eq!(cut(b"abc\x1b\x1b", 8), r"abc\x1b+");
        assert_eq!(cut(b"abc", 1), "+");
    }
}
