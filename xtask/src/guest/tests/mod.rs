//! The tests that run in a guest; the harmless half of them also runs on this machine.

mod act;
mod agreement;
mod burst;
mod cast;
mod comm;
mod conditions;
mod degraded;
mod descent;
mod errors;
pub mod everyday;
mod few;
mod filters;
mod formats;
mod hotplug;
mod inside;
mod inspecting;
mod keeping;
mod least;
mod libcap;
mod limits;
mod meaning;
mod output;
pub mod programs;
mod recycled;
mod refusals;
mod stack;
mod stop;
mod table;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use super::compare::Machine;
use super::folder::Folder;
use super::hooks::{Way, ways};
use super::random;
use super::scene::{Scene, in_virtual_machine};
use crate::SPECIALISE;
use crate::tally::Tally;
use table::{LAST, TESTS};

/// The input of every test.
#[derive(Debug)]
pub struct Bench {
    /// The place for triggers.
    pub scene: Scene,
    /// This machine and its kernel.
    pub machine: Machine,
    /// The ways to trace that must work here.
    pub ways: Vec<Way>,
}

impl Bench {
    /// One way for each hook, by the ring buffer.
    pub fn hooks(&self) -> impl Iterator<Item = Way> + '_ {
        self.ways
            .iter()
            .copied()
            .filter(|way| way.transport == "ring")
    }
}

/// How many random checks the tests make with the kprobe.
const RANDOM_CHECKS: usize = 100_000;

/// The seed that the tests use, so that a failure can be reproduced.
pub const RANDOM_SEED: u64 = 20_261_122;

/// Where tests run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In guests and on this machine.
    Anywhere,
    /// In guests only.
    Guests,
}

/// A test.
struct Test {
    /// A sentence that states what must hold.
    name: &'static str,
    scope: Scope,
    /// Fails if the sentence is not true.
    run: fn(&Bench) -> Result<()>,
}

impl Test {
    const fn anywhere(name: &'static str, run: fn(&Bench) -> Result<()>) -> Self {
        let scope = Scope::Anywhere;
        Self { name, scope, run }
    }

    const fn in_guests(name: &'static str, run: fn(&Bench) -> Result<()>) -> Self {
        let scope = Scope::Guests;
        Self { name, scope, run }
    }

    fn runs_in(&self, scope: Scope) -> bool {
        self.scope == Scope::Anywhere || scope == Scope::Guests
    }
}

/// The scenario of triggers, traced in every way; it counts as several tests.
const AGREEMENT: &str = "agreement_of_all_ways_with_what_triggers_must_show";

/// The random checks with every hook; they count as several tests.
const RANDOM: &str = "random_verdicts_by_every_hook";

/// The names of the tests, without those of the programs.
pub fn names(scope: Scope) -> Vec<String> {
    let tests = TESTS.iter().chain(LAST).filter(|test| test.runs_in(scope));
    [AGREEMENT, RANDOM]
        .into_iter()
        .chain(tests.map(|test| test.name))
        .map(str::to_owned)
        .collect()
}

/// `xtask guest tests`.
///
/// # Errors
/// If the scene cannot be built. The exit code tells whether a test failed.
pub fn command(only: &[String]) -> Result<ExitCode> {
    ensure!(
        env::var(SPECIALISE).as_deref() == Ok("yes"),
        "without {SPECIALISE}=yes a program that cannot be specialised would pass unseen"
    );
    let _folder = Folder::make()?;
    let machine = Machine::this()?;
    let kernel = machine.kernel;
    let bench = Bench {
        scene: Scene::build()?,
        machine,
        ways: ways(kernel),
    };
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|only| name.contains(only.as_str()));
    let mut tally = Tally::default();
    if degraded::is_locked_down() {
        // Other tests need what lockdown forbids.
        let name = "lockdown_is_named_or_does_not_matter";
        tally.record(name, degraded::lockdown(&bench));
        return Ok(tally.finish());
    }
    let scope = match in_virtual_machine() {
        true => Scope::Guests,
        false => Scope::Anywhere,
    };
    let run = |tests: &[Test], tally: &mut Tally| {
        for test in tests {
            if test.runs_in(scope) && wanted(test.name) {
                tally.record(test.name, (test.run)(&bench));
            }
        }
    };
    if wanted(AGREEMENT) {
        agreement::run(&bench, &mut tally)?;
    }
    run(TESTS, &mut tally);
    if scope == Scope::Guests {
        programs::run(Scope::Guests, wanted, &mut tally)?;
    }
    if wanted(RANDOM) {
        random::run(kernel, RANDOM_CHECKS, RANDOM_SEED, &mut tally)?;
    }
    run(LAST, &mut tally);
    Ok(tally.finish())
}
