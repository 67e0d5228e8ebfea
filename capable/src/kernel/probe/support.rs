//! Yes, no, or unknown.

use std::fmt;

/// The remedy if capabilities do not count.
pub(super) const OUTSIDE: &str =
    "run capable on the host, or in a container that keeps the host's user namespace";

/// Whether something works here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does.
    Yes,
    /// It does not.
    No(Lack),
    /// It is not known whether it does.
    Unknown(Lack),
}

/// Why something does not work, or could not be told, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The cause, as a part of a sentence.
    pub reason: String,
    /// What the user can do, if anything.
    pub remedy: Option<String>,
}

impl Lack {
    /// A cause that the user can do nothing about.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: None,
        }
    }

    /// A cause and what to do about it.
    pub fn with_remedy(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: Some(remedy.into()),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl Support {
    /// It does not work, and there is nothing to do about it.
    pub fn no(reason: impl Into<String>) -> Self {
        Self::No(Lack::new(reason))
    }

    /// It is not known whether it works.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown(Lack::new(reason))
    }

    /// It works for sure.
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::Yes)
    }

    /// It does not work for sure.
    pub fn is_no(&self) -> bool {
        matches!(self, Self::No(_))
    }

    /// Why not, or why it could not be told.
    pub fn lack(&self) -> Option<&Lack> {
        match self {
            Self::Yes => None,
            Self::No(lack) | Self::Unknown(lack) => Some(lack),
        }
    }

    /// Whether all of several things work: the first that does not work decides, else the first
    /// that is unknown.
    pub fn all<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = &Self::Yes;
        for part in parts {
            match (part, all) {
                (Self::No(_), _) => return part.clone(),
                (Self::Unknown(_), Self::Yes) => all = part,
                _ => {}
            }
        }
        all.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_outweighs_unknown_and_unknown_outweighs_yes() {
        let (yes, no) = (Support::Yes, Support::no("no"));
        let unknown = Support::unknown("unknown");
        assert_eq!(Support::all([&yes, &yes]), yes);
        assert_eq!(Support::all([&yes, &unknown, &yes]), unknown);
        assert_eq!(Support::all([&unknown, &no, &yes]), no);
        let (first, second) = (Support::no("first"), Support::no("second"));
        assert_eq!(Support::all([&first, &second]), first);
    }
}
