//! The atlas: every place in the kernel that asks for a capability, and what it does with the
//! answer.
//!
//! The lines are those of `capable/atlas` (its README.md describes them), built into the program by
//! the build script. [`Atlas::place`] finds the lines for a check by the functions on its stack.
//! Nothing here decides what is needed: a line says what a site *can* do.

mod alike;
mod asked;
mod call;
mod effect;
mod kernels;
mod line;
mod lookup;
mod place;
mod stacks;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use call::Call;
pub use effect::Verb;
pub use kernels::{Kernels, Version};
pub use line::{Effect, Key, Line, Proof};
use lookup::{Lookup, plain_name};
pub use place::Place;

use crate::capability::Capability;

/// All lines, each below the name of its source file.
const LINES: &str = include_str!(concat!(env!("OUT_DIR"), "/atlas.sites"));
/// How sites are found on a stack.
const STACKS: &str = include_str!("../../atlas/stacks");

/// All lines, to be searched.
#[derive(Debug)]
pub struct Atlas {
    lookup: Lookup,
    /// The lines whose sentence names a system call.
    syscalls: HashMap<String, Vec<usize>>,
    /// The lines about paths, which many system calls are given.
    paths: Vec<usize>,
}

static ATLAS: LazyLock<Atlas> = LazyLock::new(|| Atlas::new(LINES, STACKS));

impl Atlas {
    /// The atlas that is built into the program.
    pub fn get() -> &'static Self {
        &ATLAS
    }

    /// # Panics
    ///
    /// If a line is invalid, which a test would have found.
    fn new(lines: &str, stacks: &'static str) -> Self {
        let lines = line::all(lines).unwrap_or_else(|error| panic!("the atlas: {error:#}"));
        let mut syscalls: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, line) in lines.iter().enumerate() {
            for name in line.syscalls() {
                syscalls.entry(name.to_owned()).or_default().push(index);
            }
        }
        let is_about_paths = |line: &Line| line.sentence.starts_with("using a path through ");
        let paths = lines.iter().enumerate();
        let paths = paths.filter(|(_, line)| is_about_paths(line));
        let paths = paths.map(|(index, _)| index).collect();
        Self {
            lookup: Lookup::new(lines, stacks),
            syscalls,
            paths,
        }
    }

    /// All lines, grouped by source file.
    pub fn lines(&self) -> &[Line] {
        self.lookup.lines()
    }

    /// The lines of a function, by the name that a stack or a user gives it (`__x64_sys_chroot`), and
    /// of a helper (`can_nice`) those of the sites that ask through it, and of a caller
    /// (`would_dump`) those about it.
    pub fn about_function<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Line> + use<'a> {
        let name = plain_name(name).to_owned();
        let is_about = move |line: &&Line| {
            let names = [&line.key.function, &line.key.helper];
            names.contains(&&name) || line.under.as_ref() == Some(&name)
        };
        self.lines().iter().filter(is_about)
    }

    /// The lines that name this capability.
    pub fn of_capability(&self, capability: Capability) -> impl Iterator<Item = &Line> {
        self.lines()
            .iter()
            .filter(move |line| line.key.capabilities != "?" && line.asks_for(capability))
    }

    /// The lines whose sentence mentions a system call, or one that the kernel treats alike, or the
    /// path that it is given: what it can ask for according to the atlas.
    pub fn of_syscall<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Line> + use<'a> {
        let mut indexes: Vec<_> = alike::alike(name)
            .filter_map(|name| self.syscalls.get(name))
            .flatten()
            .copied()
            .collect();
        if alike::walks(name) {
            indexes.extend_from_slice(&self.paths);
        }
        indexes.sort_unstable();
        indexes.dedup();
        indexes.into_iter().map(|index| &self.lines()[index])
    }

    /// The kernel that was read after this one.
    #[cfg(feature = "cli")]
    pub(crate) fn next_read(&self, kernel: Version) -> Option<Version> {
        self.lookup
            .read()
            .iter()
            .copied()
            .find(|read| *read > kernel)
    }

    /// The oldest kernel whose sources were read.
    #[cfg(feature = "cli")]
    pub(crate) fn oldest(&self) -> Option<Version> {
        self.lookup.read().first().copied()
    }

    /// What is known about a check for a capability, from the functions on its stack. These are
    /// given without compiler suffixes and from the innermost outwards, beginning with the function
    /// that asked or with the helper below it.
    ///
    /// The site is in the function above the helpers, or in one that the compiler may have inlined
    /// into it. Without a version, the lines of all kernels count.
    pub fn place<'a>(
        capability: Capability,
        kernel: Option<Version>,
        stack: impl Iterator<Item = &'a str>,
    ) -> Option<Place> {
        Place::new(Self::get().find(capability, kernel, stack))
    }

    fn find<'a>(
        &self,
        capability: Capability,
        kernel: Option<Version>,
        stack: impl Iterator<Item = &'a str>,
    ) -> Vec<usize> {
        let asks = |line: &Line| line.asks_for(capability);
        self.lookup.find(asks, kernel, stack)
    }

    /// Whether a line applies to a kernel. Between two kernels whose sources were read, a line
    /// counts if it applies to either of them.
    pub fn holds(&self, line: &Line, kernel: Version) -> bool {
        self.lookup.holds(line, kernel)
    }
}

#[cfg(test)]
mod tests;
