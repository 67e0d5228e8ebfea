//! What a program meets without a capability, in a sentence.

use crate::atlas::{Atlas, Line, Verb};
use crate::capability::Capability;

/// What a place does without the capability, and which others are enough too. The heading above names
/// this capability, or else all that the place asks for.
pub(super) fn what(line: &Line, heading: Option<Capability>) -> String {
    let asked = line.key.capabilities.split('/');
    let named: Vec<String> = match heading {
        Some(capability) => vec![capability.to_string()],
        None => asked.map(|name| format!("CAP_{name}")).collect(),
    };
    let without = match named.len() {
        1 => "without it",
        _ => "without either",
    };
    let told = match line.effect.verb() {
        Verb::Chooses => format!("{without}, nothing is refused, but {}", line.sentence),
        Verb::Passes => format!("it depends on the caller: {without}, {}", line.sentence),
        Verb::Sometimes | Verb::Refuses => format!("{without}, {}", refused(line)),
        Verb::Unread => return "what it does without it is not known".to_owned(),
    };
    match &enough_too(line, &named)[..] {
        [] => told,
        others => format!("{told}; {} is enough too", others.join(" or ")),
    }
}

/// The sentence, with the errno and how a program learns of it after what fails: what follows a
/// semicolon is about something else.
pub(super) fn refused(line: &Line) -> String {
    let refusal = refusal(line);
    match line.sentence.split_once("; ") {
        Some((fails, more)) => format!("{fails}{refusal}; {more}"),
        None => format!("{}{refusal}", line.sentence),
    }
}

/// The capabilities that are enough in place of those in the heading, unless the sentence tells of
/// them.
///
/// A place tells only what is asked for after it. So those before it are found at the places that
/// tell of this one and fail the same.
fn enough_too(line: &Line, named: &[String]) -> Vec<String> {
    let of = |line: &'_ Line| -> Vec<String> {
        let asked = line.key.capabilities.split('/').take(1);
        asked
            .chain(line.alternatives())
            .map(str::to_owned)
            .collect()
    };
    let own: Vec<_> = line.key.capabilities.split('/').collect();
    let before = Atlas::get().lines().iter().filter(|other| {
        other.sentence == line.sentence
            && other.alternatives().any(|name| own.contains(&name))
            && is_within(line, other)
    });
    let mut enough: Vec<String> = Vec::new();
    for name in of(line).into_iter().chain(before.flat_map(of)) {
        let full = format!("CAP_{name}");
        let is_said = name == "?" || named.contains(&full) || line.sentence.contains(&full);
        if !is_said && !enough.contains(&full) {
            enough.push(full);
        }
    }
    enough
}

/// Whether the other line is about all kernels of this one.
fn is_within(line: &Line, other: &Line) -> bool {
    let covers = |&(from, to): &(_, Option<_>)| {
        let mut ranges = other.kernels.0.iter();
        ranges.any(|&(first, last)| {
            first <= from && last.is_none_or(|last| to.is_some_and(|to| to <= last))
        })
    };
    line.kernels.0.iter().all(covers)
}

/// The errno, and how a program learns of it.
fn refusal(line: &Line) -> String {
    let errno = line.effect.errno();
    let told = [
        ("ack", "in the answer to a netlink request"),
        ("cqe", "in the completion of an io_uring request"),
        ("unseen", "the program is not told"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::parse("kernel/a.c", text).unwrap()
    }

    /// What the atlas's lines with this start say under a heading of all that they ask for.
    fn told(file: &str, start: &str) -> Vec<String> {
        let lines = Atlas::get().lines().iter();
        let lines =
            lines.filter(|line| line.key.file == file && line.to_string().starts_with(start));
        lines.map(|line| what(line, None)).collect()
    }

    #[test]
    fn what_else_is_enough_is_said_on_both_sides() {
        let mark = "without it, setsockopt(2) with SO_MARK fails (EPERM); ";
        assert_eq!(
            told("net/core/sock.c", "sk_setsockopt@SO_MARK | "),
            [
                format!("{mark}CAP_NET_RAW is enough too"),
                format!("{mark}CAP_NET_ADMIN is enough too"),
            ]
        );
        let processes = "without it, fork(2) and clone(2) fail once the user has as many processes as \
                         RLIMIT_NPROC (EAGAIN); ";
        assert_eq!(
            told("kernel/fork.c", "copy_process#2 | "),
            [format!("{processes}CAP_SYS_RESOURCE is enough too")]
        );
        let search = "chdir(2) to a directory that the caller may not search fails (EACCES)";
        assert_eq!(
            told("fs/namei.c", "generic_permission < sys_chdir | "),
            [
                format!("without it, {search}; CAP_DAC_READ_SEARCH is enough too"),
                format!("without it, {search}; CAP_DAC_OVERRIDE is enough too"),
            ]
        );
    }

    #[test]
    fn a_heading_of_two_capabilities_is_about_either() {
        let two = line("f | BPF/SYS_ADMIN | bpf_capable | 6.1+ | refuses EPERM | read | it fails");
        assert_eq!(what(&two, None), "without either, it fails (EPERM)");
        assert_eq!(
            what(&two, Some(Capability::SYS_ADMIN)),
            "without it, it fails (EPERM); CAP_BPF is enough too"
        );
    }

    #[test]
    fn what_a_sentence_tells_of_is_not_said_twice() {
        let told = line(
            "f | BPF | capable | 6.1+ | refuses EPERM or:PERFMON | read | it fails; CAP_PERFMON does",
        );
        assert_eq!(
            what(&told, None),
            "without it, it fails (EPERM); CAP_PERFMON does"
        );
    }
}
