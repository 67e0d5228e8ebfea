//! The kernels that a line applies to, by version: `5.10+`, `6.1-6.12`, `5.10`, or several of
//! these.

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result, bail};

/// A kernel's version: 6.12 comes after 6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32);

impl Version {
    /// Reads `6.12`.
    pub fn parse(text: &str) -> Result<Self> {
        let (major, minor) = text
            .split_once('.')
            .with_context(|| format!("{text:?} is no version"))?;
        Ok(Self(major.parse()?, minor.parse()?))
    }
}

impl Display for Version {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Ranges of kernel versions, each with a first and a last version; without a last one, all later
/// versions are included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernels(
    /// First and last version, both included.
    pub Vec<(Version, Option<Version>)>,
);

impl Kernels {
    /// Reads ranges separated by commas.
    pub fn parse(text: &str) -> Result<Self> {
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let part = part.trim();
            ranges.push(if let Some(from) = part.strip_suffix('+') {
                (Version::parse(from)?, None)
            } else if let Some((from, to)) = part.split_once('-') {
                (Version::parse(from)?, Some(Version::parse(to)?))
            } else {
                let only = Version::parse(part)?;
                (only, Some(only))
            });
        }
        if ranges.is_empty() {
            bail!("it is true of no kernel");
        }
        Ok(Self(ranges))
    }

    /// Whether the ranges include this version.
    pub fn have(&self, version: Version) -> bool {
        self.0
            .iter()
            .any(|(from, to)| *from <= version && to.is_none_or(|to| version <= to))
    }
}

impl Display for Kernels {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        for (index, (from, to)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match to {
                None => write!(f, "{from}+")?,
                Some(to) if to == from => write!(f, "{from}")?,
                Some(to) => write!(f, "{from}-{to}")?,
            }
        }
        Ok(())
    }
}
