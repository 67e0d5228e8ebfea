//! Which functions the compiler may inline one into: a stack then shows their names instead.

use std::collections::BTreeSet;

use anyhow::Result;

use super::index::Index;
use super::items::Function;
use super::unit::{Unit, is_called, occurrences};

/// How many levels of callers are followed.
const DEPTH: usize = 4;

/// The functions that a function in a file may be inlined into, by name.
///
/// These are its callers in the same file, and the callers of those that are static: a function
/// that other files can call is rarely inlined, so it appears on the stack itself. A function in a
/// header belongs to every file that calls it.
pub fn into(index: &Index, unit: &Unit, file: &str, name: &str) -> Result<BTreeSet<String>> {
    let mut into = BTreeSet::new();
    climb(unit, name, DEPTH, &mut into);
    if file.ends_with(".h") {
        let name = name.to_owned();
        for other in index.with(std::iter::once(&name)) {
            climb(&index.unit(other)?, &name, DEPTH, &mut into);
        }
    }
    into.remove(name);
    Ok(into)
}

fn climb(unit: &Unit, name: &str, depth: usize, into: &mut BTreeSet<String>) {
    for caller in callers(unit, name) {
        let is_new = into.insert(caller.name.clone());
        if is_new && caller.is_static && depth > 1 {
            climb(unit, &caller.name, depth - 1, into);
        }
    }
}

fn callers<'a>(unit: &'a Unit, name: &'a str) -> impl Iterator<Item = &'a Function> {
    unit.with_made().flat_map(move |unit| {
        unit.items.functions.iter().filter(move |function| {
            let code = unit.code(function.body);
            occurrences(code, name)
                .iter()
                .any(|&at| is_called(code, at, name))
        })
    })
}
