//! The rooms of `capable/src` are used in the order that the table in ARCHITECTURE.md gives, tests
//! in them included: each uses the rooms that its row names, and these stand above it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

mod circles;
mod module;
mod reader;
mod source;
mod table;

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use source::Source;
use table::Room;

/// A file uses another.
struct Import {
    from: PathBuf,
    line: usize,
    path: String,
    to: PathBuf,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, to) = (self.from.display(), self.to.display());
        write!(
            f,
            "capable/src/{file}:{}: `{}` ({to})",
            self.line, self.path
        )
    }
}

static ROOMS: LazyLock<Vec<Room>> =
    LazyLock::new(|| table::read(include_str!("../../ARCHITECTURE.md")));

/// The sources, and how their files use each other.
static SOURCES: LazyLock<(Source, Vec<Import>)> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut source = Source::read(&root.join("lib.rs"));
    source.add_program(&root.join("main.rs"));
    for module in &mut source.modules {
        module.file = module.file.strip_prefix(&root).unwrap().to_owned();
    }
    let mut imports = Vec::new();
    for (index, module) in source.modules.iter().enumerate() {
        for mention in &module.mentions {
            let to = source.used(index, mention);
            let to = to.map(|to| &source.modules[to].file);
            if let Some(to) = to.filter(|to| **to != module.file) {
                imports.push(Import {
                    from: module.file.clone(),
                    line: mention.line,
                    path: mention.path.join("::"),
                    to: to.clone(),
                });
            }
        }
    }
    (source, imports)
});

/// The row of the room that a file is in.
fn room_of(file: &Path) -> Option<usize> {
    table::room_of(&ROOMS, file)
}

#[test]
fn a_room_uses_only_what_its_row_names() {
    let (_, imports) = &*SOURCES;
    assert!(imports.len() > 500, "{} imports read", imports.len());
    let mut broken = String::new();
    for import in imports {
        let (from, to) = (room_of(&import.from), room_of(&import.to));
        if let (Some(from), Some(to)) = (from, to)
            && from != to
            && !ROOMS[from].may_use(&ROOMS[to].name, to < from)
        {
            let (from, to) = (&ROOMS[from].name, &ROOMS[to].name);
            writeln!(broken, "{import}: {from} may not use {to}").unwrap();
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn a_row_names_only_rooms_above_it_and_each_that_is_used() {
    let (_, imports) = &*SOURCES;
    let used: BTreeSet<(Option<usize>, Option<usize>)> = imports
        .iter()
        .map(|it| (room_of(&it.from), room_of(&it.to)))
        .collect();
    for (index, room) in ROOMS.iter().enumerate() {
        for name in room.uses.iter().flatten() {
            let above = ROOMS[..index].iter().position(|room| room.name == *name);
            assert!(above.is_some(), "{}: {name} is not above it", room.name);
            let used = used.contains(&(Some(index), above));
            assert!(used, "{} does not use {name}", room.name);
        }
    }
}

#[test]
fn every_file_is_in_a_room() {
    let (source, _) = &*SOURCES;
    for module in &source.modules {
        let room = room_of(&module.file);
        let file = module.file.display();
        assert!(room.is_some() || !module.speaks, "{file} is in no room");
    }
    for (index, room) in ROOMS.iter().enumerate() {
        let mut modules = source.modules.iter();
        let lives = modules.any(|module| room_of(&module.file) == Some(index));
        assert!(lives, "no file is in {}", room.name);
    }
}

#[test]
fn no_files_of_the_kernels_rooms_use_each_other_in_a_circle() {
    let (_, imports) = &*SOURCES;
    let circles: Vec<_> = circles::find(imports.iter().map(|it| (&*it.from, &*it.to)))
        .into_iter()
        .filter(|circle| circle.iter().any(|file| file.starts_with("kernel")))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}
