//! Places in the kernel that ask for capabilities, as the atlas knows them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::layout::wrap;
use super::without::{refused, what};
use crate::atlas::{Atlas, Line, Verb, Version};
use crate::capability::{Capability, Explanation};

/// One line of JSON about a system call or a function.
#[derive(Serialize)]
pub(super) struct Places<'a> {
    kind: &'static str,
    name: &'a str,
    sites: Vec<Site<'a>>,
}

/// A place.
#[derive(Serialize)]
pub(super) struct Site<'a> {
    capabilities: Vec<String>,
    function: String,
    caller: Option<&'a str>,
    file: &'a str,
    kernels: String,
    effect: String,
    without: &'a str,
}

impl<'a> Places<'a> {
    /// The places of a system call or a function.
    pub fn new(kind: &'static str, name: &'a str, lines: &[&'a Line]) -> Self {
        Self {
            kind,
            name,
            sites: lines.iter().copied().map(Site::new).collect(),
        }
    }
}

impl<'a> Site<'a> {
    /// A line of the atlas.
    pub fn new(line: &'a Line) -> Self {
        Self {
            capabilities: names(line),
            function: line.key.to_string(),
            caller: line.under.as_deref(),
            file: &line.key.file,
            kernels: line.kernels.to_string(),
            effect: line.effect.to_string(),
            without: &line.sentence,
        }
    }
}

/// The folders of the kernel's source, by what a user would call them.
const FOLDERS: [(&str, &str); 14] = [
    ("arch", "processor"),
    ("block", "block devices"),
    ("crypto", "cryptography"),
    ("drivers", "drivers"),
    ("fs", "file systems"),
    ("include", "helpers in headers"),
    ("io_uring", "io_uring"),
    ("ipc", "System V IPC and message queues"),
    ("kernel", "processes, tracing, BPF and time"),
    ("lib", "library"),
    ("mm", "memory"),
    ("net", "network"),
    ("security", "security modules and keys"),
    ("sound", "sound"),
];

/// About how many places a summary tells.
const TOLD: usize = 12;

/// Where a capability is asked for, by subsystem: how many places there are, and the most telling of
/// them, or all.
pub(super) fn by_subsystem(
    capability: Capability,
    told: &Explanation,
    lines: &[&Line],
    all: bool,
    columns: usize,
) -> String {
    let count = |lines: &[&Line]| {
        let places = lines.iter().map(|line| &line.key);
        places
            .map(|key| (&key.file, &key.function, &key.label, key.number))
            .collect::<BTreeSet<_>>()
            .len()
    };
    let mut folders: Vec<(&str, Vec<&Line>)> = Vec::new();
    for line in lines {
        let folder = line.key.file.split('/').next().unwrap_or_default();
        match folders.iter_mut().find(|(name, _)| *name == folder) {
            Some((_, lines)) => lines.push(line),
            None => folders.push((folder, vec![line])),
        }
    }
    // Drivers are many, and few of them are in any one machine.
    folders.sort_by_key(|(name, lines)| (*name == "drivers", usize::MAX - count(lines)));
    let each = (TOLD / folders.len().max(1)).clamp(1, 4);
    let mut text = String::new();
    let mut is_whole = true;
    for (name, lines) in &folders {
        let known = FOLDERS.iter().find(|(folder, _)| folder == name);
        let title = known.map_or(*name, |(_, title)| title);
        let heading = format!("{title} ({name}/): {}", places(count(lines)));
        text.push_str(&wrap(&heading, columns, "  ", "    "));
        if all {
            for sentence in said(lines, Some(capability)) {
                text.push_str(&wrap(&sentence, columns, "    - ", "      "));
            }
            continue;
        }
        let telling = telling(lines, told);
        is_whole &= telling.len() <= each;
        for line in telling.into_iter().take(each) {
            let item = format!("{} [{}]", short(line), line.key.function);
            text.push_str(&wrap(&item, columns, "    - ", "      "));
        }
    }
    if !is_whole {
        let name = capability.short_name();
        let more = format!("capable explain {name} --sites lists all of the places.");
        text.push_str(&wrap(&more, columns, "  ", "  "));
    }
    text
}

fn places(count: usize) -> String {
    match count {
        1 => "1 place".into(),
        count => format!("{count} places"),
    }
}

/// The lines with different sentences, those first that say most to a user: of functions that the
/// explanation names, of the newest kernel, that refuse, by a system call that is named.
fn telling<'a>(lines: &[&'a Line], told: &Explanation) -> Vec<&'a Line> {
    let mut sorted = lines.to_vec();
    sorted.sort_by_key(|line| {
        let is_named = told.functions.contains(&&*line.key.function);
        let is_present = line.kernels.0.iter().any(|(_, last)| last.is_none());
        let weight = match line.effect.verb() {
            Verb::Refuses => 0,
            Verb::Sometimes => 1,
            Verb::Chooses => 2,
            Verb::Passes | Verb::Unread => 3,
        };
        (
            !is_present,
            !is_named,
            weight,
            line.under.is_some(),
            line.syscalls().next().is_none(),
        )
    });
    let mut sentences = BTreeSet::new();
    sorted.retain(|line| sentences.insert(&line.sentence));
    // One line of each function first.
    let mut functions = BTreeSet::new();
    sorted.sort_by_cached_key(|line| !functions.insert(&line.key.function));
    sorted
}

