//! Explanations as text.

use std::fmt::Write as _;

use super::layout::wrap;
use super::sites::by_subsystem;
use crate::atlas::Atlas;
use crate::capability::{Capability, CapabilitySet, OrChain};

/// The names in each set, except for sets of exactly one.
pub(super) fn heading(sets: &[CapabilitySet], columns: usize) -> String {
    let decoded = sets.iter().filter(|set| set.len() != 1).map(|set| {
        let names = set.to_string().replace(',', ", ");
        let mask = format!("0x{:x}: ", set.bits());
        wrap(&names, columns, &mask, "  ")
    });
    let mut heading: String = decoded.collect();
    if sets.iter().any(|set| set.len() > 1) {
        heading.push('\n');
    }
    heading
}

/// Everything about one capability; of the places in the kernel that ask for it, all or a summary.
pub(super) fn paragraphs(capability: Capability, all_sites: bool, columns: usize) -> String {
    let number = capability.number();
    let (Some(told), Some(since)) = (capability.explanation(), capability.since()) else {
        let unknown = format!("{capability} ({number}): not known to this version of capable");
        return wrap(&unknown, columns, "", "  ");
    };
    let title = format!(
        "{capability} ({number}, since Linux {since}): {}",
        told.summary
    );
    let mut page = Page {
        text: wrap(&title, columns, "", "  "),
        columns,
    };

    page.section("Allows");
    page.prose(told.allows);
    page.prose(&format!("Held in a user namespace, it {}.", told.scope));

    page.section("Commonly asked for by");
    page.items(told.programs.iter().copied());
    page.prose(&format!(
        "system calls and files: {}",
        told.syscalls.join(", ")
    ));
    page.prose(&format!("kernel functions: {}", told.functions.join(", ")));

    let lines: Vec<_> = Atlas::get().of_capability(capability).collect();
    page.section("Asked for in the kernel: without it,");
    page.text
        .push_str(&by_subsystem(capability, told, &lines, all_sites, columns));

    page.section(&format!("Danger: {}", told.danger));
    page.prose(told.holding);

    page.chains(
        "Accepted in its place",
        capability.accepted_instead(),
        |c| c.wide,
    );
    page.chains("Accepted in place of", capability.stands_in_for(), |c| {
        c.narrow
    });

    page.section("Narrower alternatives");
    page.items(told.alternatives.iter().copied());

    page.section("See");
    page.prose(&format!(
        "capabilities(7), Capabilities list; {}",
        told.see.join("; ")
    ));
    page.text
}

/// A text under headings.
struct Page {
    text: String,
    columns: usize,
}

impl Page {
    fn section(&mut self, heading: &str) {
        self.text.push('\n');
        self.text.push_str(heading);
        self.text.push('\n');
    }

    fn prose(&mut self, text: &str) {
        self.text.push_str(&wrap(text, self.columns, "  ", "  "));
    }

    fn items<'a>(&mut self, items: impl Iterator<Item = &'a str>) {
        for item in items {
            self.text
                .push_str(&wrap(item, self.columns, "  - ", "    "));
        }
    }

    fn chains(
        &mut self,
        heading: &str,
        chains: impl Iterator<Item = &'static OrChain>,
        other: impl Fn(&OrChain) -> Capability,
    ) {
        let mut chains = chains.peekable();
        if chains.peek().is_none() {
            return;
        }
        self.section(heading);
        for chain in chains {
            let mut item = String::new();
            // Writing to a string never fails.
            let _ = write!(item, "{}, {}", other(chain), chain.place);
            let _ = write!(item, " ({})", chain.functions.join(", "));
            self.items([item.as_str()].into_iter());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_fits_80_columns() {
        for capability in Capability::all() {
            for line in paragraphs(capability, false, 80).lines() {
                assert!(line.len() <= 80 && line.is_ascii(), "{capability}: {line}");
            }
        }
    }

    #[test]
    fn the_narrow_and_the_wide_one_of_a_chain_name_each_other() {
        let narrow = paragraphs(Capability::BPF, false, 80);
        assert!(
            narrow.contains("Accepted in its place\n  - CAP_SYS_ADMIN"),
            "{narrow}"
        );
        let wide = paragraphs(Capability::SYS_ADMIN, false, 80);
        assert!(wide.contains("Accepted in place of\n"), "{wide}");
        assert!(wide.contains("  - CAP_BPF"), "{wide}");
    }
}
