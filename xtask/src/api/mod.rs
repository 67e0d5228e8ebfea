//! The public API of the library, as `capable/api.txt` lists it: a change to it is a decision.
//!
//! rustdoc describes the crate in JSON, whose format is not stable: the `public-api` and
//! `rustdoc-types` crates, in the versions used here, read the format of one version of Rust. If
//! the installed one writes another format, the list cannot be compared, and this is reported.

mod names;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::{places, process};

/// The Rust version whose description can be read.
const RUST: &str = "1.95";

/// Options of `cargo xtask api`: without any, the list is compared.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Write the list anew
    #[arg(long)]
    write: bool,
}

/// What the library offers: one item each, as a declaration with full paths.
pub struct Api(Vec<String>);

/// The outcome of reading the API.
pub enum Reading {
    /// It was read.
    Api(Api),
    /// The installed Rust describes crates in another format: a sentence that says so.
    OtherForm(String),
}

/// Runs the subcommand.
pub fn run(options: &Options) -> Result<ExitCode> {
    let api = match read()? {
        Reading::Api(api) => api,
        Reading::OtherForm(sentence) => bail!(sentence),
    };
    if options.write {
        fs::write(list(), api.text())
            .with_context(|| format!("cannot write {}", list().display()))?;
        println!("{} items in {}", api.0.len(), list().display());
    } else {
        api.compare()?;
        println!("{} items, as listed", api.0.len());
    }
    api.compare_names()?;
    Ok(ExitCode::SUCCESS)
}

/// Where the list is.
fn list() -> PathBuf {
    places::workspace().join("capable/api.txt")
}

/// Describes the library, without the program, and reads the description.
pub fn read() -> Result<Reading> {
    /// The part of a description that exists in every format.
    #[derive(Deserialize)]
    struct Head {
        format_version: u32,
    }
    // A directory of its own, because the build for the description uses another environment.
    let target = places::target().join("api");
    process::run(
        Command::new("cargo")
            .current_dir(places::workspace())
            .args(["rustdoc", "--quiet", "--locked", "--lib"])
            .args(["--package", "capable", "--no-default-features"])
            .arg("--target-dir")
            .arg(&target)
            .args(["--", "-Z", "unstable-options", "--output-format", "json"])
            // Only the format of the description is unstable, and it is checked.
            .env("RUSTC_BOOTSTRAP", "1"),
    )?;
    let path = target.join("doc/capable.json");
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let Head { format_version } = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no description of a crate", path.display()))?;
    if let Some(sentence) = other_form(format_version) {
        return Ok(Reading::OtherForm(sentence));
    }
    let api = public_api::Builder::from_rustdoc_json(&path)
        // Whatever the compiler adds by itself follows from the rest.
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Reading::Api(Api(api
        .items()
        .map(|item| item.to_string())
        .collect())))
}

/// What to say about a description whose format cannot be read.
fn other_form(form: u32) -> Option<String> {
    let read = rustdoc_types::FORMAT_VERSION;
    (form != read).then(|| {
        format!(
            "the installed Rust describes crates in form {form}, and the list is read from form \
             {read}: run this with Rust {RUST}, as in `cargo +{RUST} xtask api`, or take the \
             releases of public-api and rustdoc-types in xtask/Cargo.toml that read it"
        )
    })
}

impl Api {
    /// The list, one item per line.
    fn text(&self) -> String {
        self.0.iter().map(|item| format!("{item}\n")).collect()
    }

    /// Compares it with the list.
    pub fn compare(&self) -> Result<()> {
        let path = list();
        let listed =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let differences = differences(&listed, &self.text());
        ensure!(
            differences.is_empty(),
            "the public API is not the listed one. If that is meant, run `cargo xtask api --write`, \
             and say in CHANGELOG.md what users notice.\n{}",
            differences.join("\n")
        );
        Ok(())
    }

    /// No two types that a user sees side by side may have the same name.
    pub fn compare_names(&self) -> Result<()> {
        let shared = names::shared(&self.0);
        ensure!(
            shared.is_empty(),
            "public types share a name, or one has two paths:\n{}",
            shared.join("\n")
        );
        Ok(())
    }
}

/// What was in the list and is gone, and what is new, in order.
fn differences(listed: &str, found: &str) -> Vec<String> {
    let missing = |lines: &str, from: &str, mark: &str| -> Vec<String> {
        let there: std::collections::BTreeSet<&str> = from.lines().collect();
        lines
            .lines()
            .filter(|line| !there.contains(line))
            .map(|line| format!("{mark} {line}"))
            .collect()
    };
    let mut differences = missing(listed, found, "-");
    differences.extend(missing(found, listed, "+"));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_in_another_form_is_not_read_and_says_which_rust_would_do() {
        assert_eq!(other_form(57), None);
        let said = other_form(58).unwrap();
        assert!(
            said.contains("form 58") && said.contains("Rust 1.95"),
            "{said}"
        );
    }

    #[test]
    fn what_is_new_and_what_is_gone_is_told() {
        let listed = "pub mod a\npub fn a::old()\npub fn a::same()\n";
        let found = "pub mod a\npub fn a::new()\npub fn a::same()\n";
        assert_eq!(
            differences(listed, found),
            ["- pub fn a::old()", "+ pub fn a::new()"]
        );
        assert!(differences(listed, listed).is_empty());
    }
}
