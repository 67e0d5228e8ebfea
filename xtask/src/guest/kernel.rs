//! The running kernel's version, and ranges of versions.
//!
//! Only expectations of the tests look at versions; the program under test never does.

use std::fmt;

use anyhow::{Context as _, Result};

/// Major and minor number of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Before every kernel.
    pub const FIRST: Self = Self(0, 0);
    /// After every kernel.
    pub const NEVER: Self = Self(u32::MAX, u32::MAX);

    /// The version of the running kernel.
    ///
    /// # Errors
    /// When `/proc` is not mounted, or the release does not begin with two numbers.
    pub fn running() -> Result<Self> {
        let path = "/proc/sys/kernel/osrelease";
        let release =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&release).with_context(|| format!("no version in the release {release:?}"))
    }

    fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some(Self(
            numbers.next()?.parse().ok()?,
            numbers.next()?.parse().ok()?,
        ))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn a_release_begins_with_its_version() {
        assert_eq!(Version::parse("6.1.0-45-cloud-amd64"), Some(Version(6, 1)));
        assert_eq!(
            Version::parse("7.3.2+deb13-cloud-amd64"),
            Some(Version(7, 3))
        );
        assert_eq!(Version::parse("unknown"), None);
    }
}
