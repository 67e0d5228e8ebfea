//! The library on its own: what it builds without the program, and what it offers.

use std::process::Command;

use anyhow::{Result, ensure};

use super::Only;
use crate::api::{self, Reading};
use crate::tally::Tally;
use crate::{places, process};

const CRATES: &str = "the_library_builds_no_crate_of_a_command_line";
const ALONE: &str = "the_library_and_its_examples_build_without_the_program_and_without_warnings";
const LISTED: &str = "the_public_api_is_the_listed_one";
const NAMES: &str = "no_two_public_types_have_one_name";

/// Crates that only a program with a command line needs; a name that ends in an underscore is a
/// prefix.
const OF_A_COMMAND_LINE: [&str; 6] = [
    "clap",
    "clap_",
    "comfy-table",
    "crossterm",
    "env_logger",
    "terminal_size",
];

/// The names of the tests.
pub fn names() -> Result<Vec<String>> {
    Ok([CRATES, ALONE, LISTED, NAMES].map(str::to_owned).to_vec())
}

/// Runs them.
pub fn run(only: Only<'_>) -> Result<Tally> {
    let mut tally = Tally::default();
    if only.wants(CRATES) {
        tally.record(CRATES, crates());
    }
    if only.wants(ALONE) {
        tally.record(ALONE, alone());
    }
    if only.wants(LISTED) || only.wants(NAMES) {
        match api::read() {
            Ok(Reading::Api(api)) => {
                if only.wants(LISTED) {
                    tally.record(LISTED, api.compare());
                }
                if only.wants(NAMES) {
                    tally.record(NAMES, api.compare_names());
                }
            }
            Ok(Reading::OtherForm(sentence)) => println!("not here: {LISTED}, {NAMES}: {sentence}"),
            Err(error) => tally.record(LISTED, Err(error)),
        }
    }
    Ok(tally)
}

/// What the library depends on, without its tests and examples.
fn crates() -> Result<()> {
    let tree = process::output(
        library("tree")
            .args(["--edges", "normal,build", "--prefix", "none"])
            .args(["--format", "{p}"]),
    )?;
    let found: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    ensure!(
        found.contains(&"aya"),
        "cargo lists no dependencies: {tree}"
    );
    let wrong: Vec<&str> = found
        .into_iter()
        .filter(|name| is_of_a_command_line(name))
        .collect();
    ensure!(wrong.is_empty(), "it builds {}", wrong.join(", "));
    Ok(())
}

fn is_of_a_command_line(name: &str) -> bool {
    OF_A_COMMAND_LINE
        .iter()
        .any(|other| match other.strip_suffix('_') {
            Some(_) => name.starts_with(other),
            None => name == *other,
        })
}

fn alone() -> Result<()> {
    process::run(
        library("rustc")
            .args(["--quiet", "--lib", "--profile", "check"])
            .args(["--", "--deny", "warnings"]),
    )?;
    process::run(library("check").args(["--quiet", "--examples"]))
}

/// A subcommand of cargo on the library without the program.
fn library(subcommand: &str) -> Command {
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .arg(subcommand)
        .args(["--package", "capable", "--no-default-features"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_a_command_line_are_known_by_name_or_by_how_it_begins() {
        for name in ["clap", "clap_builder", "clap_lex", "crossterm"] {
            assert!(is_of_a_command_line(name), "{name}");
        }
        for name in ["clang", "terminal", "comfy-table-x", "log"] {
            assert!(!is_of_a_command_line(name), "{name}");
        }
    }
}
