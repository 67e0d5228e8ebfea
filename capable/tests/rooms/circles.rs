//! Files that use each other in a circle.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The circles: sets of files of which each leads to every other.
pub fn find<'a>(edges: impl Iterator<Item = (&'a Path, &'a Path)>) -> Vec<Vec<&'a Path>> {
    let mut next: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&Path, BTreeSet<&Path>> = next
        .keys()
        .map(|&file| (file, reach(&next, file)))
        .collect();
    let leads = |from: &Path, to: &Path| reached.get(from).is_some_and(|it| it.contains(to));
    let mut circles: Vec<Vec<&Path>> = Vec::new();
    for &file in next.keys().filter(|file| leads(file, file)) {
        match circles
            .iter_mut()
            .find(|it| leads(it[0], file) && leads(file, it[0]))
        {
            Some(circle) => circle.push(file),
            None => circles.push(vec![file]),
        }
    }
    circles
}

/// The files that one leads to.
fn reach<'a>(next: &BTreeMap<&'a Path, BTreeSet<&'a Path>>, file: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        for &to in next.get(file).into_iter().flatten() {
            if reached.insert(to) {
                open.push(to);
            }
        }
    }
    reached
}
