//! Globs for names, compiled into automata that the kernel side can run: one bit per state, and for
//! each character of the name one table look-up, a shift and two masks.

use capable_common::{COMM_LENGTH, CommPattern};
use thiserror::Error;

/// A glob that cannot be compiled.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GlobError {
    /// A bracket is not closed.
    #[error("'{0}' has a '[' without a ']'; to match a '[' itself, write '[[]'")]
    OpenBracket(String),
    /// The glob ends in a backslash.
    #[error("'{0}' ends in a backslash; to match a backslash itself, write '\\\\'")]
    OpenEscape(String),
    /// Nothing can match.
    #[error("'{0}' cannot match: the name of a task has 1 to 15 bytes")]
    MatchesNothing(String),
}

/// The longest name of a task.
const LONGEST: usize = COMM_LENGTH - 1;

/// The most states of one automaton.
const STATES: usize = 64;

/// One glob: what each position matches, and where there are stars.
struct Glob {
    positions: Vec<[bool; 256]>,
    /// `stars[i]`: there is a star before position `i`; the last one is for the end.
    stars: Vec<bool>,
}

/// Compiles globs (`*`, `?`, `[a-z]`, `[!a-z]`, `\` before a literal) into as few automata as
/// possible. A name is kept if one of the globs matches all of it.
///
/// # Errors
///
/// A glob is malformed, or no name can match it.
pub fn compile(globs: &[String]) -> Result<Vec<CommPattern>, GlobError> {
    let empty = CommPattern {
        enter: [0; 256],
        stay: 0,
        start: 0,
        accept: 0,
    };
    let mut patterns: Vec<CommPattern> = Vec::new();
    let mut used = STATES;
    for glob in globs {
        let Glob { positions, stars } = parse(glob)?;
        let states = positions.len() + 1;
        if used + states > STATES {
            patterns.push(empty);
            used = 0;
        }
        let Some(pattern) = patterns.last_mut() else {
            continue;
        };
        pattern.start |= 1 << used;
        for (index, star) in stars.iter().enumerate() {
            if *star {
                pattern.stay |= 1 << (used + index);
            }
        }
        for (index, position) in positions.iter().enumerate() {
            for (character, takes) in position.iter().enumerate() {
                if *takes {
                    pattern.enter[character] |= 1 << (used + index + 1);
                }
            }
        }
        pattern.accept |= 1 << (used + positions.len());
        used += states;
    }
    Ok(patterns)
}

fn parse(glob: &str) -> Result<Glob, GlobError> {
    let bytes = glob.as_bytes();
    let mut parsed = Glob {
        positions: Vec::new(),
        stars: vec![false],
    };
    let mut next = 0;
    while let Some(&byte) = bytes.get(next) {
        next += 1;
        let mut takes = [false; 256];
        match byte {
            b'*' => {
                if let Some(star) = parsed.stars.last_mut() {
                    *star = true;
                }
                continue;
            }
            b'?' => takes = [true; 256],
            b'[' => next = class(glob, next, &mut takes)?,
            b'\\' => {
                let literal = bytes
                    .get(next)
                    .ok_or_else(|| GlobError::OpenEscape(glob.into()))?;
                takes[usize::from(*literal)] = true;
                next += 1;
            }
            literal => takes[usize::from(literal)] = true,
        }
        parsed.positions.push(takes);
        parsed.stars.push(false);
    }
    let impossible = parsed.positions.iter().any(|takes| !takes.contains(&true));
    if parsed.positions.len() > LONGEST || impossible || glob.is_empty() {
        return Err(GlobError::MatchesNothing(glob.into()));
    }
    Ok(parsed)
}

/// Reads the inside of a bracket and returns the position after it.
fn class(glob: &str, mut next: usize, takes: &mut [bool; 256]) -> Result<usize, GlobError> {
    let bytes = glob.as_bytes();
    let negated = matches!(bytes.get(next), Some(b'!' | b'^'));
    next += usize::from(negated);
    let first = next;
    loop {
        let &low = bytes
            .get(next)
            .ok_or_else(|| GlobError::OpenBracket(glob.into()))?;
        if low == b']' && next > first {
            break;
        }
        let high = match (bytes.get(next + 1), bytes.get(next + 2)) {
            (Some(b'-'), Some(&high)) if high != b']' => {
                next += 2;
                high
            }
            _ => low,
        };
        for character in low..=high {
            takes[usize::from(character)] = true;
        }
        next += 1;
    }
    if negated {
        for taken in takes.iter_mut() {
            *taken = !*taken;
        }
    }
    Ok(next + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel side does with a name (capable-ebpf/src/filter.rs).
    fn keeps(patterns: &[CommPattern], name: &str) -> bool {
        patterns.iter().any(|pattern| {
            let end = name.bytes().fold(pattern.start, |states, character| {
                ((states << 1) & pattern.enter[usize::from(character)]) | (states & pattern.stay)
            });
            end & pattern.accept != 0
        })
    }

    fn matches(globs: &[&str], name: &str) -> bool {
        let globs: Vec<String> = globs.iter().map(|&glob| glob.to_owned()).collect();
        keeps(&compile(&globs).unwrap(), name)
    }

    #[test]
    fn a_glob_matches_the_whole_name() {
        for (glob, yes, no) in [
            ("ping", &["ping"][..], &["pin", "ping6", "xping"][..]),
            ("ping*", &["ping", "ping6"], &["xping"]),
            ("*ing", &["ping", "inging"], &["ings"]),
            ("p*g", &["pg", "ping", "pgg"], &["p", "gp"]),
            ("p?ng", &["ping", "pong"], &["png", "piing"]),
            ("[a-c]x[!0-9]", &["axb", "cx-"], &["dxb", "ax1"]),
            ("[]]", &["]"], &["["]),
            ("kworker/*:*", &["kworker/0:1"], &["kworker/0"]),
            ("\\*", &["*"], &["x"]),
            ("*", &["a", "anything"], &[]),
            ("123456789012345", &["123456789012345"], &["12345678901234"]),
        ] {
            for name in yes {
                assert!(matches(&[glob], name), "{glob} keeps {name}");
            }
            for name in no {
                assert!(!matches(&[glob], name), "{glob} drops {name}");
            }
        }
    }

    #[test]
    fn several_globs_keep_what_any_of_them_matches() {
        let globs: Vec<String> = (0..20).map(|number| format!("program-{number}*")).collect();
        let patterns = compile(&globs).unwrap();
        assert!(patterns.len() > 1, "they do not fit into one automaton");
        assert!(keeps(&patterns, "program-19"));
        assert!(keeps(&patterns, "program-0x"));
        assert!(!keeps(&patterns, "program-"));
        assert!(!keeps(&patterns, "rogram-1"));
    }

    #[test]
    fn a_glob_that_cannot_be_meant_is_refused() {
        for glob in ["[a", "a\\", "", "1234567890123456"] {
            assert!(compile(&[glob.to_owned()]).is_err(), "{glob}");
        }
    }
}
