//! The suites of Debian that are installed.

/// A suite.
#[derive(Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: &'static str,
    /// The releases that packages come from.
    pub releases: &'static [&'static str],
}

/// Debian 11.
pub const BULLSEYE: Suite = Suite {
    name: "bullseye",
    releases: &["bullseye", "bullseye-security"],
};

/// Debian 12.
pub const BOOKWORM: Suite = Suite {
    name: "bookworm",
    releases: &["bookworm", "bookworm-security"],
};

/// Debian 13.
pub const TRIXIE: Suite = Suite {
    name: "trixie",
    releases: &["trixie", "trixie-security"],
};
