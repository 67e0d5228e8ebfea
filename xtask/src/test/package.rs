//! The packages as they are published: what they contain, and that they build and pass their tests
//! without the rest of this clone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::Only;
use crate::tally::Tally;
use crate::{places, process};

const CONTENT: &str = "the_packages_hold_their_readme_licences_and_man_pages";
const TESTS: &str = "the_packages_pass_their_tests_by_themselves";

/// What is published, in this order.
const PACKAGES: [&str; 2] = ["capable-common", "capable"];

/// Files that must be in each package.
const IN_EACH: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// The names of the tests.
pub fn names() -> Result<Vec<String>> {
    Ok([CONTENT, TESTS].map(str::to_owned).to_vec())
}

/// Runs them.
pub fn run(only: Only<'_>) -> Result<Tally> {
    let folder = tempfile::tempdir().context("cannot make a folder for the packages")?;
    let target = places::target().join("packaged");
    publish(&target)?;
    let unpacked = PACKAGES.map(|name| folder.path().join(name));
    for (name, to) in PACKAGES.iter().zip(&unpacked) {
        unpack(&target, name, to)?;
    }

    let mut tally = Tally::default();
    if only.wants(CONTENT) {
        let outcome = unpacked.iter().try_for_each(|package| content(package));
        tally.record(CONTENT, outcome);
    }
    if only.wants(TESTS) {
        let outcome = tests(&unpacked, &target);
        tally.record(TESTS, outcome);
    }
    Ok(tally)
}

/// Makes the packages as they would be published.
fn publish(target: &Path) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        // They are built below, with their tests.
        .args(["publish", "--dry-run", "--quiet", "--no-verify"])
        // A change is tested before it is committed.
        .arg("--allow-dirty")
        .arg("--target-dir")
        .arg(target);
    for name in PACKAGES {
        command.args(["--package", name]);
    }
    process::run(&mut command)
}

/// Where cargo leaves a package that it does not publish, by its version.
const LEFT_IN: [&str; 2] = ["package/tmp-crate", "package"];

fn unpack(target: &Path, name: &str, to: &Path) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let file = format!("{name}-{version}.crate");
    let package = LEFT_IN
        .iter()
        .map(|folder| target.join(folder).join(&file))
        .find(|path| path.is_file())
        .with_context(|| format!("cargo left no {file} in {}", target.display()))?;
    places::create(to)?;
    process::run(
        Command::new("tar")
            .args(["--extract", "--gzip", "--strip-components=1"])
            .arg("--directory")
            .arg(to)
            .arg("--file")
            .arg(package),
    )
}

fn content(package: &Path) -> Result<()> {
    for file in IN_EACH {
        let path = package.join(file);
        let text = fs::read(&path).with_context(|| format!("no {}", path.display()))?;
        ensure!(!text.is_empty(), "{} is empty", path.display());
    }
    licences(package)?;
    if package.ends_with("capable") {
        let pages = |folder: PathBuf| -> Result<BTreeSet<_>> {
            let entries = fs::read_dir(&folder)
                .with_context(|| format!("no man pages: {}", folder.display()))?;
            Ok(entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<Result<_, _>>()?)
        };
        let shipped = pages(places::workspace().join("docs/man"))?;
        let packaged = pages(package.join("docs/man"))?;
        ensure!(
            shipped == packaged,
            "{packaged:?} are not all man pages: {shipped:?}"
        );
    }
    Ok(())
}

/// The licences, by their names in manifests, and the files with their texts.
const LICENCES: [(&str, &str); 3] = [
    ("MIT", "LICENSE-MIT"),
    ("Apache-2.0", "LICENSE-APACHE"),
    ("GPL-2.0-only", "LICENSE-GPL-2.0"),
];

/// The licence string of an object under MIT or GPL-2.0 (include/linux/license.h).
const DUAL: &[u8] = b"Dual MIT/GPL\0";

/// Checks that the manifest names the licences whose texts are included, and those of the eBPF
/// objects.
fn licences(package: &Path) -> Result<()> {
    let manifest = fs::read_to_string(package.join("Cargo.toml"))?;
    let field = manifest
        .lines()
        .find_map(|line| line.strip_prefix("license = "))
        .context("the manifest has no licence")?;
    for (name, text) in LICENCES {
        let named = field
            .split(|character: char| "\"() ".contains(character))
            .any(|word| word == name);
        ensure!(
            named == package.join(text).is_file(),
            "the manifest says {field}, and {text} does not go with that"
        );
    }
    let Ok(objects) = fs::read_dir(package.join("ebpf")) else {
        return Ok(());
    };
    ensure!(field.contains("AND (MIT OR GPL-2.0-only)"), "{field}");
    for object in objects {
        let path = object?.path();
        if path.extension().is_some_and(|extension| extension == "o") {
            let dual = fs::read(&path)?.windows(DUAL.len()).any(|at| at == DUAL);
            ensure!(dual, "{} does not say Dual MIT/GPL", path.display());
        }
    }
    Ok(())
}

/// Each package, with the others replacing those that are not published yet.
fn tests(unpacked: &[PathBuf], target: &Path) -> Result<()> {
    for package in unpacked {
        let mut command = Command::new("cargo");
        command
            .current_dir(package)
            .args(["test", "--quiet", "--offline"])
            .arg("--target-dir")
            .arg(target)
            .arg("--config")
            .arg(format!(
                "patch.crates-io.capable-common.path={:?}",
                unpacked[0]
            ));
        process::run(&mut command)?;
    }
    Ok(())
}
