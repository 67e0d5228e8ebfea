//! Bytes from outside as text that can become those bytes again.
//!
//! Names and paths are bytes, and JSON holds text. A byte that is not part of UTF-8, from 0x80 to
//! 0xff, becomes the character with that number in the block from U+EF80 to U+EFFF, which is for
//! private use. Characters of that block which are in the bytes already are taken for such bytes
//! too, so that no two inputs become the same text. It is the encoding that MirBSD calls OPTU-8;
//! unlike Python's lone surrogates, each reader of JSON takes it.

use std::borrow::Cow;

/// Add a byte to it for the character that stands for this byte.
const BLOCK: u32 = 0xEF00;

/// `bytes` as text, from which [`bytes_of`] makes the same bytes again.
///
/// Text in UTF-8 remains as it is. Each byte that is not part of UTF-8 becomes one of the
/// characters from U+EF80 to U+EFFF.
///
/// ```
/// # use capable::escape::{bytes_of, text_of};
/// assert_eq!(text_of("naïve".as_bytes()), "naïve");
/// let text = text_of(b"na\xefve");
/// assert_eq!(text, "na\u{efef}ve");
/// assert_eq!(bytes_of(&text), &b"na\xefve"[..]);
/// ```
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes)
        && !text.chars().any(|character| byte(character).is_some())
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(3 * bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if byte(character).is_none() {
                text.push(character);
            } else {
                push_bytes(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        push_bytes(&mut text, chunk.invalid());
    }
    Cow::Owned(text)
}

/// The bytes from which [`text_of`] made `text`.
pub fn bytes_of(text: &str) -> Cow<'_, [u8]> {
    if !text.chars().any(|character| byte(character).is_some()) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The byte that `character` stands for, if it is of the block.
pub(super) fn byte(character: char) -> Option<u8> {
    let byte = u8::try_from(u32::from(character).checked_sub(BLOCK)?).ok()?;
    (byte >= 0x80).then_some(byte)
}

fn push_bytes(text: &mut String, bytes: &[u8]) {
    let stands_for = |&byte: &u8| char::from_u32(BLOCK + u32::from(byte));
    text.extend(bytes.iter().filter_map(stands_for));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_come_back_from_the_text() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                for bytes in [
                    vec![first, second],
                    vec![first, b'/', second],
                    vec![0xee, first, second],
                    vec![0xf0, 0x9f, first, second],
                ] {
                    assert_eq!(bytes_of(&text_of(&bytes)), bytes, "{bytes:x?}");
                }
            }
        }
    }

    #[test]
    fn no_two_inputs_become_the_same_text() {
        let imitation = "\u{efff}".as_bytes();
        assert_ne!(text_of(b"\xff"), text_of(imitation));
        assert_eq!(text_of(imitation), "\u{efee}\u{efbf}\u{efbf}");
        assert_eq!(bytes_of(&text_of(imitation)), imitation);
    }

    #[test]
    fn text_in_utf_8_remains_as_it_is() {
        for text in [
            "",
            "nginx: worker",
            "naïve",
            "\u{fffd}",
            "\u{ef7f}",
            "\u{f000}",
        ] {
            assert!(matches!(text_of(text.as_bytes()), Cow::Borrowed(same) if same == text));
            assert!(matches!(bytes_of(text), Cow::Borrowed(same) if same == text.as_bytes()));
        }
    }
}
