//! What `cap_capable` decided, and whether a denial would be logged.

use capable_common::Flags;

/// What `cap_capable` decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Granted, because the effective set holds the capability.
    Granted,
    /// Granted without the capability: the credentials own the target namespace.
    GrantedByOwnership,
    /// Granted twice over: the effective set holds the capability, and the credentials own the
    /// target namespace. `cap_capable` checks ownership before the set (security/commoncap.c), so
    /// the capability was not needed.
    GrantedByBoth,
    /// Denied with this errno (positive).
    Denied(i32),
}

impl Verdict {
    /// The verdict, if [`Flags`] tell that the result is known.
    pub(crate) fn of(flags: u32, result: i32) -> Option<Self> {
        (flags & Flags::RESULT_KNOWN != 0).then_some(match result {
            0 if flags & Flags::BY_OWNERSHIP != 0 => Self::GrantedByOwnership,
            0 if flags & Flags::NAMESPACE_OWNED != 0 => Self::GrantedByBoth,
            0 => Self::Granted,
            error => Self::Denied(error.wrapping_neg()),
        })
    }

    /// Whether the check was granted, for whatever reason.
    pub fn is_granted(self) -> bool {
        !matches!(self, Self::Denied(_))
    }

    /// Whether the credentials own the target namespace, so that the check is granted whatever
    /// their sets hold.
    pub fn is_granted_to_owner(self) -> bool {
        matches!(self, Self::GrantedByOwnership | Self::GrantedByBoth)
    }
}

/// A verdict in short, as the column RESULT shows it in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Denied.
    Denied,
    /// Granted, by the capability or by ownership.
    Granted,
    /// The hook could not tell.
    Unknown,
}

impl Decision {
    /// The short form of a verdict.
    pub fn of(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(verdict) if verdict.is_granted() => Self::Granted,
            Some(_) => Self::Denied,
            None => Self::Unknown,
        }
    }

    /// As it is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Granted => "granted",
            Self::Unknown => "-",
        }
    }
}

/// Whether a denial of the check would be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Audit {
    /// It would: the check was made without `CAP_OPT_NOAUDIT`.
    pub audited: bool,
    /// The flag was inferred from the call path.
    pub inferred: bool,
}

impl Audit {
    /// The audit flag, if [`Flags`] tell that it is known.
    pub(crate) fn of(flags: u32) -> Option<Self> {
        (flags & Flags::AUDIT_KNOWN != 0).then_some(Self {
            audited: flags & Flags::AUDITED != 0,
            inferred: flags & Flags::AUDIT_INFERRED != 0,
        })
    }
}
