//! Text for people: made harmless, wrapped, and with counts in words.

use std::fmt::Write as _;

use super::report::ReportedLoss;

/// Makes text of unknown origin harmless: control characters, including the Unicode ones that
/// reorder text, are escaped, so that a name can neither colour a terminal nor end a comment.
pub(super) fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let reorders = matches!(character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || reorders {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Appends `text` to `out` as lines of at most `width` characters, if its words allow; the first
/// line begins with `first`, the others with `rest`.
pub(super) fn wrap(out: &mut String, first: &str, rest: &str, width: usize, text: &str) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(line.trim_end());
            out.push('\n');
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// The beginning of a title that is too long for a line of its own.
pub(super) fn shortened(title: &str) -> String {
    /// Leaves room for a few words in a line of 80 columns.
    const LONGEST: usize = 60;
    let title = harmless(title);
    match title.char_indices().nth(LONGEST) {
        None => title,
        Some((end, _)) => format!("{} ...", title[..end].trim_end()),
    }
}

/// `1 check`, `1016 checks`.
pub(super) fn checks(count: u64) -> String {
    match count {
        1 => "1 check".to_owned(),
        _ => format!("{count} checks"),
    }
}

/// What was lost and why: `12 because the buffer was full and 3 because ...`.
pub(super) fn losses(losses: &[ReportedLoss]) -> String {
    let losses: Vec<_> = losses
        .iter()
        .map(|loss| match loss.lost {
            Some(lost) => format!("{lost} because {}", loss.cause),
            None => format!("some because {}", loss.cause),
        })
        .collect();
    harmless(&list(&losses))
}

/// ` by 1 process`, ` by 2001 processes`; empty if that is not known.
pub(super) fn by_processes(count: Option<u64>) -> String {
    match count {
        None => String::new(),
        Some(1) => " by 1 process".to_owned(),
        Some(count) => format!(" by {count} processes"),
    }
}

/// A time in the unit that fits: `12 ms`, `3.4 s`, `2 h 5 min`.
pub(super) fn time(nanoseconds: u64) -> String {
    let mut text = String::new();
    let seconds = nanoseconds / 1_000_000_000;
    // Writing to a string cannot fail.
    let _ = match nanoseconds {
        0..1_000_000 => write!(text, "{} µs", nanoseconds / 1_000),
        1_000_000..1_000_000_000 => write!(text, "{} ms", nanoseconds / 1_000_000),
        _ if seconds < 120 => {
            let tenths = nanoseconds / 100_000_000;
            write!(text, "{}.{} s", tenths / 10, tenths % 10)
        }
        _ if seconds < 7_200 => write!(text, "{} min", seconds / 60),
        _ => write!(text, "{} h {} min", seconds / 3_600, seconds / 60 % 60),
    };
    text
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_colour_a_terminal_or_end_a_comment() {
        assert_eq!(harmless("a\x1b[31m\nb"), "a\\u{1b}[31m\\nb");
        assert_eq!(harmless("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(harmless("größe 漢"), "größe 漢");
    }

    #[test]
    fn a_long_title_is_cut_and_says_so() {
        assert_eq!(shortened("ping -c1 ::1"), "ping -c1 ::1");
        let long = shortened(&"größe ".repeat(20));
        assert!(long.ends_with("größe ..."), "{long}");
        assert_eq!(long.chars().count(), 59 + 4);
    }

    #[test]
    fn lines_are_wrapped_at_words_and_a_long_word_stays_whole() {
        let mut out = String::new();
        wrap(&mut out, "- ", "  ", 9, "one two three incomprehensible");
        assert_eq!(out, "- one two\n  three\n  incomprehensible\n");
    }

    #[test]
    fn numbers_and_times_are_readable() {
        assert_eq!(checks(1), "1 check");
        assert_eq!(checks(1_016), "1016 checks");
        assert_eq!(time(12_345), "12 µs");
        assert_eq!(time(3_450_000_000), "3.4 s");
        assert_eq!(time(7_500_000_000_000), "2 h 5 min");
    }

    #[test]
    fn a_list_reads_like_a_sentence() {
        let items = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(list(&items("a")), "a");
        assert_eq!(list(&items("a b c")), "a, b and c");
    }
}
