//! Which lines of the atlas are marked `run`, without a kernel.

use std::collections::BTreeSet;

use super::table;
use crate::atlas::line::{Line, Proof as Known};
use crate::atlas::{self, Lookup};
use crate::{places, sites};

fn atlas() -> Lookup {
    atlas::load(&places::workspace().join("capable/atlas")).unwrap()
}

fn words(line: &Line) -> String {
    format!("{}: {line}", line.key.file)
}

#[test]
fn a_line_is_marked_run_exactly_if_it_has_a_proof() {
    let atlas = atlas();
    let kernels = sites::versions().unwrap();
    let proved: BTreeSet<*const Line> = kernels
        .iter()
        .flat_map(|kernel| table::all().flat_map(|proof| proof.lines(&atlas, *kernel)))
        .map(std::ptr::from_ref)
        .collect();
    let wrong = atlas.lines().iter().filter(|line| {
        let is_marked = line.proof == Known::Run;
        is_marked != proved.contains(&std::ptr::from_ref(*line))
    });
    let wrong: Vec<_> = wrong.map(words).collect();
    assert!(
        wrong.is_empty(),
        "{} lines:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_proof_is_about_a_site_of_each_name_that_it_has() {
    let atlas = atlas();
    let wrong: Vec<_> = table::all()
        .flat_map(|proof| proof.sites.split(" or ").map(move |site| (proof, site)))
        .filter(|(proof, site)| {
            let alone = super::Proof {
                sites: site,
                ..**proof
            };
            !atlas.lines().iter().any(|line| alone.is_about(line))
        })
        .map(|(proof, site)| format!("{site} | {}", proof.capabilities))
        .collect();
    assert!(wrong.is_empty(), "no such sites:\n{}", wrong.join("\n"));
}
