//! Ranges of kernels, made and put in order.

use super::kernels::{Kernels, Version};

/// These of all kernels that are read, in order: what reaches to the last one is open.
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

/// The first version that is meant.
pub fn first(kernels: &Kernels) -> Option<Version> {
    kernels.0.first().map(|(from, _)| *from)
}
