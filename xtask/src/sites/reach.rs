//! Whether what a function returns reaches the program unchanged.
//!
//! The caller of a function that returns an errno may carry on regardless. So each occurrence of
//! the function's name in the whole source must be accounted for: a table that makes it an entry
//! ([`super::entries`]), a declaration, or a call whose caller returns the errno too, and so on
//! upwards. If a single occurrence is none of these, a person must read it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tree_sitter::{Node, Parser};

use super::entries::{self, Way};
use super::flow::Walk;
use super::index::Index;
use super::items::{Function, last_word, words};
use super::tree::{Body, children, collect, parser};
use super::unit::{Unit, occurrences};

/// How a refusal arrives: the errno and the way.
pub type Arrival = (String, Way);

/// A function, by its file (none if all files know it) and its name.
type Key = (Option<String>, String);

/// Answers for one source.
pub struct Reach<'a> {
    units: BTreeMap<String, Unit>,
    known: BTreeMap<(Key, String), Option<Arrival>>,
    /// Names for which all files were searched.
    searched: BTreeSet<String>,
    /// Names for which all files have yet to be searched.
    missing: BTreeSet<String>,
    index: &'a Index<'a>,
    parser: Parser,
}

impl<'a> Reach<'a> {
    /// Begins with files that are read already.
    pub fn new(index: &'a Index, units: BTreeMap<String, Unit>) -> Result<Self> {
        Ok(Self {
            units,
            known: BTreeMap::new(),
            searched: BTreeSet::new(),
            missing: BTreeSet::new(),
            parser: parser()?,
            index,
        })
    }

    /// How an errno that these functions return arrives; each is given by file, name and errno.
    pub fn all(&mut self, asked: &[(String, String, String)]) -> Result<Vec<Option<Arrival>>> {
        loop {
            let mut found = Vec::new();
            for (file, name, errno) in asked {
                found.push(self.of(file, name, errno, &mut Vec::new()));
            }
            let missing = std::mem::take(&mut self.missing);
            if missing.is_empty() {
                return Ok(found);
            }
            for file in self.index.with(missing.iter()) {
                if !self.units.contains_key(file) {
                    self.units.insert(file.to_owned(), self.index.unit(file)?);
                }
            }
            self.searched.extend(missing);
            self.known.clear();
        }
    }

    fn of(&mut self, file: &str, name: &str, errno: &str, open: &mut Vec<Key>) -> Option<Arrival> {
        let function = self.function(file, name)?;
        let own = function.is_static && file.ends_with(".c");
        let key: Key = (own.then(|| file.to_owned()), name.to_owned());
        if let Some(known) = self.known.get(&(key.clone(), errno.to_owned())) {
            return known.clone();
        }
        if open.contains(&key) {
            return None;
        }
        if !own && !function.is_syscall && !self.searched.contains(name) {
            self.missing.insert(name.to_owned());
            return None;
        }
        open.push(key.clone());
        let arrival = self.arrival(&function, own.then_some(file), errno, open);
        open.pop();
        self.known.insert((key, errno.to_owned()), arrival.clone());
        arrival
    }

    fn function(&self, file: &str, name: &str) -> Option<Function> {
        let functions = &self.units.get(file)?.items.functions;
        functions.iter().find(|it| it.name == name).cloned()
    }

    fn arrival(
        &mut self,
        function: &Function,
        own: Option<&str>,
        errno: &str,
        open: &mut Vec<Key>,
    ) -> Option<Arrival> {
        let mut ways = Ways::default();
        if function.is_syscall {
            return Some((errno.to_owned(), Way::Errno));
        }
        if let Some(way) = entries::of_header(&function.header) {
            ways.add((errno.to_owned(), way))?;
        }
        let files: Vec<_> = match own {
            Some(file) => vec![file.to_owned()],
            None => {
                let named = self
                    .units
                    .iter()
                    .filter(|(_, unit)| unit.has(&function.name));
                named.map(|(file, _)| file.clone()).collect()
            }
        };
        for file in files {
            let callers = self.in_file(&file, function, errno, &mut ways)?;
            for (caller, errno) in callers {
                let arrival = self.of(&file, &caller, &errno, open)?;
                ways.add(arrival)?;
            }
        }
        ways.only
    }

