//! Finds the lines of a check by the functions on its stack.
//!
//! Knows nothing of the rest of the program: the tests of the atlas on running kernels are built
//! from this file too.

use std::collections::HashMap;

use super::kernels::Version;
use super::line::Line;
use super::stacks::Stacks;

/// Lines, to be found by the function that asks.
#[derive(Debug)]
pub struct Lookup {
    lines: Vec<Line>,
    /// The lines of each function.
    functions: HashMap<String, Vec<usize>>,
    stacks: Stacks,
    /// The kernels whose sources were read, in order.
    read: Vec<Version>,
}

impl Lookup {
    /// Of these lines, with the file about stacks.
    pub fn new(lines: Vec<Line>, stacks: &'static str) -> Self {
        let mut functions: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, line) in lines.iter().enumerate() {
            let name = line.key.function.clone();
            functions.entry(name).or_default().push(index);
        }
        let ranges = lines.iter().flat_map(|line| &line.kernels.0);
        let mut read: Vec<_> = ranges
            .flat_map(|(from, to)| std::iter::once(*from).chain(*to))
            .collect();
        read.sort();
        read.dedup();
        Self {
            lines,
            functions,
            stacks: Stacks::new(stacks),
            read,
        }
    }

    /// All of them.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether a function only passes a check on, or answers it.
    pub fn is_helper(&self, function: &str) -> bool {
        self.stacks.is_helper(function)
    }

    /// The kernels whose sources were read, in order.
    pub fn read(&self) -> &[Version] {
        &self.read
    }

    /// The lines of a check: those of the function that asked, given by the functions on the
    /// stack, that ask for the right capability.
    pub fn find<'a>(
        &self,
        asks: impl Fn(&Line) -> bool,
        kernel: Option<Version>,
        stack: impl Iterator<Item = &'a str>,
    ) -> Vec<usize> {
        let stack: Vec<_> = stack.map(plain_name).collect();
        let is_helper = |function: &&str| self.is_helper(function);
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
                asks(line) && kernel.is_none_or(|kernel| self.holds(line, kernel))
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

    /// Whether a line applies to a kernel. Between two kernels whose sources were read, a line
    /// counts if it applies to either of them.
    pub fn holds(&self, line: &Line, kernel: Version) -> bool {
        let read = self.read();
        let above = read.partition_point(|read| *read <= kernel);
        let lower = above.checked_sub(1).map(|index| read[index]);
        match (lower, read.get(above)) {
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
pub fn plain_name(name: &str) -> &str {
    const BEFORE: [&str; 6] = [
        "__x64_", "__ia32_", "__arm64_", "__do_", "__se_", "__riscv_",
    ];
    BEFORE
        .iter()
        .find_map(|before| name.strip_prefix(before))
        .filter(|rest| rest.starts_with("sys_") || rest.starts_with("compat_sys_"))
        .unwrap_or(name)
}
