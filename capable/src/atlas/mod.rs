//! The atlas: every place in the kernel that asks for a capability, and what it does with the
//! answer.
//!
//! The lines are those of `capable/atlas` (its README.md describes them), put into the program by
//! the build script. [`Atlas::place`] finds the lines that a check is about by the functions on its
//! stack. Nothing here decides what is needed: a line says what a site *can* do.

mod effect;
mod kernels;
mod line;
mod stacks;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

pub use effect::Verb;
pub use kernels::{Kernels, Version};
pub use line::{Effect, Key, Line, Proof};
use stacks::Stacks;

use crate::capability::Capability;

/// All lines, each below the name of its source file.
const LINES: &str = include_str!(concat!(env!("OUT_DIR"), "/atlas.sites"));
/// How sites are found on a stack.
const STACKS: &str = include_str!("../../atlas/stacks");

/// All lines, to be searched.
#[derive(Debug)]
pub struct Atlas {
    lines: Vec<Line>,
    /// The lines of each function.
    functions: HashMap<String, Vec<usize>>,
    stacks: Stacks,
}

/// What the atlas says of a check: one line, or several where the stack does not tell which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// By their places in the program's atlas, so that it is quickly compared.
    lines: Arc<[usize]>,
}

static ATLAS: LazyLock<Atlas> = LazyLock::new(|| Atlas::new(LINES, STACKS));

impl Atlas {
    /// The atlas that the program holds.
    pub fn get() -> &'static Self {
        &ATLAS
    }

    /// # Panics
    ///
    /// If a line is not one, which a test would have found.
    fn new(lines: &str, stacks: &'static str) -> Self {
        let lines = line::all(lines).unwrap_or_else(|error| panic!("the atlas: {error:#}"));
        let mut functions: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, line) in lines.iter().enumerate() {
            let name = line.key.function.clone();
            functions.entry(name).or_default().push(index);
        }
        Self {
            lines,
            functions,
            stacks: Stacks::new(stacks),
        }
    }

    /// All lines, by source file.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines of a function, by the name that a stack or a user gives it: `can_nice`,
    /// `__x64_sys_chroot`.
    pub fn of_function(&self, name: &str) -> impl Iterator<Item = &Line> {
        let indexes = self.functions.get(plain_name(name)).into_iter().flatten();
        indexes.map(|&index| &self.lines[index])
    }

    /// What is known of a check for a capability by the functions on its stack, the innermost
    /// first, from `cap_capable` or a function above it on, each without what the compiler added.
    ///
    /// The function above the helpers has the site, or one that the compiler may have put into it.
    /// Without a version every kernel's lines count.
    pub fn place<'a>(
        capability: Capability,
        kernel: Option<Version>,
        stack: impl Iterator<Item = &'a str>,
    ) -> Option<Place> {
        let lines = Self::get().find(capability, kernel, stack);
        (!lines.is_empty()).then(|| Place {
            lines: lines.into(),
        })
    }

    fn find<'a>(
        &self,
        capability: Capability,
        kernel: Option<Version>,
        stack: impl Iterator<Item = &'a str>,
    ) -> Vec<usize> {
        let stack: Vec<_> = stack.map(plain_name).collect();
        let is_helper = |function: &&str| self.stacks.is_helper(function);
        let Some(asked) = stack.iter().position(|function| !is_helper(function)) else {
            return Vec::new();
        };
        let (function, above) = (stack[asked], &stack[asked + 1..]);
        let inlined = self.stacks.inlined_into(function);
        let functions = std::iter::once(function).chain(inlined);
        let lines = functions
            .filter_map(|name| self.functions.get(name))
            .flatten();
        let lines = lines.copied().filter(|&index| {
            let line = &self.lines[index];
            line.asks_for(capability) && kernel.is_none_or(|kernel| line.kernels.have(kernel))
        });
        self.nearest(lines, above)
    }

    /// Of the lines of each site, the one about the nearest caller on the stack, or else the one
    /// about all others.
    fn nearest(&self, lines: impl Iterator<Item = usize>, above: &[&str]) -> Vec<usize> {
        let mut best: Vec<(usize, usize)> = Vec::new();
        for index in lines {
            let line = &self.lines[index];
            let distance = match &line.under {
                Some(caller) => above.iter().position(|function| function == caller),
                None => Some(usize::MAX),
            };
            let Some(distance) = distance else {
                continue;
            };
            let same = |(_, it): &&mut (usize, usize)| self.lines[*it].key == line.key;
            match best.iter_mut().find(same) {
                Some(known) if distance < known.0 => *known = (distance, index),
                Some(_) => {}
                None => best.push((distance, index)),
            }
        }
        best.into_iter().map(|(_, index)| index).collect()
    }
}

/// The entry points of a system call are all its own function: `__x64_sys_chroot`,
/// `__do_sys_chroot` and `__ia32_sys_chroot` are `sys_chroot` (SYSCALL_DEFINE,
/// include/linux/syscalls.h and asm/syscall_wrapper.h, 6.12).
fn plain_name(name: &str) -> &str {
    const BEFORE: [&str; 6] = [
        "__x64_", "__ia32_", "__arm64_", "__do_", "__se_", "__riscv_",
    ];
    BEFORE
        .iter()
        .find_map(|before| name.strip_prefix(before))
        .filter(|rest| rest.starts_with("sys_") || rest.starts_with("compat_sys_"))
        .unwrap_or(name)
}

impl Place {
    /// What the lines have in common: one verb, [`Verb::Unread`] if one is, and otherwise
    /// [`Verb::Sometimes`].
    pub fn verb(&self) -> Verb {
        let mut verbs = self.lines().map(|line| line.effect.verb());
        let first = verbs.next().unwrap_or(Verb::Unread);
        verbs.fold(first, |all, verb| match (all, verb) {
            _ if all == verb => all,
            (Verb::Unread, _) | (_, Verb::Unread) => Verb::Unread,
            _ => Verb::Sometimes,
        })
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &'static Line> {
        let atlas = Atlas::get();
        self.lines.iter().map(|&index| &atlas.lines[index])
    }

    /// The sentences of the lines, each once.
    pub fn sentences(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        for line in self.lines() {
            let sentence = line.sentence.as_str();
            if !sentence.is_empty() && !all.contains(&sentence) {
                all.push(sentence);
            }
        }
        all
    }

    /// The end of the system call does not tell whether it was refused: that is in a message or a
    /// completion, or nowhere.
    pub fn is_told_elsewhere(&self) -> bool {
        let words = ["ack", "cqe", "unseen"];
        self.lines()
            .any(|line| words.iter().any(|word| line.effect.has(word)))
    }
}

#[cfg(test)]
mod tests;
