//! Colour on a terminal.

use std::ffi::OsStr;

/// Bold red: what stands out.
pub const DENIED: &[u8] = b"\x1b[1;31m";

/// Back to normal.
pub const RESET: &[u8] = b"\x1b[0m";

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Whether to use colour, given whether this is a terminal and the value of `NO_COLOR`, which
    /// counts if it is set and not empty (no-color.org).
    pub fn decide(self, terminal: bool, no_color: Option<&OsStr>) -> bool {
        match self {
            Self::Auto => terminal && no_color.is_none_or(OsStr::is_empty),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_and_no_color_turns_it_off() {
        let set = Some(OsStr::new("1"));
        assert!(ColorChoice::Auto.decide(true, None));
        assert!(ColorChoice::Auto.decide(true, Some(OsStr::new(""))));
        assert!(!ColorChoice::Auto.decide(true, set));
        assert!(!ColorChoice::Auto.decide(false, None));
        assert!(ColorChoice::Always.decide(false, set));
        assert!(!ColorChoice::Never.decide(true, None));
    }
}
