//! The atlas: every place in the kernel that asks for a capability, and what it does with the
//! answer.
//!
//! The lines are those of `capable/atlas` (its README.md describes them), put into the program by
//! the build script. [`Atlas::place`] finds the lines that a check is about by the functions on its
//! stack. Nothing here decides what is needed: a line says what a site *can* do.

mod effect;
mod kernels;
mod line;
mod place;
mod stacks;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use effect::Verb;
pub use kernels::{Kernels, Version};
pub use line::{Effect, Key, Line, Proof};
pub use place::Place;
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

    /// The lines that are about a capability and name a system call in their sentence, of a kernel
    /// if one is given.
    pub fn of_syscall(
        &self,
        syscall: &str,
        capability: Capability,
        kernel: Option<Version>,
    ) -> impl Iterator<Item = &Line> {
        let name = format!("{syscall}(2)");
        self.lines.iter().filter(move |line| {
            line.asks_for(capability)
                && kernel.is_none_or(|kernel| line.kernels.have(kernel))
                && line.sentence.split([' ', ',']).any(|word| word == name)
        })
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
        Place::new(Self::get().find(capability, kernel, stack))
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

#[cfg(test)]
mod tests;
