//! The atlas: every place in the kernel that asks for a capability, and what it does with the
//! answer.
//!
//! The lines are those of `capable/atlas` (its README.md describes them), built into the program by
//! the build script. [`Atlas::place`] finds the lines for a check by the functions on its stack.
//! Nothing here decides what is needed: a line says what a site *can* do.

mod call;
mod effect;
mod kernels;
mod line;
mod place;
mod stacks;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use call::Call;
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
    /// The lines whose sentence names a system call.
    syscalls: HashMap<String, Vec<usize>>,
    stacks: Stacks,
    /// The kernels whose sources were read, in order.
    read: Vec<Version>,
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
        let mut functions: HashMap<String, Vec<usize>> = HashMap::new();
        let mut syscalls: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, line) in lines.iter().enumerate() {
            let name = line.key.function.clone();
            functions.entry(name).or_default().push(index);
            for name in line.syscalls() {
                syscalls.entry(name.to_owned()).or_default().push(index);
            }
        }
        let ranges = lines.iter().flat_map(|line| &line.kernels.0);
        let mut read: Vec<_> = ranges
            .flat_map(|(from, to)| std::iter::once(*from).chain(*to))
            .collect();
        read.sort();
        read.dedup();
        Self {
            read,
            lines,
            functions,
            syscalls,
            stacks: Stacks::new(stacks),
        }
    }

    /// All lines, grouped by source file.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines of a function, by the name that a stack or a user gives it (`__x64_sys_chroot`), and
    /// of a helper (`can_nice`) those of the sites that ask through it.
    pub fn about_function<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Line> + use<'a> {
        let name = plain_name(name).to_owned();
        let is_about = move |line: &&Line| line.key.function == name || line.key.helper == name;
        self.lines.iter().filter(is_about)
    }

    /// The lines that name this capability.
    pub fn of_capability(&self, capability: Capability) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .filter(move |line| line.key.capabilities != "?" && line.asks_for(capability))
    }

    /// The lines whose sentence mentions a system call, that is, what it can ask for according to
    /// the atlas.
    pub fn of_syscall<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Line> + use<'a> {
        let indexes = self.syscalls.get(name).into_iter().flatten();
        indexes.map(|&index| &self.lines[index])
    }

    /// The kernel that was read after this one.
    pub(crate) fn next_read(&self, kernel: Version) -> Option<Version> {
        self.read.iter().copied().find(|read| *read > kernel)
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
        let stack: Vec<_> = stack.map(plain_name).collect();
        let is_helper = |function: &&str| self.stacks.is_helper(function);
        let Some(asked) = stack.iter().position(|function| !is_helper(function)) else {
            return Vec::new();
        };
        let function = stack[asked];
        let inlined = self.stacks.inlined_into(function);
        let functions = std::iter::once(function).chain(inlined);
        let lines = functions
            .filter_map(|name| self.functions.get(name))
            .flatten();
        let mut lines: Vec<_> = lines
            .copied()
            .filter(|&index| {
                let line = &self.lines[index];
                line.asks_for(capability) && kernel.is_none_or(|kernel| self.holds(line, kernel))
            })
            .collect();
        // The helper, or one that it calls, may be on the stack: if a function has two sites, that
        // tells which one this is.
        if let Some(seen) = asked.checked_sub(1).map(|below| stack[below]) {
            let of_seen = |index: &usize| {
                let helper = &self.lines[*index].key.helper;
                self.stacks.leads_to(helper, seen)
            };
            if lines.iter().any(of_seen) {
                lines.retain(of_seen);
            }
        }
        self.nearest(lines.into_iter(), &stack[asked..])
    }

    /// The oldest kernel whose sources were read.
    #[cfg(feature = "cli")]
    pub(crate) fn oldest(&self) -> Option<Version> {
        self.read.first().copied()
    }

    /// Whether a line applies to a kernel. Between two kernels whose sources were read, a line
    /// counts if it applies to either of them.
    pub fn holds(&self, line: &Line, kernel: Version) -> bool {
        let above = self.read.partition_point(|read| *read <= kernel);
        let lower = above.checked_sub(1).map(|index| self.read[index]);
        match (lower, self.read.get(above)) {
            (Some(lower), Some(upper)) if lower != kernel => {
                line.kernels.have(lower) || line.kernels.have(*upper)
            }
            _ => line.kernels.have(kernel),
        }
    }

    /// For each site, the line about the nearest caller on the stack, or else the line about all
    /// other callers. If one site of a function has a line about a caller on the stack, sites of
    /// that function without one do not ask below that caller.
    fn nearest(&self, lines: impl Iterator<Item = usize>, stack: &[&str]) -> Vec<usize> {
        let mut best: Vec<(Option<usize>, usize)> = Vec::new();
        for index in lines {
            let line = &self.lines[index];
            let distance = match &line.under {
                Some(caller) => match stack.iter().position(|function| function == caller) {
                    Some(distance) => Some(distance),
                    None => continue,
                },
                None => None,
            };
            let same = |(_, it): &&mut (Option<usize>, usize)| self.lines[*it].key == line.key;
            match best.iter_mut().find(same) {
                Some(known) => {
                    if distance.is_some_and(|it| known.0.is_none_or(|known| it < known)) {
                        *known = (distance, index);
                    }
                }
                None => best.push((distance, index)),
            }
        }
        let is_of_caller = |index: usize| {
            let key = &self.lines[index].key;
            best.iter().any(|(distance, other)| {
                let other = &self.lines[*other].key;
                distance.is_some() && (&other.file, &other.function) == (&key.file, &key.function)
            })
        };
        best.iter()
            .filter(|(distance, index)| distance.is_some() || !is_of_caller(*index))
            .map(|(_, index)| *index)
            .collect()
    }
}

/// All entry points of a system call count as the same function: `__x64_sys_chroot`,
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
