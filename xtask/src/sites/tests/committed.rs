//! The committed atlas: what can be checked without the kernels' sources.

use std::collections::BTreeMap;
use std::fs;

use super::super::atlas::{self, Atlas};
use super::super::kernels::Version;
use super::super::line::{Line, Proof};
use super::super::lock;

/// How long a sentence may be.
const LONGEST: usize = 120;

/// The lines, which must all parse, and the versions of the kernels that they are about.
fn atlas() -> (Atlas, Vec<Version>) {
    (Atlas::load().unwrap(), lock::versions().unwrap())
}

/// Fails with all lines that meet a condition.
fn none(lines: &[Line], is_so: impl Fn(&Line) -> bool) {
    let wrong = lines.iter().filter(|line| is_so(line));
    let wrong: Vec<_> = wrong
        .map(|line| format!("{}: {line}", line.key.file))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_line_is_read_and_says_in_few_words_what_a_program_meets() {
    let (atlas, _) = atlas();
    assert!(atlas.lines.len() > 1000);
    none(&atlas.lines, |line| line.proof == Proof::Unread);
    none(&atlas.lines, |line| line.sentence.is_empty());
    none(&atlas.lines, |line| line.sentence.chars().count() > LONGEST);
}

#[test]
fn a_site_has_one_line_for_a_kernel_and_a_caller() {
    let (atlas, versions) = atlas();
    let mut by_site: BTreeMap<_, Vec<&Line>> = BTreeMap::new();
    for line in &atlas.lines {
        by_site
            .entry((&line.key, &line.under))
            .or_default()
            .push(line);
    }
    none(&atlas.lines, |line| {
        let same = &by_site[&(&line.key, &line.under)];
        versions.iter().any(|version| {
            line.kernels.have(*version)
                && same.iter().filter(|it| it.kernels.have(*version)).count() > 1
        })
    });
    none(&atlas.lines, |line| {
        !versions.iter().any(|version| line.kernels.have(*version))
    });
}

#[test]
fn beside_the_line_of_a_caller_stands_one_of_all_others() {
    let (atlas, versions) = atlas();
    none(&atlas.lines, |line| {
        let lacks = |version: &&Version| {
            line.kernels.have(**version) && atlas.line(&line.key, **version).is_none()
        };
        line.under.is_some() && versions.iter().any(|version| lacks(&version))
    });
}

#[test]
fn the_files_are_as_the_program_writes_them() {
    let (atlas, _) = atlas();
    let texts = atlas.texts();
    assert_eq!(atlas::files().unwrap().len(), texts.len());
    for (subsystem, text) in texts {
        let path = atlas::folder().join(format!("{subsystem}.sites"));
        assert!(
            fs::read_to_string(&path).unwrap() == text,
            "{} is not in order: cargo xtask sites --write",
            path.display()
        );
    }
}

#[test]
fn a_kernel_that_is_newer_than_the_atlas_is_told() {
    let last = *lock::versions().unwrap().last().unwrap();
    assert_eq!(lock::newer("5.10.0-33-cloud-amd64").unwrap(), None);
    assert_eq!(
        lock::newer(&format!("{last}.4+deb13-cloud-arm64")).unwrap(),
        None
    );
    let newer = lock::newer("99.0.1+deb13-cloud-amd64").unwrap().unwrap();
    assert!(
        newer.contains("99.0") && newer.contains(&last.to_string()),
        "{newer}"
    );
    assert!(lock::check_offered("newest", "linux-source-99.0").is_err());
    lock::check_offered("newest", &format!("linux-source-{last}")).unwrap();
}
