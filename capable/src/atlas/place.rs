//! Where a check was made, if the atlas knows the place.

use std::sync::Arc;

use super::Atlas;
use super::call::Call;
use super::effect::Verb;
use super::line::Line;
use crate::capability::Capability;

/// What the atlas says about a check: one line, or several if the stack does not tell which one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Indices into the program's atlas, which are quick to compare.
    lines: Arc<[usize]>,
    /// Whether the system call is one for which the conditions of the lines hold; `None` if its
    /// arguments do not tell, and where a line has no condition.
    holds: Option<bool>,
    /// Whether what the system call asks for is not in its arguments, but in the program's memory.
    in_memory: bool,
}

impl Place {
    pub(super) fn new(lines: Vec<usize>) -> Option<Self> {
        (!lines.is_empty()).then(|| Self {
            lines: lines.into(),
            holds: None,
            in_memory: false,
        })
    }

    /// The place of a check that was made in this system call: where its arguments tell which of
    /// several lines it was, only that one.
    ///
    /// Of the labels of a function, one is left out for another only if the arguments name that other
    /// one: a value that the program does not know leaves all of them.
    #[must_use]
    pub fn in_call(self, call: &Call<'_>) -> Self {
        let atlas = Atlas::get();
        let key = |index: usize| &atlas.lines()[index].key;
        let named = |index: usize| call.says(key(index).label.as_deref()?);
        let taken: Vec<_> = self
            .lines
            .iter()
            .filter(|&&index| named(index) == Some(true))
            .map(|&index| &key(index).function)
            .collect();
        let is_other = |index: usize| {
            let function = &key(index).function;
            let other_label = named(index) == Some(false) && taken.contains(&function);
            other_label || call.says(function) == Some(false)
        };
        let of_call = |index: usize| -> Option<bool> {
            let mut conditions = atlas.lines()[index].effect.conditions().peekable();
            conditions.peek()?;
            let said: Option<Vec<bool>> = conditions.map(|name| call.says(name)).collect();
            Some(said?.contains(&true))
        };
        let all = || self.lines.iter().copied();
        let mut left: Vec<_> = all().filter(|&index| !is_other(index)).collect();
        if left.is_empty() {
            left = all().collect();
        }
        let hold = |index: &usize| of_call(*index) != Some(false);
        let lines: Vec<_> = match left.iter().any(hold) {
            true => left.into_iter().filter(hold).collect(),
            false => left,
        };
        let mut each = lines.iter().map(|&index| of_call(index));
        let first = each.next().flatten();
        let holds = first.filter(|_| each.all(|other| other == first));
        let in_memory = call.is_in_memory();
        if lines.len() == self.lines.len() {
            return Self {
                holds,
                in_memory,
                ..self
            };
        }
        Self {
            lines: lines.into(),
            holds,
            in_memory,
        }
    }

    /// Whether the arguments of the system call show that what it asked for needs no capability,
    /// although the kernel asks.
    pub fn needs_nothing(&self) -> bool {
        self.holds == Some(false)
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &'static Line> {
        let atlas = Atlas::get();
        self.lines.iter().map(|&index| &atlas.lines()[index])
    }

    /// The verb of the lines if they agree; otherwise [`Verb::Unread`] if one of them is unread, or
    /// else [`Verb::Sometimes`].
    pub fn verb(&self) -> Verb {
        let mut verbs = self.lines().map(|line| self.verb_of(line));
        let first = verbs.next().unwrap_or(Verb::Unread);
        verbs.fold(first, |all, verb| match (all, verb) {
            _ if all == verb => all,
            (Verb::Unread, _) | (_, Verb::Unread) => Verb::Unread,
            _ => Verb::Sometimes,
        })
    }

    /// The verb of one of the lines. Where it has a condition, it promises nothing unless that holds.
    fn verb_of(&self, line: &Line) -> Verb {
        let is_conditional = line.effect.conditions().next().is_some();
        match line.effect.verb() {
            Verb::Refuses if is_conditional && self.holds != Some(true) => Verb::Sometimes,
            verb => verb,
        }
    }

    /// The sentences of the lines without repetitions: what a program meets without the capability.
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

