//! Prose for a terminal.

use std::io::{self, IsTerminal as _};

/// The width if standard output is not a terminal.
const PIPED: usize = 80;

/// The narrowest and the widest prose: a line that is longer is hard to read.
const READABLE: (usize, usize) = (40, 100);

/// The width to write in: the terminal's, within the readable limits.
pub(in crate::commands) fn columns() -> usize {
    let terminal = io::stdout()
        .is_terminal()
        .then(terminal_size::terminal_size)
        .flatten();
    let (narrowest, widest) = READABLE;
    match terminal {
        Some((width, _)) => usize::from(width.0).clamp(narrowest, widest),
        None => PIPED,
    }
}

/// The text wrapped at this width. The first line begins with `first`, the others with `indent`.
///
/// A word that is too long for a line is not broken. The texts are ASCII, so a byte is a column.
pub(in crate::commands) fn wrap(text: &str, columns: usize, first: &str, indent: &str) -> String {
    let mut lines = String::from(first);
    let mut used = first.len();
    let mut fresh = true;
    for word in text.split_whitespace() {
        if !fresh && used + 1 + word.len() > columns {
            lines.push('\n');
            lines.push_str(indent);
            used = indent.len();
            fresh = true;
        }
        if !fresh {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += word.len();
        fresh = false;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_the_columns_and_the_indents() {
        assert_eq!(
            wrap("one two three four", 9, "- ", "  "),
            "- one two\n  three\n  four\n"
        );
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        assert_eq!(
            wrap("a extraordinarily b", 8, "", " "),
            "a\n extraordinarily\n b\n"
        );
        assert_eq!(wrap("", 8, "x", ""), "x\n");
    }
}
