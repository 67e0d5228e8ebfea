//! Makes and orders ranges of kernels.

use super::kernels::{Kernels, Version};

/// The given kernels out of all that were read, as ranges; one that reaches the last kernel is
/// open.
pub fn of(these: &[bool], all: &[Version]) -> Kernels {
    let mut ranges: Vec<(Version, Option<Version>)> = Vec::new();
    let mut running = false;
    for (version, has) in all.iter().zip(these) {
        match (has, running, ranges.last_mut()) {
            (true, true, Some(range)) => range.1 = Some(*version),
            (true, ..) => ranges.push((*version, Some(*version))),
            _ => {}
        }
        running = *has;
    }
    if these.last() == Some(&true)
        && let Some(range) = ranges.last_mut()
    {
        range.1 = None;
    }
    Kernels(ranges)
}

/// The first version in the range.
pub fn first(kernels: &Kernels) -> Option<Version> {
    kernels.0.first().map(|(from, _)| *from)
}
