//! The readable form of the atlas: `capable/docs/atlas.md`, and a page for each capability.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::atlas::{Atlas, subsystem};
use super::line::{Line, Proof};
use crate::places;

/// The text before the table of capabilities.
const HEAD: &str = "\
# The atlas

Every place in the kernel that asks for a capability, and what a program meets there without it: one
page for each capability, of Linux 5.10, 6.1, 6.12 and the newest of Debian's backports, for x86-64 and
arm64. `capable explain CAPABILITY` and `capable explain FUNCTION` show the same.

These pages are written by `cargo xtask sites --write` from `capable/atlas/`, whose README.md says how a
line comes about. *Effect* is what the kernel does with the answer:

| effect | means |
|---|---|
| refuses ERRNO | if the capability is not granted, what the program asked for fails, with this errno (`-`: it differs) |
| sometimes ERRNO | in some cases so, in others it goes on; the check does not show which |
| chooses | it never refuses: it decides what is shown, a limit, an accounting, a faster way |
| passes | its callers decide, and they differ |
| ack, cqe, unseen | the refusal is in a netlink acknowledgement or an io_uring completion, or the program is never told |
| early | it asks before it looks whether that matters for this call |
| write | of a file: writing is refused, reading never is |
| limit | it asks only past a limit |
| else | it asks only where something else did not do: ownership, a mode, a flag |
| if:NAME | it holds for calls whose arguments name NAME (`if:S_ISGID`: a mode with this bit); others need nothing |
| or:X | if it is not granted, CAP_X is enough too |

*Function* is where the check is: `@LABEL` in that case of a switch, `#2` the second that is alike, `< F`
what holds when F called it.

";

/// The pages by their path below `capable/docs`.
pub fn pages(atlas: &Atlas) -> BTreeMap<PathBuf, String> {
    let mut by_name: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in &atlas.lines {
        let names: BTreeSet<_> = line.key.capabilities.split(['/', ',']).collect();
        for name in names {
            by_name.entry(name).or_default().push(line);
        }
    }
    let mut index = HEAD.to_owned();
    index +=
        "| capability | lines | of these refuse | sometimes | choose |\n|---|---|---|---|---|\n";
    let mut pages = BTreeMap::new();
    for (name, lines) in by_name {
        let file = if name == "?" {
            "any".to_owned()
        } else {
            name.to_ascii_lowercase()
        };
        let title = title(name);
        let count = |verb: &str| {
            let is = |line: &&&Line| line.effect.words.first().is_some_and(|it| it == verb);
            lines.iter().filter(is).count()
        };
        index += &format!(
            "| [{title}](atlas/{file}.md) | {} | {} | {} | {} |\n",
            lines.len(),
            count("refuses"),
            count("sometimes"),
            count("chooses"),
        );
        pages.insert(
            PathBuf::from(format!("atlas/{file}.md")),
            page(&title, &lines),
        );
    }
    pages.insert("atlas.md".into(), index);
    pages
}

fn title(name: &str) -> String {
    match name {
        "?" => "one that a variable names".to_owned(),
        _ => format!("CAP_{name}"),
    }
}

fn page(title: &str, lines: &[&Line]) -> String {
    let mut text =
        format!("# Where the kernel asks for {title}\n\n[How to read this](../atlas.md)\n");
    let mut by_subsystem: BTreeMap<String, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let of = by_subsystem.entry(subsystem(&line.key.file)).or_default();
        of.push(line);
    }
    for (subsystem, lines) in by_subsystem {
        text += &format!(
            "\n## {subsystem}\n\n| without it | function | file | kernels | effect | known by |\n\
             |---|---|---|---|---|---|\n"
        );
        for line in lines {
            let under = line.under.as_ref().map(|under| format!(" < {under}"));
            text += &format!(
                "| {} | `{}{}` | {} | {} | {} | {} |\n",
                cell(&line.sentence),
                cell(&line.key.to_string()),
                under.unwrap_or_default(),
                line.key.file,
                line.kernels,
                line.effect,
                match line.proof {
                    Proof::Unread => "nobody",
                    Proof::Plain => "its form",
                    Proof::Read => "reading",
                    Proof::Run => "running",
                }
            );
        }
    }
    text
}

/// A bar would end the cell, and an asterisk would begin emphasis.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

fn folder() -> PathBuf {
    places::workspace().join("capable/docs")
}

/// Writes the pages, and removes those of capabilities that no longer occur.
pub fn save(atlas: &Atlas) -> Result<()> {
    let all = folder().join("atlas");
    if all.is_dir() {
        fs::remove_dir_all(&all).with_context(|| format!("cannot remove {}", all.display()))?;
    }
    places::create(&all)?;
    for (path, text) in pages(atlas) {
        let path = folder().join(path);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Fails if a page does not match the atlas.
pub fn check(atlas: &Atlas) -> Result<()> {
    for (path, text) in pages(atlas) {
        let path = folder().join(path);
        let found = fs::read_to_string(&path).unwrap_or_default();
        ensure!(
            found == text,
            "{} is not what the atlas gives: cargo xtask sites --write",
            path.display()
        );
    }
    Ok(())
}
