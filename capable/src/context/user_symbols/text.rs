//! Cuts texts that others chose.

use std::fmt;

/// What stands at the end of a text that was cut.
const MARK: &str = "…";

/// The text, or its beginning with a mark, in at most `limit` bytes.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let mut bounded = Bounded::new(limit);
    // It ends early, and knows itself that it was cut.
    let _ = fmt::Write::write_str(&mut bounded, text);
    bounded.finish()
}

/// A text that is written until it has its largest length. Then writing fails, so that whoever
/// writes stops: a name of a few bytes can stand for gigabytes.
#[derive(Debug)]
pub(super) struct Bounded {
    text: String,
    limit: usize,
    full: bool,
}

impl Bounded {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            full: false,
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.full
    }

    /// What was written, with a mark if it was cut.
    pub(super) fn finish(mut self) -> String {
        if self.full {
            let end = boundary(&self.text, self.limit - MARK.len());
            self.text.truncate(end);
            self.text.push_str(MARK);
        }
        self.text
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.limit - self.text.len();
        if !self.full && part.len() <= room {
            self.text.push_str(part);
            return Ok(());
        }
        if !self.full {
            self.text.push_str(&part[..boundary(part, room)]);
            self.full = true;
        }
        Err(fmt::Error)
    }
}

/// The last place up to `limit` that is between two characters.
fn boundary(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_marked() {
        assert_eq!(cut("abc", 8), "abc");
        assert_eq!(cut("abcdefgh", 8), "abcdefgh");
        assert_eq!(cut("abcdefghi", 8), "abcde…");
        for limit in 3..20 {
            let text = cut("ääääääääää€€€", limit);
            assert!(text.len() <= limit && text.ends_with('…'), "{text}");
        }
    }

    #[test]
    fn who_writes_too_much_is_stopped() {
        let mut bounded = Bounded::new(8);
        let mut written = 0;
        while fmt::Write::write_str(&mut bounded, "abc").is_ok() {
            written += 1;
        }
        assert_eq!(written, 2);
        assert_eq!(bounded.finish(), "abcab…");
    }
}
