//! Checks that the callers in lines are functions of their kernels: a misspelt name would never be
//! found on a stack.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread;

use anyhow::{Context, Result, bail};

use super::atlas::Atlas;
use super::kernels::Version;
use super::line::Line;
use super::makers::Makers;
use super::source::Source;
use super::unit::{Names, Unit};

/// Lines with a caller that is not a function in a kernel that they name.
pub fn unknown<'a>(
    atlas: &'a Atlas,
    kernels: &[(Version, &Source)],
) -> Result<Vec<(&'a Line, Version)>> {
    let mut unknown = Vec::new();
    for (version, source) in kernels {
        let mut lines: BTreeMap<&String, Vec<&Line>> = BTreeMap::new();
        for line in &atlas.lines {
            if let Some(under) = line.under.as_ref().filter(|_| line.kernels.have(*version)) {
                lines.entry(under).or_default().push(line);
            }
        }
        let known = functions(source, &lines.keys().copied().cloned().collect())?;
        for (_, lines) in lines.iter().filter(|(name, _)| !known.contains(**name)) {
            unknown.extend(lines.iter().map(|line| (*line, *version)));
        }
    }
    Ok(unknown)
}

/// The names among these that are functions in a source.
fn functions(source: &Source, names: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let words: BTreeSet<String> = names.iter().map(|name| word(name).to_owned()).collect();
    let search = Names::new(words.iter());
    let named = |raw: &[u8]| search.within(raw).next().is_some();
    let mut known = read(source, names, &named)?;
    if known.len() < names.len() {
        // A name that a macro pastes together does not occur in any file.
        let pastes = |raw: &[u8]| memchr::memmem::find(raw, b"##").is_some();
        known.extend(read(source, names, &pastes)?);
    }
    Ok(known)
}

/// The part of a name that occurs in the source: the prefix of a system call or a handler is
/// pasted.
fn word(name: &str) -> &str {
    let name = name.strip_prefix("compat_").unwrap_or(name);
    let handler = name.split_once("_handler_").map(|(_, id)| id);
    handler.unwrap_or_else(|| name.strip_prefix("sys_").unwrap_or(name))
}

/// The names among these that are functions in the files that meet a condition.
fn read(
    source: &Source,
    names: &BTreeSet<String>,
    is_read: &(impl Fn(&[u8]) -> bool + Sync),
) -> Result<BTreeSet<String>> {
    let files = source.files()?;
    let half = files.len().div_ceil(2).max(1);
    thread::scope(|scope| {
        let threads: Vec<_> = files
            .chunks(half)
            .map(|files| scope.spawn(|| part(source, files, names, is_read)))
            .collect();
        let mut known = BTreeSet::new();
        for thread in threads {
            match thread.join() {
                Ok(part) => known.extend(part?),
                Err(_) => bail!("reading the source panicked"),
            }
        }
        Ok(known)
    })
}

fn part(
    source: &Source,
    files: &[String],
    names: &BTreeSet<String>,
    is_read: impl Fn(&[u8]) -> bool,
) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for file in files {
        let path = source.root.join(file);
        let raw = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if !is_read(&raw) {
            continue;
        }
        let mut unit = Unit::new(&raw);
        make(file, &mut unit);
        let functions = unit.with_made().flat_map(|unit| &unit.items.functions);
        let functions = functions.map(|it| &it.name);
        known.extend(functions.filter(|it| names.contains(*it)).cloned());
    }
    Ok(known)
}

/// Expands all macros of a file that make functions.
fn make(file: &str, unit: &mut Unit) {
    let mut makers = Makers::default();
    for it in &unit.text.macros {
        if makers.is_one(file, it) {
            makers.add(Some(file), it);
        }
    }
    let code = &unit.text.code;
    let calls = makers.calls(file, code).into_iter();
    let made = calls.filter_map(|(at, name)| Some((at, makers.made(file, code, at, name)?)));
    unit.made = made.collect();
}
