//! Finds every site of one kernel.
//!
//! Helpers are found first, in rounds, until a round finds no new one; each round searches the
//! whole source for the names from the round before. Then every call of a helper is a site
//! ([`calls`]). Calls of helpers that could not be placed are reported, so that nothing is missed
//! silently.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tree_sitter::Parser;

use super::calls;
use super::form::Form;
use super::helpers::{Helper, Helpers};
use super::index::Index;
use super::makers::Makers;
use super::tree::{Body, parser};
use super::unit::{Names, Unit};

/// A call of a helper.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file, below the source's root.
    pub file: String,
    /// The function that holds it.
    pub function: String,
    /// The helper.
    pub helper: String,
    /// The capabilities it asks for; empty if a variable decides.
    pub capabilities: Vec<String>,
    /// Whether it asks for all of these until one is granted; otherwise it asks for only one of
    /// them.
    pub one_after_the_other: bool,
    /// The label of the `case` that contains it.
    pub label: Option<String>,
    /// Its line in the file.
    pub line: usize,
    /// Whether the helper looks at something else first, and asks only if that is not enough.
    pub looks_first: bool,
    /// The arguments as they are written.
    pub arguments: String,
    /// What the function does with the answer, if it is plain.
    pub form: Form,
    /// The function's text on one line, to tell whether it is the same in two kernels.
    pub text: String,
}

/// What was found in a kernel.
#[derive(Default)]
pub struct Findings {
    /// All sites, by file and place.
    pub sites: Vec<Found>,
    /// Calls that could not be placed: file, line, name.
    pub unplaced: Vec<(String, usize, String)>,
    /// What they were found with.
    pub helpers: Helpers,
    /// All helpers, each with those of them that it calls.
    pub called: BTreeMap<String, BTreeSet<String>>,
    /// The macros that make functions with sites in them.
    pub makers: Makers,
    /// The files that name a helper.
    pub units: BTreeMap<String, Unit>,
}

/// Reads a source.
pub fn find(index: &Index) -> Result<Findings> {
    let mut parser = parser()?;
    let mut findings = Findings {
        helpers: Helpers::seeds(),
        ..Findings::default()
    };
    let mut searched = BTreeSet::new();
    loop {
        let all = findings.helpers.everywhere().keys();
        let all = all.chain(findings.makers.everywhere());
        let new: Vec<_> = all.filter(|name| !searched.contains(*name)).collect();
        for file in index.with(new.iter().copied()) {
            if !findings.units.contains_key(file) {
                findings.units.insert(file.to_owned(), index.unit(file)?);
            }
        }
        searched.extend(new.into_iter().cloned().collect::<Vec<_>>());
        if !round(&mut findings, &mut parser) {
            break;
        }
    }
    make(&mut findings);
    let calls = calls::of(&findings, parser);
    findings.sites = calls.sites;
    findings.called = calls.called;
    findings.unplaced.extend(calls.unplaced);
    Ok(findings)
}

/// Expands the macros that make functions, where they are called at the top of a file.
fn make(findings: &mut Findings) {
    for (file, unit) in &mut findings.units {
        for (at, name) in findings.makers.calls(file, &unit.text.code) {
            let functions = &unit.items.functions;
            let within = functions.iter().any(|it| it.body.0 < at && at < it.body.1);
            match findings.makers.made(file, &unit.text.code, at, name) {
                Some(made) if !within => unit.made.push((at, made)),
                _ => {
                    let line = unit.text.line(at);
                    findings.unplaced.push((file.clone(), line, name.into()));
                }
            }
        }
    }
}

/// One round: finds helpers that call the known ones. Returns whether there were any.
fn round(findings: &mut Findings, parser: &mut Parser) -> bool {
    let helpers = &findings.helpers;
    let everywhere = Names::new(helpers.everywhere().keys());
    let mut found: Vec<(Option<String>, String, Helper)> = Vec::new();
    let mut makers = Vec::new();
    for (file, unit) in &findings.units {
        let own = Names::new(helpers.in_file(file).into_iter().flat_map(|own| own.keys()));
        let is_named = |code: &[u8]| {
            everywhere.within(code).next().is_some() || own.within(code).next().is_some()
        };
        // Static functions of a C file are known in it alone.
        let scope = |kept: bool| (kept && file.ends_with(".c")).then(|| file.clone());
        for it in &unit.text.macros {
            let is_maker = findings.makers.is_one(file, it);
            let makes = is_maker
                && (is_named(it.body.as_bytes())
                    || !findings.makers.calls(file, it.body.as_bytes()).is_empty());
            if makes {
                makers.push((scope(true), it.clone()));
            } else if !is_maker
                && is_named(it.body.as_bytes())
                && let Some(helper) = helpers.of_macro(file, parser, it)
            {
                found.push((scope(true), it.name.clone(), helper));
            }
        }
        for function in &unit.items.functions {
            if is_named(unit.code(function.body))
                && let Some(body) = Body::new(parser, &unit.text, function.body)
                && let Some(helper) = helpers.of_function(file, function, &body)
                && !unit.is_only_pointed_at(function)
            {
                found.push((scope(function.is_static), function.name.clone(), helper));
            }
        }
    }
    let mut any = false;
    for (file, it) in makers {
        any |= findings.makers.add(file.as_deref(), &it);
    }
    for (file, name, helper) in found {
        any |= findings.helpers.add(file.as_deref(), &name, helper);
    }
    any
}
