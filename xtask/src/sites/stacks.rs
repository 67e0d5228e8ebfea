//! How sites are found on a stack: which functions only pass a check on, and which functions one
//! may be inlined into.
//!
//! `capable/atlas/stacks` lists both, for all kernels together: if one kernel has a name, that is
//! enough.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};

use super::atlas::{self, Atlas};
use super::kernels::Version;
use super::scan::Site;
use super::source::Source;
use super::{between, hooks, ranges};

const HEAD: &str = "\
# How sites are found on a stack. Written by `cargo xtask sites --write`.
#
# A helper only passes a question on, or answers it: the site is in the function above it. It may call
# other helpers, which the line goes on with, perhaps by a jump that leaves no frame of it. Where the
# compiler put a function of a site into another, the stack names that one; or the one that jumped to
# it, as those do that call hooks of security modules.
#
# A caller that a line names may have no frame either. `between OUTER INNER` lists, for two frames that
# follow each other, all ways from the outer one to the inner one: the named callers on each, the
# nearest to the site first, or - where there is none.
";

/// Helpers, and functions with those that they may be inlined into.
#[derive(Debug, Default)]
pub struct Stacks {
    helpers: BTreeMap<String, BTreeSet<String>>,
    inlined: BTreeMap<String, BTreeSet<String>>,
    /// Each pair of neighbours with the ways between them, and the kernels in which these are all.
    ways: BTreeMap<(String, String, String), Vec<bool>>,
    versions: Vec<Version>,
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

    /// Adds the callers of hooks that security modules of a kernel have sites in.
    pub fn add_hooks(&mut self, sites: &[Site], source: &Source) -> Result<()> {
        let hooks = hooks::find(source)?;
        for site in sites {
            if let Some(callers) = hooks.get(&site.key.function) {
                let into = self.inlined.entry(site.key.function.clone()).or_default();
                into.extend(callers.iter().cloned());
            }
        }
        Ok(())
    }

    /// Adds the ways to callers that may have no frame, for lines of these kernels.
    pub fn add_ways(
        &mut self,
        atlas: &Atlas,
        versions: &[Version],
        sources: &[Source],
    ) -> Result<()> {
        self.versions = versions.to_vec();
        for (number, (version, source)) in versions.iter().zip(sources).enumerate() {
            let lines = atlas.lines.iter();
            let lines = lines.filter(|line| line.kernels.have(*version));
            for ((outer, inner), ways) in between::find(source, lines)? {
                let ways = ways.into_iter().map(|way| match way.as_slice() {
                    [] => "-".to_owned(),
                    callers => callers.join(","),
                });
                let ways = ways.collect::<Vec<_>>().join(" ");
                let none = || vec![false; versions.len()];
                let kernels = self.ways.entry((outer, inner, ways)).or_insert_with(none);
                kernels[number] = true;
            }
        }
        Ok(())
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
        for ((outer, inner, ways), kernels) in &self.ways {
            let kernels = ranges::of(kernels, &self.versions);
            text += &format!("between {outer} {inner} {kernels} {ways}\n");
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
