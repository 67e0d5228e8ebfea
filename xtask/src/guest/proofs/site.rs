//! Which lines of the atlas a proof is about.

use super::Proof;
use crate::atlas::Lookup;
use crate::atlas::kernels::{Kernels, Version};
use crate::atlas::line::Line;

/// A site, as a proof names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Site<'a> {
    /// Function, label and number, as the atlas writes them.
    key: &'a str,
    under: Option<&'a str>,
    helper: Option<&'a str>,
}

impl<'a> Site<'a> {
    fn parse(text: &'a str) -> Self {
        let (text, helper) = match text.split_once(" via ") {
            Some((text, helper)) => (text, Some(helper)),
            None => (text, None),
        };
        let (key, under) = match text.split_once(" < ") {
            Some((key, under)) => (key, Some(under)),
            None => (text, None),
        };
        Self { key, under, helper }
    }

    fn is_of(&self, line: &Line) -> bool {
        self.key.starts_with(&line.key.function)
            && line.key.to_string() == self.key
            && line.under.as_deref() == self.under
            && self.helper.is_none_or(|helper| line.key.helper == helper)
    }
}

impl Proof {
    /// Whether the line is about what is proved, on some kernel.
    pub fn is_about(&self, line: &Line) -> bool {
        line.key.capabilities == self.capabilities
            && self
                .sites
                .split(" or ")
                .any(|site| Site::parse(site).is_of(line))
    }

    /// Whether it is tried on this kernel, if there is something to prove.
    pub fn is_tried_on(&self, kernel: Version) -> bool {
        self.only.is_none_or(|(kernels, _)| {
            Kernels::parse(kernels).is_ok_and(|kernels| kernels.have(kernel))
        })
    }

    /// The lines that it proves on this kernel: one, if the kernel has the site.
    pub fn lines<'a>(&self, atlas: &'a Lookup, kernel: Version) -> impl Iterator<Item = &'a Line> {
        let proof = *self;
        let lines = atlas.lines().iter();
        lines.filter(move |line| {
            proof.is_tried_on(kernel) && proof.is_about(line) && atlas.holds(line, kernel)
        })
    }
}