    /// The uses of the function in a file: entries are added to `ways`, and callers that return the
    /// errno too are returned. `None` if its name is used in any other way.
    fn in_file(
        &mut self,
        file: &str,
        function: &Function,
        errno: &str,
        ways: &mut Ways,
    ) -> Option<Vec<(String, String)>> {
        let unit = self.units.get(file)?;
        let name = function.name.as_str();
        let shadowed = |it: &Function| it.name == name && it.is_static && !function.is_static;
        if unit.items.functions.iter().any(shadowed) {
            return Some(Vec::new());
        }
        let in_macro = |body: &str| !occurrences(body.as_bytes(), name).is_empty();
        let in_hidden = |(_, code): &(usize, Vec<u8>)| !occurrences(code, name).is_empty();
        if unit.text.macros.iter().any(|it| in_macro(&it.body))
            || unit.text.hidden.iter().any(in_hidden)
        {
            return None;
        }
        for table in &unit.items.tables {
            let code = unit.code(table.body);
            for at in occurrences(code, name) {
                let way = entries::of_table(&table.header, member(&code[..at]))?;
                ways.add((errno.to_owned(), way))?;
            }
        }
        for rest in &unit.items.rest {
            let code = unit.code(*rest);
            for at in occurrences(code, name) {
                let before = words(&code[..at]);
                let after = code[at + name.len()..].trim_ascii_start().first();
                let declared =
                    after == Some(&b'(') && !before.is_empty() && !before.contains(['(', '=']);
                // EXPORT_SYMBOL(f), and tracepoints with the same name as the function.
                let macro_before = before.strip_suffix('(').map_or("", last_word);
                let exported =
                    macro_before.starts_with("EXPORT_SYMBOL") || macro_before.ends_with("_EVENT");
                let of_file = entries::of_header(&function.header).is_some();
                if !declared && !exported && !of_file {
                    return None;
                }
            }
        }
        let mut callers = Vec::new();
        for caller in &unit.items.functions {
            let named = occurrences(unit.code(caller.body), name).len();
            if named == 0 {
                continue;
            }
            let body = Body::new(&mut self.parser, &unit.text, caller.body)?;
            let mut calls = Vec::new();
            let mut given = 0;
            for (called, arguments, node) in body
                .nodes()
                .into_iter()
                .filter_map(|node| body.call(node).map(|(called, with)| (called, with, node)))
            {
                if called == name {
                    calls.push(node);
                }
                for (index, argument) in arguments.iter().enumerate() {
                    if body.text(*argument) == name {
                        let way = entries::of_argument(called, index)?;
                        ways.add((errno.to_owned(), way))?;
                        given += 1;
                    }
                }
            }
            if calls.len() + given != named {
                return None;
            }
            for call in calls {
                callers.push((caller.name.clone(), handed_on(&body, call, errno)?));
            }
        }
        Some(callers)
    }
}

/// The ways that were found; there must be only one.
#[derive(Default)]
struct Ways {
    only: Option<Arrival>,
}

impl Ways {
    fn add(&mut self, arrival: Arrival) -> Option<()> {
        match &self.only {
            Some(only) if *only != arrival => None,
            _ => {
                self.only = Some(arrival);
                Some(())
            }
        }
    }
}

/// The member that is being set at the end of a table's text: `.open =`.
fn member(before: &[u8]) -> Option<&str> {
    let before = before.trim_ascii_end().strip_suffix(b"=")?;
    let text = std::str::from_utf8(before).ok()?;
    let member = last_word(text);
    let dot = text.trim_end().strip_suffix(member)?;
    dot.ends_with('.').then_some(member)
}

/// What a caller returns if the call returns this errno.
fn handed_on(body: &Body, call: Node, errno: &str) -> Option<String> {
    let mut value = call;
    while value.parent()?.kind() == "parenthesized_expression" {
        value = value.parent()?;
    }
    let parent = value.parent()?;
    if parent.has_error() || body.is_conditional(parent) {
        return None;
    }
    match parent.kind() {
        "return_statement" => Some(errno.to_owned()),
        "init_declarator" => {
            let variable = body.text(parent.child_by_field_name("declarator")?);
            let declaration = parent.parent()?;
            let last = children(declaration).last() == Some(&parent);
            let known = Some((variable.to_owned(), errno.to_owned()));
            last.then(|| Walk::new(body, known).behind(declaration))?
        }
        "assignment_expression" => assigned(body, parent, errno),
        "if_statement" => {
            let holds = parent.child_by_field_name("consequence")?;
            Walk::new(body, None).from(holds)
        }
        _ => None,
    }
}

/// `v = f();` as a statement, or in a condition.
fn assigned(body: &Body, assignment: Node, errno: &str) -> Option<String> {
    let left = assignment.child_by_field_name("left")?;
    let operator = assignment.child_by_field_name("operator")?;
    if left.kind() != "identifier" || operator.kind() != "=" {
        return None;
    }
    let known = Some((body.text(left).to_owned(), errno.to_owned()));
    let walk = Walk::new(body, known);
    let parent = assignment.parent()?;
    if parent.kind() == "expression_statement" {
        return walk.behind(parent);
    }
    // if ((v = f())) ..., if ((v = f()) < 0) ...
    let mut at = parent;
    while ["parenthesized_expression", "binary_expression"].contains(&at.kind()) {
        if at.kind() == "binary_expression" {
            let compared = ["operator", "right"].map(|side| {
                let side = at.child_by_field_name(side);
                side.map(|side| body.text(side))
            });
            let true_for_errno = [Some("<"), Some("!=")].contains(&compared[0]);
            if !true_for_errno || compared[1] != Some("0") {
                return None;
            }
        }
        at = at.parent()?;
    }
    if at.kind() != "if_statement" || !collect(at, "ERROR").is_empty() {
        return None;
    }
    walk.from(at.child_by_field_name("consequence")?)
}