    /// The sentences as one, in pieces: at most three are told.
    pub fn told(&self) -> Vec<&'static str> {
        /// How many sentences are written.
        const TOLD: usize = 3;
        let all = self.sentences();
        let mut pieces = Vec::new();
        if all.len() > 1 {
            pieces.push(match self.in_memory {
                true => {
                    "one of these, and which is in the program's memory, which capable does not \
                     read: "
                }
                false => "one of these, and the check does not tell which: ",
            });
        }
        for (index, sentence) in all.iter().take(TOLD).enumerate() {
            if index > 0 {
                pieces.push("; ");
            }
            pieces.push(sentence);
        }
        if all.len() > TOLD {
            pieces.push("; or another");
        }
        pieces
    }

    /// Whether the system call's result does not tell if it was refused: that is in a message or a
    /// completion, or nowhere.
    pub fn is_told_elsewhere(&self) -> bool {
        let words = ["ack", "cqe", "unseen"];
        self.lines()
            .any(|line| words.iter().any(|word| line.effect.has(word)))
    }

    /// Whether nothing that a program asks for fails visibly: without the capability, something is
    /// silently left out or not done, in cases that the check does not show.
    pub fn is_silent(&self) -> bool {
        self.lines()
            .all(|line| self.verb_of(line) == Verb::Sometimes && line.effect.has("unseen"))
    }

    /// Whether only writing to a file needs it.
    pub fn is_about_writing(&self) -> bool {
        self.lines().all(|line| line.effect.has("write"))
    }

    /// Whether it is about more of something than the program has by right, and programs mostly go on
    /// with less.
    pub fn is_about_more(&self) -> bool {
        self.lines().all(|line| line.effect.has("more"))
    }

    /// Whether it is about the last of the memory, which is asked for whenever some is taken.
    pub fn is_about_overcommit(&self) -> bool {
        self.lines()
            .all(|line| line.sentence.contains("vm.overcommit_memory"))
    }

    /// Whether it is about attributes that look as if they were not there, where they are read.
    pub fn hides_attributes(&self) -> bool {
        self.lines()
            .all(|line| line.sentence.ends_with("getting one with ENODATA"))
    }

    /// Whether it is about opening a file below /proc/PID of another process.
    pub fn opens_process(&self) -> bool {
        self.lines()
            .all(|line| line.sentence.starts_with("opening /proc/PID/"))
    }

    /// Whether it is about what /proc/PID/stat of another process shows.
    pub fn reads_stat(&self) -> bool {
        self.lines()
            .all(|line| line.sentence.contains(" in /proc/PID/stat "))
    }

    /// Whether a refusal here may give this errno, according to the lines.
    pub fn may_give(&self, errno: &str) -> bool {
        let mut errnos = self.lines().map(|line| line.effect.errno());
        errnos.any(|known| known.is_none_or(|known| known == errno))
    }

    /// The wider capability that the kernel asks for if this one is not granted, and accepts
    /// instead.
    pub fn takes_instead_of(&self, narrow: Capability) -> Option<Capability> {
        self.lines()
            .flat_map(Line::others)
            .find(|&wide| is_wider(wide, narrow))
    }

    /// The wider capability that does in place of this one, whichever of the lines it was.
    pub fn always_takes_instead_of(&self, narrow: Capability) -> Option<Capability> {
        let wide = self.takes_instead_of(narrow)?;
        self.lines()
            .all(|line| line.others().any(|other| other == wide))
            .then_some(wide)
    }

    /// The narrower capability that the kernel would have accepted, but asks for only after this
    /// one.
    pub fn takes_as_well_as(&self, wide: Capability) -> Option<Capability> {
        self.lines()
            .filter(|line| !line.effect.has("else"))
            .flat_map(Line::others)
            .find(|&narrow| is_wider(wide, narrow))
    }
}

/// Whether, of two capabilities that the kernel accepts for the same thing, the first allows more.
fn is_wider(wide: Capability, narrow: Capability) -> bool {
    match wide {
        Capability::SYS_ADMIN => narrow != wide,
        Capability::NET_ADMIN => narrow == Capability::NET_RAW,
        Capability::DAC_OVERRIDE => narrow == Capability::DAC_READ_SEARCH,
        _ => false,
    }
}
