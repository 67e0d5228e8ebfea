//! How sites are found on a stack: reads `capable/atlas/stacks`.

use std::collections::{HashMap, HashSet};

/// Helpers, and which functions may be inlined into which.
#[derive(Debug, Default)]
pub struct Stacks {
    /// Each helper with those that it leads to: the helpers that it calls, those that these call,
    /// and so on.
    helpers: HashMap<&'static str, HashSet<&'static str>>,
    /// For each function that a stack may name, the functions that may be inlined into it.
    within: HashMap<&'static str, Vec<&'static str>>,
}

impl Stacks {
    /// Reads the file.
    pub fn new(text: &'static str) -> Self {
        let mut calls: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut within: HashMap<_, Vec<_>> = HashMap::new();
        for line in text.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("helper"), Some(name)) => {
                    calls.insert(name, words.collect());
                }
                (Some("inlined"), Some(function)) => {
                    for into in words {
                        within.entry(into).or_default().push(function);
                    }
                }
                _ => {}
            }
        }
        let helpers = calls.keys().map(|name| (*name, all_below(&calls, name)));
        Self {
            helpers: helpers.collect(),
            within,
        }
    }

    /// Whether a function only passes a check on, or answers it.
    pub fn is_helper(&self, function: &str) -> bool {
        self.helpers.contains_key(function)
    }

    /// Whether a stack may name `seen` for a call of `helper`: itself, or a helper that it leads to
    /// where it leaves no frame, because it is a macro, was inlined, or jumps.
    pub fn leads_to(&self, helper: &str, seen: &str) -> bool {
        let below = self.helpers.get(helper);
        helper == seen || below.is_some_and(|below| below.contains(seen))
    }

    /// The functions with sites that may be inlined into this one.
    pub fn inlined_into(&self, function: &str) -> impl Iterator<Item = &str> {
        self.within.get(function).into_iter().flatten().copied()
    }
}

/// The helpers that one leads to.
fn all_below(
    calls: &HashMap<&'static str, Vec<&'static str>>,
    helper: &str,
) -> HashSet<&'static str> {
    let mut below = HashSet::new();
    let mut open = vec![helper];
    while let Some(caller) = open.pop() {
        for &called in calls.get(caller).into_iter().flatten() {
            if below.insert(called) {
                open.push(called);
            }
        }
    }
    below
}
