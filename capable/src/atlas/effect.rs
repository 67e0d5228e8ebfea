//! What a line says, in the form that the rules use.

use super::line::{Effect, Line};

/// What the kernel does with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Without the capability, what the program asked for fails.
    Refuses,
    /// Without the capability, it fails in some cases, which the check does not show.
    Sometimes,
    /// It never fails: the answer decides what is shown, a limit, accounting or which path is
    /// taken.
    Chooses,
    /// The answer is passed on to callers, which differ.
    Passes,
    /// Not read yet.
    Unread,
}

impl Effect {
    /// The verb.
    pub fn verb(&self) -> Verb {
        match self.words.first().map(String::as_str) {
            Some("refuses") => Verb::Refuses,
            Some("sometimes") => Verb::Sometimes,
            Some("chooses") => Verb::Chooses,
            Some("passes") => Verb::Passes,
            _ => Verb::Unread,
        }
    }

    /// Whether a further word is given: `ack`, `cqe`, `unseen`, `early`, `limit`, `else`.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().skip(1).any(|it| it == word)
    }

    /// Capabilities that other sites ask for, and that are enough too.
    fn alternatives(&self) -> impl Iterator<Item = &str> {
        let words = self.words.iter().skip(1);
        words.filter_map(|word| word.strip_prefix("or:"))
    }

    /// What a system call must ask for, or be, for the effect to hold: one of these names.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        let words = self.words.iter().skip(1);
        words.filter_map(|word| word.strip_prefix("if:"))
    }

    /// The name of the errno that a refusal gives, if it gives one.
    pub fn errno(&self) -> Option<&str> {
        let errno = self.words.get(1)?;
        errno.starts_with('E').then_some(errno.as_str())
    }
}

impl Line {
    /// The names of the capabilities that would do instead of the requested one: those that the
    /// helper asks for afterwards, and those of other sites. Without `CAP_`.
    pub(crate) fn alternatives(&self) -> impl Iterator<Item = &str> {
        let later = self.key.capabilities.split('/').skip(1);
        later.chain(self.effect.alternatives())
    }

    /// The system calls that the sentence mentions: `setpriority(2)`.
    pub fn syscalls(&self) -> impl Iterator<Item = &str> {
        let words = self.sentence.split([' ', ',', ';', '(', ')']);
        let mut before = "";
        words.filter_map(move |word| {
            let name = std::mem::replace(&mut before, word);
            (word == "2" && !name.is_empty()).then_some(name)
        })
    }

    /// Whether the line is about the capability with this name, without `CAP_`.
    pub(crate) fn names(&self, capability: &str) -> bool {
        let names = &self.key.capabilities;
        names == "?" || names.split(['/', ',']).any(|name| name == capability)
    }
}
