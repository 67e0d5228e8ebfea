//! Runs programs before and after specialisation in an independent interpreter (rbpf) with the same
//! inputs: they must return the same, call the same helpers in the same order with the same
//! arguments and the same memory behind them, and leave the same memory. The stack is private and
//! may differ.
//!
//! `DIFFERENTIAL_PROGRAMS` sets the number of random programs, `DIFFERENTIAL_CONFIGURATIONS` the
//! number of configurations for which the real ones are specialised, and `DIFFERENTIAL_SEED` the
//! first seed. A failure names the seed.

mod configuration;
mod generator;
mod helpers;
mod lower;
mod machine;
mod real;
mod world;

use std::{collections::BTreeSet, fmt::Write as _};

use super::*;
use machine::{Machine, prepare};
use world::Setting;

/// How many random programs there are by default.
const PROGRAMS: u64 = 3000;

/// The first one's seed by default.
const SEED: u64 = 20_261_130;

/// In how many worlds each of them is run.
const WORLDS: u64 = 2;

/// A number from the environment.
fn from_environment(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}

/// Runs a program and its specialised form in this many worlds. Returns the helpers that were
/// called, or the seed of a world in which the two differ.
fn compare(
    [before, after]: [&[Instruction]; 2],
    map: i32,
    setting: &Setting<'_>,
    worlds: u64,
) -> Result<BTreeSet<u32>, u64> {
    let (before, after) = (prepare(before, map), prepare(after, map));
    let (before, after) = (Machine::new(&before), Machine::new(&after));
    let mut called = BTreeSet::new();
    for seed in setting.seed..setting.seed + worlds {
        let setting = Setting { seed, ..*setting };
        let outcome = before.run(&setting);
        assert!(outcome.returned.is_ok(), "it leaves the memory: {seed}");
        if outcome != after.run(&setting) {
            return Err(seed);
        }
        called.extend(outcome.calls.iter().map(|call| call.helper));
    }
    Ok(called)
}

fn listing(code: &[Instruction]) -> String {
    let mut listing = String::new();
    for (at, one) in code.iter().enumerate() {
        let Instruction {
            code,
            dst,
            src,
            off,
            imm,
        } = one;
        let _infallible = writeln!(
            listing,
            "{at:4}: {code:#04x} dst {dst} src {src} off {off} imm {imm}"
        );
    }
    listing
}

/// How the random programs were specialised.
#[derive(Debug, Default)]
struct Tally {
    left: u64,
    shorter: u64,
    differing: u64,
}

/// Compares this many random programs, specialised for the settings that `told` makes from the real
/// ones. Shows the first that differs.
fn compare_random(programs: u64, seed: u64, told: impl Fn(&[u8]) -> Vec<u8>) -> (Tally, String) {
    let (mut tally, mut first) = (Tally::default(), String::new());
    let maps = generator::maps();
    for seed in seed..seed + programs {
        let program = generator::generate(seed);
        let bytes = told(&program.settings);
        let Ok(specialised) = try_specialise(&[&program.code], &bytes) else {
            tally.left += 1;
            continue;
        };
        tally.shorter += u64::from(specialised.len() < program.code.len());
        let setting = Setting {
            seed,
            settings: &program.settings,
            maps: &maps,
        };
        if let Err(world) = compare([&program.code, &specialised], MAP, &setting, WORLDS) {
            tally.differing += 1;
            if first.is_empty() {
                let (before, after) = (listing(&program.code), listing(&specialised));
                first = format!(
                    "program {seed} in world {world}, with {bytes:?}\n{before}becomes\n{after}"
                );
            }
        }
    }
    (tally, first)
}

#[test]
fn random_programs_do_the_same_specialised() {
    let programs = from_environment("DIFFERENTIAL_PROGRAMS", PROGRAMS);
    let seed = from_environment("DIFFERENTIAL_SEED", SEED);
    let (tally, first) = compare_random(programs, seed, <[u8]>::to_vec);
    println!("{programs} programs from seed {seed}: {tally:?}");
    assert_eq!(tally.differing, 0, "{first}");
    // Otherwise too little would be compared.
    assert!(tally.left < programs / 4, "{tally:?}");
    assert!(tally.shorter > programs / 2, "{tally:?}");
}

/// The comparison can fail: a program that is specialised for other settings does something else.
#[test]
fn programs_for_other_settings_are_told_apart() {
    let other = |settings: &[u8]| settings.iter().map(|byte| byte ^ 1).collect();
    let (tally, _) = compare_random(100, SEED, other);
    assert!(tally.differing > 20, "{tally:?}");
}
