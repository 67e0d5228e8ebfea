//! How sites are found on a stack: reads `capable/atlas/stacks`.

use std::collections::{HashMap, HashSet};

/// Helpers, and which functions may be inlined into which.
#[derive(Debug, Default)]
pub struct Stacks {
    helpers: HashSet<&'static str>,
    /// For each function that a stack may name, the functions that may be inlined into it.
    within: HashMap<&'static str, Vec<&'static str>>,
}

impl Stacks {
    /// Reads the file.
    pub fn new(text: &'static str) -> Self {
        let mut stacks = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("helper"), Some(name)) => {
                    stacks.helpers.insert(name);
                }
                (Some("inlined"), Some(function)) => {
                    for into in words {
                        stacks.within.entry(into).or_default().push(function);
                    }
                }
                _ => {}
            }
        }
        stacks
    }

    /// Whether a function only passes a check on, or answers it.
    pub fn is_helper(&self, function: &str) -> bool {
        self.helpers.contains(function)
    }

    /// The functions with sites that may be inlined into this one.
    pub fn inlined_into(&self, function: &str) -> impl Iterator<Item = &str> {
        self.within.get(function).into_iter().flatten().copied()
    }
}