/// What a place does, without where it is.
fn short(line: &Line) -> String {
    match line.effect.verb() {
        Verb::Refuses | Verb::Sometimes => refused(line),
        Verb::Chooses | Verb::Passes | Verb::Unread => line.sentence.clone(),
    }
}

/// The places under a title, by capability.
pub(super) fn paragraphs(title: &str, lines: &[&Line], columns: usize) -> String {
    let mut text = wrap(title, columns, "", "  ");
    let mut by_capability: Vec<(String, Vec<&Line>)> = Vec::new();
    let mut lines = lines.to_vec();
    lines.sort_by_key(|line| (is_special(line), line.sentence.len()));
    for line in lines {
        let name = names(line).join(" or ");
        match by_capability.iter_mut().find(|(known, _)| *known == name) {
            Some((_, lines)) => lines.push(line),
            None => by_capability.push((name, vec![line])),
        }
    }
    for (name, lines) in by_capability {
        text.push('\n');
        text.push_str(&name);
        text.push('\n');
        for sentence in said(&lines, None) {
            text.push_str(&wrap(&sentence, columns, "  - ", "    "));
        }
    }
    text
}

/// Whether a place is in a single file system, protocol, driver or the like: what holds for all comes
/// first.
fn is_special(line: &Line) -> bool {
    let file = &line.key.file;
    let is_core = ["net/core/", "net/ipv4/", "kernel/"]
        .iter()
        .any(|core| file.starts_with(core));
    !is_core && (file.matches('/').count() > 1 || file.starts_with("crypto/"))
}

/// What places do, a sentence each, and where that is, under a heading that names this capability or
/// all that they ask for. Those with the same sentence stand together: most of these are one place
/// that moved, or was read in several kernels.
fn said(lines: &[&Line], heading: Option<Capability>) -> Vec<String> {
    type Place = (String, Vec<(Version, Option<Version>)>);
    let mut said: Vec<(String, Vec<Place>)> = Vec::new();
    for line in lines {
        let what = what(line, heading);
        let index = said.iter().position(|(known, _)| *known == what);
        let index = index.unwrap_or_else(|| {
            said.push((what, Vec::new()));
            said.len() - 1
        });
        let caller = line.under.as_ref();
        let caller = caller.map(|caller| format!(" called by {caller}"));
        let (function, file) = (&line.key.function, &line.key.file);
        let place = format!("{function}{}, {file}", caller.unwrap_or_default());
        let places = &mut said[index].1;
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, ranges)) => ranges.extend(&line.kernels.0),
            None => places.push((place, line.kernels.0.clone())),
        }
    }
    let sentence = |(what, places): (String, Vec<Place>)| {
        let place = |(place, ranges): Place| format!("{place}{}", kernels(ranges));
        let places: Vec<_> = places.into_iter().map(place).collect();
        format!("{what}. In {}", places.join("; "))
    };
    said.into_iter().map(sentence).collect()
}

/// `, Linux 6.1 and later`, `, Linux 5.10 to 6.1`; empty if it is so in every kernel of the atlas.
fn kernels(mut ranges: Vec<(Version, Option<Version>)>) -> String {
    let atlas = Atlas::get();
    ranges.sort();
    let mut merged: Vec<(Version, Option<Version>)> = Vec::new();
    for (from, to) in ranges {
        match merged.last_mut() {
            Some((_, last)) if last.is_none_or(|last| atlas.next_read(last) >= Some(from)) => {
                *last = last.and(to);
            }
            _ => merged.push((from, to)),
        }
    }
    let range = |(from, to): &(Version, Option<Version>)| match to {
        None => format!("{from} and later"),
        Some(to) if to == from => from.to_string(),
        Some(to) => format!("{from} to {to}"),
    };
    match merged[..] {
        [(from, None)] if Some(from) == atlas.oldest() => String::new(),
        ref ranges => {
            let ranges: Vec<_> = ranges.iter().map(range).collect();
            format!(", Linux {}", ranges.join(", "))
        }
    }
}

