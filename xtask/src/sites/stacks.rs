//! How sites are found on a stack: which functions only pass a check on, and which functions one
//! may be inlined into.
//!
//! `capable/atlas/stacks` lists both, for all kernels together: if one kernel has a name, that is
//! enough.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};

use super::atlas;
use super::scan::Site;

const HEAD: &str = "\
# How sites are found on a stack. Written by `cargo xtask sites --write`.
#
# A helper only passes a question on, or answers it: the site is in the function above it. Where the
# compiler put a function of a site into another, the stack names that one.
";

/// Helpers, and functions with those that they may be inlined into.
#[derive(Debug, Default)]
pub struct Stacks {
    helpers: BTreeSet<String>,
    inlined: BTreeMap<String, BTreeSet<String>>,
}

impl Stacks {
    /// Adds those of a kernel.
    pub fn add(&mut self, sites: &[Site], helpers: BTreeSet<String>) {
        self.helpers.extend(helpers);
        for site in sites.iter().filter(|site| !site.into.is_empty()) {
            let into = self.inlined.entry(site.function.clone()).or_default();
            into.extend(site.into.iter().cloned());
        }
    }

    /// In the format of the file.
    pub fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for helper in &self.helpers {
            text += &format!("helper {helper}\n");
        }
        for (function, into) in &self.inlined {
            let into: Vec<_> = into.iter().map(String::as_str).collect();
            text += &format!("inlined {function} {}\n", into.join(" "));
        }
        text
    }

    /// Writes the file.
    pub fn save(&self) -> Result<()> {
        let path = atlas::folder().join("stacks");
        fs::write(&path, self.text()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Fails if the file does not match these kernels.
    pub fn check(&self) -> Result<()> {
        let path = atlas::folder().join("stacks");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            text == self.text(),
            "{} is not that of these kernels: cargo xtask sites --write",
            path.display()
        );
        Ok(())
    }
}
