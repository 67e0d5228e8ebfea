//! The reason for a refusal, in words.

use serde::{Deserialize, Serialize};

use crate::{
    capability::Capability,
    profile::words::{harmless, wrap},
};

/// What a refusal comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// A capability that was not held would allow it.
    Capability,
    /// The capability was held in a user namespace that does not count.
    Namespace,
    /// The capability was permitted, but not effective.
    NotEffective,
    /// No capability would help; the reason is another one.
    Other,
    /// No reason was found.
    Unknown,
}

/// A verdict with the capability that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Capability(Capability),
    Namespace(Capability),
    NotEffective(Capability),
    Other,
    Unknown,
}

impl Found {
    pub(super) fn kind(self) -> RefusalKind {
        match self {
            Self::Capability(_) => RefusalKind::Capability,
            Self::Namespace(_) => RefusalKind::Namespace,
            Self::NotEffective(_) => RefusalKind::NotEffective,
            Self::Other => RefusalKind::Other,
            Self::Unknown => RefusalKind::Unknown,
        }
    }

    pub(super) fn capability(self) -> Option<Capability> {
        match self {
            Self::Capability(capability)
            | Self::Namespace(capability)
            | Self::NotEffective(capability) => Some(capability),
            Self::Other | Self::Unknown => None,
        }
    }
}

/// A verdict, and what is said of it.
pub(super) type Reason = (Found, Vec<String>);

/// A refusal with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The program.
    pub program: String,
    /// The process; that of the first one, if there were several.
    pub pid: u32,
    /// How often.
    pub count: u64,
    /// When it was refused first, in nanoseconds since the program started.
    pub first_ns: u64,
    /// The system call.
    pub call: String,
    /// What it was about: a path, an address, a process; empty if that is not known.
    pub object: String,
    /// The errno; null if the call returned success and the refusal is told elsewhere.
    pub errno: Option<String>,
    /// What it comes down to.
    pub verdict: RefusalKind,
    /// The capability that it is about; null if it is about none.
    #[serde(with = "crate::profile::names::option")]
    pub capability: Option<Capability>,
    /// The reason and what would help, one sentence each.
    pub sentences: Vec<String>,
}

impl Explained {
    /// As text of at most `width` columns: who and what, then the sentences, indented.
    pub fn text(&self, width: usize) -> String {
        let mut out = String::new();
        let mut head = format!("{} ({}): {}", self.program, self.pid, self.call);
        if !self.object.is_empty() {
            head.push(' ');
            head.push_str(&self.object);
        }
        head.push_str(": ");
        head.push_str(
            self.errno
                .as_deref()
                .unwrap_or("refused, though it returned success"),
        );
        if self.count > 1 {
            head.push_str(&format!(" ({}×)", self.count));
        }
        wrap(&mut out, "", "    ", width, &harmless(&head));
        for sentence in &self.sentences {
            wrap(&mut out, "  ", "  ", width, &harmless(sentence));
        }
        out
    }
}
