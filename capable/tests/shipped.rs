//! The man pages and completions in `docs/` are those of the command line as it is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// The files of a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn shipped_is_what_is_generated(what: &str) {
    let made = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_capable"))
        .args(["generate", what])
        .arg(made.path())
        .status()
        .unwrap();
    assert!(status.success());
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let (made, shipped) = (files(made.path()), files(&docs.join(what)));
    let stale: Vec<&String> = made
        .keys()
        .chain(shipped.keys())
        .filter(|name| made.get(*name) != shipped.get(*name))
        .collect();
    assert!(
        stale.is_empty(),
        "stale: {stale:?}; run: rm -r docs/{what} && cargo run -p capable -- generate {what} docs/{what}"
    );
}

#[test]
fn man_pages_are_those_of_the_command_line() {
    shipped_is_what_is_generated("man");
}

#[test]
fn completions_are_those_of_the_command_line() {
    shipped_is_what_is_generated("completions");
}

#[test]
fn man_pages_name_their_sections_in_capitals() {
    let pages = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man"));
    for (name, page) in pages {
        let sections: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        assert!(sections.contains(&"NAME"), "{name}: {sections:?}");
        for section in sections {
            assert_eq!(section, section.to_uppercase(), "{name}");
        }
    }
}
