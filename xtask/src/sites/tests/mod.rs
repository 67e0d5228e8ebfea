//! The scanner, on sources of a few lines.

mod callers;
mod committed;
mod files;
mod found;
mod lines;
mod made;
mod pages;
mod plain;
mod reached;
mod stacks;

use std::fs;

use tempfile::TempDir;

use super::scan::{self, Scan, Site};
use super::source::Source;

/// The beginning of every source: the helpers that all others lead to.
const CAPABILITY: &str = "
bool ns_capable(struct user_namespace *ns, int cap)
{
	return security_capable(current_cred(), ns, cap, 0) == 0;
}
EXPORT_SYMBOL(ns_capable);

bool capable(int cap)
{
	return ns_capable(&init_user_ns, cap);
}
EXPORT_SYMBOL(capable);
";

/// The sites in a source with these files.
fn sites(files: &[(&str, &str)]) -> Vec<Site> {
    scan(files).sites
}

/// A source with these files, which exists as long as the folder.
pub(super) fn source(files: &[(&str, &str)]) -> (TempDir, Source) {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let source = Source {
        name: "test",
        package: "linux-source-6.1 6.1.1-1".into(),
        root: folder.path().to_path_buf(),
    };
    (folder, source)
}

/// What a source with these files contains.
fn scan(files: &[(&str, &str)]) -> Scan {
    let capability = [("kernel/capability.c", CAPABILITY)];
    let (_folder, source) = source(&[&capability, files].concat());
    scan::read(&source).unwrap()
}

/// The only site of a file.
fn site(text: &str) -> Site {
    let mut all = sites(&[("fs/a.c", text)]);
    all.retain(|site| site.key.file == "fs/a.c");
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}
