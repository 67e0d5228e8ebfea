//! How sites are found on a stack: reads `capable/atlas/stacks`.

use std::collections::{HashMap, HashSet};

use super::kernels::Kernels;

/// Helpers, which functions may be inlined into which, and which callers may have no frame.
#[derive(Debug, Default)]
pub struct Stacks {
    /// Each helper with those that it leads to: the helpers that it calls, those that these call,
    /// and so on.
    helpers: HashMap<&'static str, HashSet<&'static str>>,
    /// For each function that a stack may name, the functions that may be inlined into it.
    within: HashMap<&'static str, Vec<&'static str>>,
    /// For two frames that follow each other, the outer one first, the ways between them.
    between: HashMap<&'static str, HashMap<&'static str, Vec<Ways>>>,
}

/// All ways between two frames in some kernels.
#[derive(Debug)]
struct Ways {
    kernels: Kernels,
    /// Each with the callers that lines name, the nearest to the site first.
    all: Vec<Vec<&'static str>>,
}

impl Stacks {
    /// Reads the file.
    pub fn new(text: &'static str) -> Self {
        let mut calls: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut within: HashMap<_, Vec<_>> = HashMap::new();
        let mut between: HashMap<_, HashMap<_, Vec<_>>> = HashMap::new();
        for line in text.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("between"), Some(outer)) => {
                    let inner = words.next().unwrap_or_default();
                    if let Some(ways) = Ways::read(words) {
                        let inner = between.entry(outer).or_default().entry(inner);
                        inner.or_default().push(ways);
                    }
                }
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
            between,
        }
    }

    /// The ways from a frame to the one below it in the kernels that count, each with the callers that
    /// lines name and that may have no frame there, the nearest to the site first. None if no line
    /// names such a caller.
    pub fn ways(
        &self,
        outer: &str,
        inner: &str,
        counts: impl Fn(&Kernels) -> bool,
    ) -> Vec<&[&'static str]> {
        let known = self.between.get(outer).and_then(|of| of.get(inner));
        known
            .into_iter()
            .flatten()
            .filter(|ways| counts(&ways.kernels))
            .flat_map(|ways| ways.all.iter().map(Vec::as_slice))
            .collect()
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

impl Ways {
    /// Reads the kernels, and then way by way: callers with commas between them, or `-`.
    fn read(mut words: impl Iterator<Item = &'static str>) -> Option<Self> {
        let kernels = Kernels::parse(words.next()?).ok()?;
        let way = |word: &'static str| match word {
            "-" => Vec::new(),
            callers => callers.split(',').collect(),
        };
        let all = words.map(way).collect();
        Some(Self { kernels, all })
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
