//! Places in the kernel that ask for capabilities, as the atlas knows them.

use serde::Serialize;

use super::layout::wrap;
use crate::atlas::{Atlas, Line, Verb, Version};

/// One line of JSON about a system call or a function.
#[derive(Serialize)]
pub(super) struct Places<'a> {
    kind: &'static str,
    name: &'a str,
    sites: Vec<Site<'a>>,
}

/// A place.
#[derive(Serialize)]
struct Site<'a> {
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
        let site = |line: &&'a Line| Site {
            capabilities: names(line),
            function: line.key.to_string(),
            caller: line.under.as_deref(),
            file: &line.key.file,
            kernels: line.kernels.to_string(),
            effect: line.effect.to_string(),
            without: &line.sentence,
        };
        Self {
            kind,
            name,
            sites: lines.iter().map(site).collect(),
        }
    }
}

/// The places under a title, by capability.
pub(super) fn paragraphs(title: &str, lines: &[&Line], columns: usize) -> String {
    let mut text = wrap(title, columns, "", "  ");
    let mut by_capability: Vec<(String, Vec<&Line>)> = Vec::new();
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
        for line in lines {
            text.push_str(&wrap(&said(line), columns, "  - ", "    "));
        }
    }
    text
}

/// What a place does, in a sentence, and where it is.
fn said(line: &Line) -> String {
    let sentence = &line.sentence;
    let what = match line.effect.verb() {
        Verb::Chooses => format!("nothing is refused; without it, {sentence}"),
        Verb::Passes => format!("it depends on the caller: without it, {sentence}"),
        Verb::Sometimes | Verb::Refuses => {
            format!("without it, {sentence}{}", refusal(line))
        }
        Verb::Unread => "what it does without it is not known".to_owned(),
    };
    let caller = line
        .under
        .as_ref()
        .map(|caller| format!(" called by {caller}"));
    format!(
        "{what}. In {}{}, {}{}",
        line.key.function,
        caller.unwrap_or_default(),
        line.key.file,
        kernels(line),
    )
}

/// The errno, and how a program learns of it.
fn refusal(line: &Line) -> String {
    let errno = line.effect.errno();
    let told = [
        ("ack", "in the answer to a netlink request"),
        ("cqe", "in the completion of an io_uring request"),
        ("unseen", "which the program is not told"),
    ];
    let told = told.iter().find(|(word, _)| line.effect.has(word));
    match (errno, told) {
        (Some(errno), Some((_, told))) => format!(" ({errno}, {told})"),
        (Some(errno), None) => format!(" ({errno})"),
        (None, Some(("unseen", told))) => format!(" ({told})"),
        (None, Some((_, told))) => format!(" (told {told})"),
        (None, None) => String::new(),
    }
}

/// `, Linux 6.1 and later`, `, Linux 5.10 to 6.1`; empty if it is so in every kernel of the atlas.
fn kernels(line: &Line) -> String {
    let oldest = Atlas::get().oldest();
    let range = |(from, to): &(Version, Option<Version>)| match to {
        None => format!("{from} and later"),
        Some(to) if to == from => from.to_string(),
        Some(to) => format!("{from} to {to}"),
    };
    match line.kernels.0[..] {
        [(from, None)] if Some(from) == oldest => String::new(),
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
            "Read from the sources of Linux {oldest} and later; older kernels may ask elsewhere."
        );
        wrap(&sentence, columns, "", "")
    })
}

fn names(line: &Line) -> Vec<String> {
    let names = line.key.capabilities.split(['/', ',']);
    names
        .map(|name| match name {
            "?" => "a capability that the caller names".to_owned(),
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
            said(&ack),
            "without it, adding fails (EPERM, in the answer to a netlink request). In f, \
             kernel/a.c, Linux 6.1 and later"
        );
        let shown = lines("g < h | SYSLOG | has | 5.10-6.1 | chooses | read | less is shown");
        assert_eq!(
            said(&shown),
            "nothing is refused; without it, less is shown. In g called by h, kernel/a.c, Linux \
             5.10 to 6.1"
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
            "Read from the sources of Linux 5.10 and later; older kernels may ask elsewhere.\n"
        );
    }
}
