//! A module: what it declares, and which paths it mentions.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

/// A path as it stands in a file.
#[derive(Clone, Debug)]
pub struct Mention {
    /// Its segments, `crate`, `self` and `super` among them.
    pub path: Vec<String>,
    /// The line, from 1.
    pub line: usize,
    /// It is in a `use` declaration.
    pub imports: bool,
}

/// A module: a file, or a part of one in braces.
#[derive(Debug, Default)]
pub struct Module {
    /// The file that it is in.
    pub file: PathBuf,
    /// Its parent; the root is its own.
    pub parent: usize,
    /// The modules in it.
    pub children: HashMap<String, usize>,
    /// What else is declared in it.
    pub items: HashSet<String>,
    /// The names that it imports, and what they stand for.
    pub names: HashMap<String, Vec<String>>,
    /// What it imports everything of.
    pub globs: Vec<Vec<String>>,
    /// Every path that it mentions.
    pub mentions: Vec<Mention>,
    /// It holds something besides declarations of modules, and items offered again.
    pub speaks: bool,
}
