//! Finds the lines of a check by the functions on its stack.
//!
//! Knows nothing of the rest of the program: the tests of the atlas on running kernels are built
//! from this file too.

use std::collections::HashMap;

use super::kernels::{Kernels, Version};
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
        self.nearest(lines.into_iter(), kernel, &stack[asked..])
    }

    /// Whether a line applies to a kernel. Between two kernels whose sources were read, a line
    /// counts if it applies to either of them.
    pub fn holds(&self, line: &Line, kernel: Version) -> bool {
        self.count(&line.kernels, kernel)
    }

    fn count(&self, kernels: &Kernels, kernel: Version) -> bool {
        let read = self.read();
        let above = read.partition_point(|read| *read <= kernel);
        let lower = above.checked_sub(1).map(|index| read[index]);
        match (lower, read.get(above)) {
            (Some(lower), Some(upper)) if lower != kernel => {
                kernels.have(lower) || kernels.have(*upper)
            }
            _ => kernels.have(kernel),
        }
    }

    /// For each site, the line about the nearest caller, or else the line about all other callers; or
    /// several, where the stack does not tell which caller it was. If one site of a function has a
    /// line about a caller on the stack, sites of that function without one do not ask below that
    /// caller.
    fn nearest(
        &self,
        lines: impl Iterator<Item = usize>,
        kernel: Option<Version>,
        stack: &[&str],
    ) -> Vec<usize> {
        let mut sites: Vec<Vec<usize>> = Vec::new();
        for index in lines {
            let key = |index: usize| &self.lines[index].key;
            match sites.iter_mut().find(|site| key(site[0]) == key(index)) {
                Some(site) => site.push(index),
                None => sites.push(vec![index]),
            }
        }
        let found: Vec<_> = sites
            .iter()
            .map(|site| self.nearest_of(site, kernel, stack))
            .collect();
        let place = |index: usize| {
            let key = &self.lines[index].key;
            (&key.file, &key.function)
        };
        let is_of_caller = |site: &[usize]| {
            let others = found.iter().zip(&sites);
            let mut known = others.filter(|(found, _)| found.is_about_caller);
            known.any(|(_, other)| place(other[0]) == place(site[0]))
        };
        found
            .iter()
            .zip(&sites)
            .filter(|(found, site)| found.is_about_caller || !is_of_caller(site))
            .flat_map(|(found, _)| found.lines.iter().copied())
            .collect()
    }

    /// The lines of one site that may hold.
    ///
    /// A caller that a line names is on the stack, or it has no frame because the compiler inlined it
    /// or lets it jump to what it calls last. So for each pair of frames, all ways from one to the
    /// other are looked at. If a line about a caller holds on each of them, it is one of these;
    /// otherwise frames further up may decide, and at last the line about all other callers.
    fn nearest_of(&self, site: &[usize], kernel: Option<Version>, stack: &[&str]) -> Found {
        let about = |caller: &str| {
            let is_it = |index: &&usize| self.lines[**index].under.as_deref() == Some(caller);
            site.iter().find(is_it).copied()
        };
        let counts = |kernels: &Kernels| kernel.is_none_or(|kernel| self.count(kernels, kernel));
        let mut found = Found::default();
        let mut inner = self.lines[site[0]].key.function.as_str();
        for frame in stack {
            let (mut ways, mut named) = (0, 0);
            if *frame != inner {
                for way in self.stacks.ways(frame, inner, counts) {
                    ways += 1;
                    if let Some(index) = way.iter().find_map(|caller| about(caller)) {
                        named += 1;
                        found.add(index);
                    }
                }
            }
            if ways > 0 && ways == named {
                found.is_about_caller = true;
                return found;
            }
            if let Some(index) = about(frame) {
                found.add(index);
                found.is_about_caller = true;
                return found;
            }
            inner = frame;
        }
        let all = site
            .iter()
            .filter(|index| self.lines[**index].under.is_none());
        all.for_each(|&index| found.add(index));
        found
    }
}

/// Lines of one site.
#[derive(Debug, Default)]
struct Found {
    lines: Vec<usize>,
    /// Whether one about a caller holds for certain.
    is_about_caller: bool,
}

impl Found {
    fn add(&mut self, index: usize) {
        if !self.lines.contains(&index) {
            self.lines.push(index);
        }
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