/// The sentence about the kernels that were read, once at the end.
pub(super) fn covered(columns: usize) -> String {
    Atlas::get().oldest().map_or_else(String::new, |oldest| {
        let sentence = format!(
            "Read from the sources of Linux {oldest} and later; older kernels may check in other places."
        );
        wrap(&sentence, columns, "", "")
    })
}

fn names(line: &Line) -> Vec<String> {
    let names = line.key.capabilities.split(['/', ',']);
    names
        .map(|name| match name {
            "?" => "any capability".to_owned(),
            _ => format!("CAP_{name}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Line {
        Line::parse("kernel/a.c", text).unwrap()
    }

    #[test]
    fn a_place_says_what_fails_how_it_is_told_and_where_it_is() {
        let ack = lines("f | NET_ADMIN | capable | 6.1+ | refuses EPERM ack | read | adding fails");
        assert_eq!(
            said(&[&ack], None).concat(),
            "without it, adding fails (EPERM, in the answer to a netlink request). In f, \
             kernel/a.c, Linux 6.1 and later"
        );
        let shown = lines("g < h | SYSLOG | has | 5.10-6.1 | chooses | read | less is shown");
        assert_eq!(
            said(&[&shown], None).concat(),
            "without it, nothing is refused, but less is shown. In g called by h, kernel/a.c, \
             Linux 5.10 to 6.1"
        );
    }

    #[test]
    fn a_capabilitys_places_are_summed_up_by_subsystem_and_listed_if_asked() {
        for capability in Capability::all() {
            let told = capability.explanation().unwrap();
            let lines: Vec<_> = Atlas::get().of_capability(capability).collect();
            assert!(!lines.is_empty(), "{capability}");
            let text = by_subsystem(capability, told, &lines, false, 80);
            assert!(text.lines().count() <= 50, "{text}");
            assert!(text.lines().all(|line| line.len() <= 80), "{text}");
            let left_out = format!("{} --sites lists all", capability.short_name());
            let sentences: BTreeSet<_> = lines.iter().map(|line| &line.sentence).collect();
            let shown = text.matches("\n    - ").count();
            assert_eq!(text.contains(&left_out), shown < sentences.len(), "{text}");
            let all = by_subsystem(capability, told, &lines, true, 80);
            for line in &lines {
                assert!(all.contains(&*line.key.function), "{line}");
            }
        }
        let raw = Capability::NET_RAW;
        let lines: Vec<_> = Atlas::get().of_capability(raw).collect();
        let text = by_subsystem(raw, raw.explanation().unwrap(), &lines, false, 80);
        assert!(text.starts_with("  network (net/): "), "{text}");
        assert!(
            text.contains("[packet_create]") || text.contains("[inet_create]"),
            "{text}"
        );
    }

    #[test]
    fn places_with_the_same_sentence_stand_together() {
        let old = lines("f | BPF | bpf_capable | 5.10 | refuses EPERM | plain | loading fails");
        let new = lines("f | BPF | bpf_capable | 6.1+ | refuses EPERM | read | loading fails");
        let gone = lines("g | BPF | bpf_capable | 5.10-6.1 | refuses EPERM | read | loading fails");
        assert_eq!(
            said(&[&new, &old, &gone], None),
            [
                "without it, loading fails (EPERM). In f, kernel/a.c; g, kernel/a.c, Linux 5.10 to \
              6.1"
            ]
        );
    }

    #[test]
    fn places_are_told_by_capability_within_the_columns() {
        let mount: Vec<_> = Atlas::get().of_syscall("mount").collect();
        let text = paragraphs("mount(2)", &mount, 80);
        assert!(text.contains("\nCAP_SYS_ADMIN\n  - "), "{text}");
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert!(!text.contains("Linux 5.10 and later"), "{text}");
        assert_eq!(
            covered(100),
            "Read from the sources of Linux 5.10 and later; older kernels may check in other places.\n"
        );
    }
}
