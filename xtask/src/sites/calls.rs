//! The calls of helpers: the sites, and how helpers lead to each other.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::{Node, Parser};

use super::asked::capabilities;
use super::find::{Findings, Found};
use super::form;
use super::helpers::{Helper, Helpers, Room};
use super::items::{Function, words};
use super::tree::Body;
use super::unit::{Names, Unit, is_called};

/// What is found once all helpers are known.
pub struct Calls {
    /// All sites.
    pub sites: Vec<Found>,
    /// All helpers, each with those of them that it calls.
    pub called: BTreeMap<String, BTreeSet<String>>,
    /// Calls that could not be placed: file, line, name.
    pub unplaced: Vec<(String, usize, String)>,
}

/// The calls of helpers in all files that name one.
pub fn of(findings: &Findings, parser: Parser) -> Calls {
    let mut sites = Sites {
        names: Names::new(findings.helpers.everywhere().keys()),
        helpers: &findings.helpers,
        parser,
        found: Vec::new(),
        passing: Vec::new(),
        called: BTreeSet::new(),
        calls: findings.helpers.by_hooks(),
        unplaced: Vec::new(),
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
    Calls {
        sites: sites.found,
        called: sites.calls,
        unplaced: sites.unplaced,
    }
}

/// Goes through the files.
struct Sites<'a> {
    helpers: &'a Helpers,
    names: Names,
    parser: Parser,
    found: Vec<Found>,
    /// Calls that make the function around them a helper.
    passing: Vec<Found>,
    /// Helpers that are called.
    called: BTreeSet<Room>,
    /// All helpers, each with those of them that it calls.
    calls: BTreeMap<String, BTreeSet<String>>,
    unplaced: Vec<(String, usize, String)>,
}

impl Sites<'_> {
    fn file(&mut self, file: &str, unit: &Unit) {
        for it in &unit.text.macros {
            if self.helpers.get(file, &it.name).is_some() {
                let named = self.named_in(file, it.body.as_bytes());
                self.calls(&it.name, named.into_iter().map(|(_, name)| name));
            }
        }
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

    /// A helper calls others.
    fn calls(&mut self, helper: &str, others: impl Iterator<Item = String>) {
        let calls = self.calls.entry(helper.to_owned()).or_default();
        calls.extend(others.filter(|name| name != helper));
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
        if itself.is_some() {
            let named = self.named(file, unit, function.body);
            self.calls(&function.name, named.into_iter().map(|(_, name)| name));
        }
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
