//! Where a check was made, as far as the atlas knows it.

use std::sync::Arc;

use super::Atlas;
use super::effect::Verb;
use super::line::Line;
use crate::capability::Capability;

/// What the atlas says of a check: one line, or several where the stack does not tell which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// By their places in the program's atlas, so that it is quickly compared.
    lines: Arc<[usize]>,
}

impl Place {
    pub(super) fn new(lines: Vec<usize>) -> Option<Self> {
        (!lines.is_empty()).then(|| Self {
            lines: lines.into(),
        })
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &'static Line> {
        let atlas = Atlas::get();
        self.lines.iter().map(|&index| &atlas.lines[index])
    }

    /// What the lines have in common: one verb, [`Verb::Unread`] if one is, and otherwise
    /// [`Verb::Sometimes`].
    pub fn verb(&self) -> Verb {
        let mut verbs = self.lines().map(|line| line.effect.verb());
        let first = verbs.next().unwrap_or(Verb::Unread);
        verbs.fold(first, |all, verb| match (all, verb) {
            _ if all == verb => all,
            (Verb::Unread, _) | (_, Verb::Unread) => Verb::Unread,
            _ => Verb::Sometimes,
        })
    }

    /// The sentences of the lines, each once: what a program meets without the capability.
    pub fn sentences(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        for line in self.lines() {
            let sentence = line.sentence.as_str();
            if !sentence.is_empty() && !all.contains(&sentence) {
                all.push(sentence);
            }
        }
        all
    }

    /// How the system call ended does not tell whether it was refused: that is in a message or a
    /// completion, or nowhere.
    pub fn is_told_elsewhere(&self) -> bool {
        let words = ["ack", "cqe", "unseen"];
        self.lines()
            .any(|line| words.iter().any(|word| line.effect.has(word)))
    }

    /// Nothing that a program asks for fails, and it is never told: without the capability something
    /// is left out or undone in silence, in cases that the check does not show.
    pub fn is_silent(&self) -> bool {
        self.lines()
            .all(|line| line.effect.verb() == Verb::Sometimes && line.effect.has("unseen"))
    }

    /// Only writing to a file needs it.
    pub fn is_about_writing(&self) -> bool {
        self.lines().all(|line| line.effect.has("write"))
    }

    /// A refusal here gives this errno, as far as the lines say one.
    pub fn may_give(&self, errno: &str) -> bool {
        let mut errnos = self.lines().map(|line| line.effect.errno());
        errnos.any(|known| known.is_none_or(|known| known == errno))
    }

    /// The wider capability that the kernel asks for when this one is not granted, and takes in its
    /// place.
    pub fn takes_instead_of(&self, narrow: Capability) -> Option<Capability> {
        self.lines()
            .flat_map(Line::others)
            .find(|&wide| is_wider(wide, narrow))
    }

    /// The narrower capability that the kernel would have taken, but asks for only after this one.
    pub fn takes_as_well_as(&self, wide: Capability) -> Option<Capability> {
        self.lines()
            .filter(|line| !line.effect.has("else"))
            .flat_map(Line::others)
            .find(|&narrow| is_wider(wide, narrow))
    }
}

/// Of two that the kernel takes for the same thing, the one that allows more besides.
fn is_wider(wide: Capability, narrow: Capability) -> bool {
    match wide {
        Capability::SYS_ADMIN => narrow != wide,
        Capability::NET_ADMIN => narrow == Capability::NET_RAW,
        Capability::DAC_OVERRIDE => narrow == Capability::DAC_READ_SEARCH,
        _ => false,
    }
}
