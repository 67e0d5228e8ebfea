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
# A helper only passes a question on, or answers it: the site is in the function above it. It may call
# other helpers, which the line goes on with, perhaps by a jump that leaves no frame of it. Where the
# compiler put a function of a site into another, the stack names that one.
";

/// Helpers, and functions with those that they may be inlined into.
#[derive(Debug, Default)]
pub struct Stacks {
    helpers: BTreeMap<String, BTreeSet<String>>,
    inlined: BTreeMap<String, BTreeSet<String>>,
}

impl Stacks {
    /// Adds those of a kernel.
    pub fn add(&mut self, sites: &[Site], helpers: BTreeMap<String, BTreeSet<String>>) {
        for (helper, calls) in helpers {
            self.helpers.entry(helper).or_default().extend(calls);
        }
        for site in sites.iter().filter(|site| !site.into.is_empty()) {
            let into = self.inlined.entry(site.key.function.clone()).or_default();
            into.extend(site.into.iter().cloned());
        }
    }

    /// In the format of the file.
    pub fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (what, all) in [("helper", &self.helpers), ("inlined", &self.inlined)] {
            for (name, others) in all {
                let words = [what, name].into_iter();
                let words: Vec<_> = words.chain(others.iter().map(String::as_str)).collect();
                text += &(words.join(" ") + "\n");
            }
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
