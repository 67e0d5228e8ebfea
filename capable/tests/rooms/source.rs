//! The crate's modules, and where a path leads among them.

use std::{fs, path::Path};

use syn::{Item, ItemMod};

use super::{
    module::{Mention, Module},
    reader,
};

/// All modules of a crate; the first is its root.
#[derive(Debug, Default)]
pub struct Source {
    /// The modules.
    pub modules: Vec<Module>,
}

impl Source {
    /// Reads a crate from the file of its root.
    pub fn read(root: &Path) -> Self {
        let mut source = Self::default();
        source.file(root, root.parent().unwrap(), 0);
        source
    }

    /// Reads another root that uses the crate as a user does, such as the program's.
    pub fn add_program(&mut self, root: &Path) {
        self.file(root, root.parent().unwrap(), 0);
    }

    fn file(&mut self, file: &Path, folder: &Path, parent: usize) -> usize {
        let text = fs::read_to_string(file).unwrap_or_else(|error| {
            panic!("{}: {error}", file.display());
        });
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| {
            panic!("{}: {error}", file.display());
        });
        self.module(&parsed.items, file, folder, parent)
    }

    /// Enters a module; `folder` is where its children's files lie.
    fn module(&mut self, items: &[Item], file: &Path, folder: &Path, parent: usize) -> usize {
        let index = self.modules.len();
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            ..Module::default()
        });
        for item in items {
            if let Item::Mod(child) = item {
                // Shared with the tests beside `src`, which use the crate as others do.
                if child.attrs.iter().any(|it| it.path().is_ident("path")) {
                    continue;
                }
                let name = child.ident.to_string();
                let child = self.child(child, file, &folder.join(&name), index);
                self.modules[index].children.insert(name, child);
                continue;
            }
            let module = &mut self.modules[index];
            module.speaks |= !matches!(item, Item::Use(_));
            reader::read(item, module);
        }
        index
    }

    fn child(&mut self, child: &ItemMod, file: &Path, folder: &Path, parent: usize) -> usize {
        match &child.content {
            Some((_, items)) => {
                self.modules[parent].speaks = true;
                self.module(items, file, folder, parent)
            }
            None => {
                let own = folder.with_extension("rs");
                let inside = folder.join("mod.rs");
                let file = if own.exists() { own } else { inside };
                self.file(&file, folder, parent)
            }
        }
    }

    /// The module that is used where a module mentions a path.
    pub fn used(&self, from: usize, mention: &Mention) -> Option<usize> {
        if mention.imports {
            self.resolve(from, &mention.path)
        } else {
            // Of a path that begins with an item, its import says the same.
            let (_, is_module) = self.follow(from, &mention.path[..1], 16)?;
            is_module.then(|| self.resolve(from, &mention.path))?
        }
    }

    /// The module that a path leads into, as far as it leads through this crate: where an item is
    /// declared, not where it is offered again.
    fn resolve(&self, from: usize, path: &[String]) -> Option<usize> {
        self.follow(from, path, 16).map(|(module, _)| module)
    }

    /// Where a path leads, and whether it is a module's own.
    fn follow(&self, from: usize, path: &[String], patience: u8) -> Option<(usize, bool)> {
        let patience = patience.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let mut place = match first.as_str() {
            "crate" | "capable" | "$crate" => (0, true),
            "self" => (from, true),
            "super" => (self.modules[from].parent, true),
            name => self.name(from, name, patience)?,
        };
        for segment in rest {
            let (module, true) = place else { break };
            place = match segment.as_str() {
                "super" => (self.modules[module].parent, true),
                "self" => place,
                name => self.name(module, name, patience).unwrap_or((module, false)),
            };
        }
        Some(place)
    }

    /// What a name stands for in a module.
    fn name(&self, module: usize, name: &str, patience: u8) -> Option<(usize, bool)> {
        let patience = patience.checked_sub(1)?;
        let here = &self.modules[module];
        if let Some(&child) = here.children.get(name) {
            return Some((child, true));
        }
        if here.items.contains(name) {
            return Some((module, false));
        }
        if let Some(path) = here.names.get(name) {
            return self.follow(module, path, patience);
        }
        here.globs.iter().find_map(|glob| {
            let (place, _) = self.follow(module, glob, patience)?;
            (place != module).then(|| self.name(place, name, patience))?
        })
    }
}

/// A made-up crate, in which `a` reaches `b::c` in every way that the language has.
#[test]
fn every_way_to_name_another_file_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod d;");
    write(
        "a.rs",
        "use crate::{b::{c::{Item as Other}}, d};
         use super::b::Again;
         use d::*;
         fn inline() -> crate::b::c::Item { d::inner::f() }
         mod deeper { use super::super::b::c; fn g() { c::f() } }
         #[derive(Debug)] #[attribute(with = crate::b::c::f)] struct S;
         fn in_a_macro() { println!(\"{}\", crate::b::c::N); }",
    );
    fs::create_dir(folder.path().join("b")).unwrap();
    write("b/mod.rs", "pub mod c; pub use c::Item as Again;");
    write(
        "b/c.rs",
        "pub struct Item; pub const N: u8 = 0; pub fn f() {}",
    );
    write("d.rs", "pub mod inner { pub use crate::b::c::f; }");
    let source = Source::read(&folder.path().join("lib.rs"));
    let to_c: Vec<usize> = source
        .modules
        .iter()
        .enumerate()
        .filter(|(_, module)| module.file.ends_with("a.rs"))
        .flat_map(|(index, module)| module.mentions.iter().map(move |it| (index, it)))
        .filter(|(index, mention)| {
            let to = source.used(*index, mention);
            to.is_some_and(|to| source.modules[to].file.ends_with("c.rs"))
        })
        .map(|(_, mention)| mention.line)
        .collect();
    assert_eq!(to_c, [1, 2, 4, 4, 6, 7, 5, 5]);
}
