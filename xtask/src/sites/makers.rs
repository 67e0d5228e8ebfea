//! Macros that make functions.
//!
//! A driver may define twenty sysfs files with one macro that expands to whole functions, with
//! their names pasted together, and may call it through another macro. Such a macro is not a
//! helper: the sites are in the functions that it makes where it is used at the top of a file.

use std::collections::BTreeMap;

use super::items::{Items, matching, split, words};
use super::text::{Macro, Text};
use super::unit::{Unit, is_called, occurrences};

/// How deeply macros may be nested.
const DEPTH: usize = 4;

/// Words that are followed by parentheses and braces without being functions.
const STATEMENTS: [&str; 4] = ["if", "for", "switch", "while"];

/// Definitions by name; a file may redefine one.
type Named = BTreeMap<String, Vec<Macro>>;

/// The macros that make functions with sites in them, by the file that they are known in.
#[derive(Clone, Debug, Default)]
pub struct Makers {
    everywhere: Named,
    in_files: BTreeMap<String, Named>,
}

impl Makers {
    /// Adds one, known in a file or, if none is given, everywhere. Returns whether it is new.
    pub fn add(&mut self, file: Option<&str>, it: &Macro) -> bool {
        let room = match file {
            Some(file) => self.in_files.entry(file.to_owned()).or_default(),
            None => &mut self.everywhere,
        };
        let known = room.entry(it.name.clone()).or_default();
        let is_new = !known.contains(it);
        if is_new {
            known.push(it.clone());
        }
        is_new
    }

    /// Those that are known everywhere.
    pub fn everywhere(&self) -> impl Iterator<Item = &String> {
        self.everywhere.keys()
    }

    /// The names that mean a maker in the file.
    pub fn of_file<'a>(&'a self, file: &str) -> impl Iterator<Item = &'a String> + use<'a> {
        let own = self.in_files.get(file).into_iter().flat_map(BTreeMap::keys);
        self.everywhere.keys().chain(own)
    }

    /// Whether a macro expands to whole functions, or to a macro that does.
    pub fn is_one(&self, file: &str, it: &Macro) -> bool {
        let body = substitute(&it.body, &[], &[]);
        makes_functions(&body) || !self.calls(file, body.as_bytes()).is_empty()
    }

    /// Where makers are called, in order.
    pub fn calls(&self, file: &str, code: &[u8]) -> Vec<(usize, &str)> {
        let mut calls = Vec::new();
        for name in self.of_file(file) {
            let places = occurrences(code, name).into_iter();
            let places = places.filter(|&at| is_called(code, at, name));
            calls.extend(places.map(|at| (at, name.as_str())));
        }
        calls.sort_unstable();
        calls.dedup();
        calls
    }

    /// The expansion of a maker that is called at an offset, as a file of its own.
    pub fn made(&self, file: &str, code: &[u8], at: usize, name: &str) -> Option<Unit> {
        let (text, _) = self.expansion(file, code, at, name, DEPTH)?;
        Some(Unit::new(text.as_bytes()))
    }

    /// The expansion of a call, and where the call ends.
    fn expansion(
        &self,
        file: &str,
        code: &[u8],
        at: usize,
        name: &str,
        depth: usize,
    ) -> Option<(String, usize)> {
        let own = self.in_files.get(file).and_then(|own| own.get(name));
        let all = own.or_else(|| self.everywhere.get(name))?;
        let before = all.iter().rfind(|it| own.is_some() && it.offset < at);
        let it = before.or(all.last())?;
        let open = at + name.len() + code[at + name.len()..].iter().position(|&it| it == b'(')?;
        let end = matching(code, open);
        let inside = words(&code[open + 1..end.saturating_sub(1).max(open + 1)]);
        let body = substitute(&it.body, &it.parameters, &split(&inside));
        let mut whole = String::new();
        let mut from = 0;
        for (at, inner) in self.calls(file, body.as_bytes()) {
            if at < from {
                continue;
            }
            let depth = depth.checked_sub(1)?;
            let (text, end) = self.expansion(file, body.as_bytes(), at, inner, depth)?;
            whole += &body[from..at];
            whole += &text;
            from = end;
        }
        whole += &body[from..];
        Some((whole, end))
    }
}

/// Whether a text defines functions: each has a type before its name.
fn makes_functions(body: &str) -> bool {
    let items = Items::new(&Text::new(body.as_bytes()));
    items.functions.iter().any(|function| {
        let before = function.header.split(&function.name).next();
        let has_type = before.is_some_and(|it| !it.trim().is_empty());
        function.is_syscall || has_type && !STATEMENTS.contains(&&*function.name)
    })
}

/// The body with its parameters replaced by the arguments, and pasted.
fn substitute(body: &str, parameters: &[String], arguments: &[&str]) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if length == 0 {
            text.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(length);
        let argument = parameters.iter().position(|it| it == word);
        text += argument
            .and_then(|index| arguments.get(index))
            .unwrap_or(&word);
        rest = after;
    }
    while let Some(at) = text.find("##") {
        let (before, after) = text.split_at(at);
        text = format!("{}{}", before.trim_end(), after[2..].trim_start());
    }
    text
}
