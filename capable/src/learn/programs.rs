//! Names of programs, of which only so many are kept apart.
//!
//! A program chooses its name, and may take another one for each check. A report that told all of
//! them apart could use up the memory, and nobody would read it.

use std::sync::Arc;

use crate::{profile::Interner, session::OTHER_PROGRAMS};

/// How many names are kept apart.
const LIMIT: usize = 4096;
/// The name of all others, which no task has.
const OTHERS: &str = match str::from_utf8(&OTHER_PROGRAMS) {
    Ok(name) => name,
    Err(_) => panic!("it is ASCII"),
};

/// The names.
#[derive(Debug, Default)]
pub struct Programs {
    names: Interner,
    /// Whether any name was one too many.
    some_left_out: bool,
}

impl Programs {
    /// A name, or that of all others.
    pub fn of(&mut self, name: &str) -> Arc<str> {
        let known = self.names.len() < LIMIT || self.names.contains(name);
        // The rows of ended processes may have lost their names before.
        if known && name != OTHERS {
            return self.names.intern(name);
        }
        self.some_left_out = true;
        self.names.intern(OTHERS)
    }

    /// The sentence for a report in which programs have no names of their own.
    pub fn left_out(&self) -> Option<String> {
        self.some_left_out.then(|| {
            format!(
                "there were too many names of programs to keep apart: the rest are \"{OTHERS}\""
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_are_one_and_that_is_told() {
        let mut programs = Programs::default();
        for number in 0..LIMIT {
            let name = format!("program{number}");
            assert_eq!(&*programs.of(&name), name);
        }
        assert_eq!(programs.left_out(), None);
        for number in 0..10_000 {
            assert_eq!(&*programs.of(&format!("one more {number}")), OTHERS);
        }
        assert_eq!(
            &*programs.of("program0"),
            "program0",
            "a known name remains"
        );
        assert_eq!(programs.names.len(), LIMIT + 1);
        let mut few = Programs::default();
        assert_eq!(&*few.of(OTHERS), OTHERS);
        assert!(few.left_out().is_some());
        let sentence = programs.left_out().unwrap();
        assert!(sentence.contains(OTHERS));
    }
}
