//! Finds every site of one kernel.
//!
//! Helpers are found first, in rounds, until a round finds no new one; each round searches the
//! whole source for the names from the round before. Then every call of a helper is a site. Calls
//! of helpers that could not be placed are reported, so that nothing is missed silently.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tree_sitter::{Node, Parser};

use super::asked::capabilities;
use super::form::{self, Form};
use super::helpers::{Helper, Helpers, Room};
use super::index::Index;
use super::items::{Function, words};
use super::makers::Makers;
use super::tree::{Body, parser};
use super::unit::{Names, Unit, is_called};

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
    let mut sites = Sites {
        names: Names::new(findings.helpers.everywhere().keys()),
        helpers: &findings.helpers,
        parser,
        found: Vec::new(),
        passing: Vec::new(),
        called: BTreeSet::new(),
        unplaced: std::mem::take(&mut findings.unplaced),
    };
    for (file, unit) in &findings.units {
        sites.file(file, unit);
    }
    // A helper that is never called by its name is called in a way that is not visible: a site.
    for found in std::mem::take(&mut sites.passing) {
        let room = sites.helpers.room(&found.file, &found.function);
        if !sites.called.contains(&room) {
            sites.found.push(found);
        }
    }
    (findings.sites, findings.unplaced) = (sites.found, sites.unplaced);
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

/// Goes through the files once all helpers are known.
struct Sites<'a> {
    helpers: &'a Helpers,
    names: Names,
    parser: Parser,
    found: Vec<Found>,
    /// Calls that make the function around them a helper.
    passing: Vec<Found>,
    /// Helpers that are called.
    called: BTreeSet<Room>,
    unplaced: Vec<(String, usize, String)>,
}

impl Sites<'_> {
    fn file(&mut self, file: &str, unit: &Unit) {
        for function in &unit.items.functions {
            self.function(file, unit, function, None);
        }
        for (at, made) in &unit.made {
            let line = unit.text.line(*at);
            for function in &made.items.functions {
                self.function(file, made, function, Some(line));
            }
        }
        let tables = unit.items.tables.iter().map(|table| table.body);
        let rest: Vec<_> = unit.items.rest.iter().copied().chain(tables).collect();
        for (from, to) in rest {
            for (at, name) in self.named(file, unit, (from, to)) {
                // A declaration has a type before the name.
                if unit.text.code[from..at].trim_ascii().is_empty() {
                    self.lost(file, unit, at, &name);
                }
            }
        }
        for (start, code) in &unit.text.hidden {
            for (at, name) in self.named_in(file, code) {
                self.lost(file, unit, start + at, &name);
            }
        }
    }

    fn lost(&mut self, file: &str, unit: &Unit, at: usize, name: &str) {
        let line = unit.text.line(at);
        self.unplaced.push((file.into(), line, name.into()));
    }

    /// The calls of helpers between two offsets, as the text has them.
    fn named(&self, file: &str, unit: &Unit, (from, to): (usize, usize)) -> Vec<(usize, String)> {
        let mut named = self.named_in(file, &unit.text.code[from..to]);
        for (at, _) in &mut named {
            *at += from;
        }
        named
    }

    fn named_in(&self, file: &str, code: &[u8]) -> Vec<(usize, String)> {
        let mut words = self.words_in(file, code);
        words.retain(|(at, name)| is_called(code, *at, name));
        words
    }

    /// Where names of helpers occur, called or not.
    fn words_in(&self, file: &str, code: &[u8]) -> Vec<(usize, String)> {
        let own = self.helpers.in_file(file).into_iter();
        let own = Names::new(own.flat_map(|own| own.keys()));
        let all = self.names.within(code).chain(own.within(code));
        all.map(|(at, name)| (at, name.to_owned())).collect()
    }

    /// The sites of a function; `line` is given for a function that a macro makes.
    fn function(&mut self, file: &str, unit: &Unit, function: &Function, line: Option<usize>) {
        if self.words_in(file, unit.code(function.body)).is_empty() {
            return;
        }
        let Some(body) = Body::new(&mut self.parser, &unit.text, function.body) else {
            return;
        };
        let itself = self.helpers.get(file, &function.name);
        let mut placed = BTreeSet::new();
        for node in body.nodes() {
            let Some((helper, arguments)) = self.helpers.called(file, &body, node) else {
                continue;
            };
            placed.insert(body.offset(node));
            let name = body.call(node).map_or("", |(name, _)| name);
            let passes = itself.and_then(|it| passes_on(it, function, helper, &body, &arguments));
            if name != function.name {
                self.called.insert(self.helpers.room(file, name));
            }
            let found = Found {
                file: file.into(),
                function: function.name.clone(),
                helper: name.into(),
                capabilities: capabilities(helper, &body, &arguments),
                one_after_the_other: !helper.always.is_empty(),
                looks_first: helper.looks_first,
                label: label(&body, node),
                line: line.unwrap_or_else(|| unit.text.line(body.offset(node))),
                arguments: written(&body, &arguments),
                form: form::of(self.helpers, file, &body, node),
                text: words(unit.code(function.body)),
            };
            match passes {
                // Its callers ask. If there are none, nothing asks.
                Some(Passes::Question) => {}
                Some(Passes::Answer) => self.passing.push(found),
                None => self.found.push(found),
            }
        }
        for (at, name) in self.named(file, unit, function.body) {
            if !placed.contains(&at) {
                self.lost(file, unit, at, &name);
            }
        }
    }
}

/// How a helper passes a call on, without an answer of its own.
enum Passes {
    /// It asks for whatever its caller says.
    Question,
    /// It only tells its caller the answer.
    Answer,
}

/// Whether, and how, the call is what makes the function a helper.
fn passes_on(
    itself: &Helper,
    function: &Function,
    helper: &Helper,
    body: &Body,
    arguments: &[Node],
) -> Option<Passes> {
    let Some(own) = itself.argument else {
        return Some(Passes::Answer);
    };
    let passed = helper.argument.and_then(|index| arguments.get(index));
    let own = function.parameters.get(own);
    if passed.is_some_and(|it| own.is_some_and(|own| body.text(*it) == own)) {
        return Some(Passes::Question);
    }
    (!itself.always.is_empty()).then_some(Passes::Answer)
}

fn written(body: &Body, arguments: &[Node]) -> String {
    let arguments: Vec<_> = arguments
        .iter()
        .map(|argument| words(body.text(*argument).as_bytes()))
        .collect();
    arguments.join(", ")
}

/// The label of the innermost `case`: the first of those that lead to the same statements.
fn label(body: &Body, node: Node) -> Option<String> {
    let mut at = node;
    while at.kind() != "case_statement" {
        at = at.parent()?;
    }
    while let Some(before) = at.prev_named_sibling() {
        let leads_here = before.kind() == "case_statement" && before.named_child_count() == 1;
        if !leads_here {
            break;
        }
        at = before;
    }
    Some(match at.child_by_field_name("value") {
        Some(value) => words(body.text(value).as_bytes()).replace(' ', ""),
        None => "default".into(),
    })
}
