//! The files of a source that name certain functions.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;

use super::items::{Function, Items, Table};
use super::text::Text;
use super::tree::is_word;

/// A file that has been read.
pub struct Unit {
    /// Its text.
    pub text: Text,
    /// Its outline.
    pub items: Items,
    /// The expansions of the macros that are called at its top level, each by where it is called.
    pub made: Vec<(usize, Unit)>,
    /// All its words.
    words: HashSet<Vec<u8>>,
}

impl Unit {
    /// Reads the content of a file.
    pub fn new(raw: &[u8]) -> Self {
        let text = Text::new(raw);
        let items = Items::new(&text);
        let words = raw.split(|byte| !is_word(*byte)).map(<[u8]>::to_vec);
        let words = words.filter(|word| !word.is_empty()).collect();
        Self {
            text,
            items,
            made: Vec::new(),
            words,
        }
    }

    /// Whether a word occurs anywhere in the file.
    pub fn has(&self, word: &str) -> bool {
        self.words.contains(word.as_bytes())
    }

    /// The file, and what macros make in it.
    pub fn with_made(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.made.iter().map(|(_, made)| made))
    }

    /// The code between two offsets.
    pub fn code(&self, (from, to): (usize, usize)) -> &[u8] {
        &self.text.code[from..to]
    }

    /// The tables that name a function.
    pub fn tables_with<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Table> {
        let tables = self.items.tables.iter();
        tables.filter(|table| !occurrences(self.code(table.body), name).is_empty())
    }

    /// Whether a function is named in a table and called nowhere in its file.
    pub fn is_only_pointed_at(&self, function: &Function) -> bool {
        let is_called = occurrences(&self.text.code, &function.name)
            .iter()
            .any(|&at| at > function.body.1 && is_called(&self.text.code, at, &function.name));
        !is_called && self.tables_with(&function.name).next().is_some()
    }
}

/// The names to search for.
pub struct Names {
    search: Option<AhoCorasick>,
    names: Vec<String>,
}

impl Names {
    /// Prepares the search.
    pub fn new<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        let names: Vec<_> = names.cloned().collect();
        let search = (!names.is_empty()).then(|| AhoCorasick::new(&names).ok());
        Self {
            search: search.flatten(),
            names,
        }
    }

    /// Where a name occurs as a word: offset and name.
    pub fn within<'a>(&'a self, code: &'a [u8]) -> impl Iterator<Item = (usize, &'a str)> {
        let hits = self
            .search
            .iter()
            .flat_map(move |search| search.find_overlapping_iter(code));
        hits.filter(|hit| is_whole(code, hit.start(), hit.end()))
            .map(|hit| (hit.start(), self.names[hit.pattern().as_usize()].as_str()))
    }
}

/// Where a name occurs as a word.
pub fn occurrences(code: &[u8], name: &str) -> Vec<usize> {
    memchr::memmem::find_iter(code, name)
        .filter(|&at| is_whole(code, at, at + name.len()))
        .collect()
}

/// Whether a name at an offset is called there: parentheses follow, and it is not a member of
/// something.
pub fn is_called(code: &[u8], at: usize, name: &str) -> bool {
    let before = code[..at].trim_ascii_end();
    let called = code[at + name.len()..].trim_ascii_start().first() == Some(&b'(');
    called && !before.ends_with(b".") && !before.ends_with(b"->")
}

fn is_whole(code: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| code.get(at));
    !before.is_some_and(|&byte| is_word(byte)) && !code.get(end).is_some_and(|&byte| is_word(byte))
}
