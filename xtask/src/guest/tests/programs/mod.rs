//! `capable run` on Debian's own programs: what each needs, that it works with exactly that, and
//! that it does not with one capability less.

mod errata;
mod exceptions;
pub mod kinds;
#[cfg(test)]
mod page;
mod play;
pub mod root;
pub mod service;
mod table;

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Scope;
use crate::guest::capabilities::Capability;
use crate::tally::Tally;
pub use play::shell;
use play::{Played, play};
pub use table::FOLDER;
use table::{PROGRAMS, Program, Runs};

/// Tests every program whose test is wanted.
///
/// # Errors
/// When the folder of the programs cannot be made.
pub fn run(scope: Scope, wanted: impl Fn(&str) -> bool, tally: &mut Tally) -> Result<()> {
    fs::create_dir_all(FOLDER)?;
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
    fs::set_permissions(FOLDER, everybody)?;
    let held = held()?;
    for program in all() {
        let name = test_name(program);
        if !wanted(&name) {
            continue;
        }
        if !program.harmless && scope == Scope::Anywhere {
            println!("not here: {name}: it changes the machine");
            continue;
        }
        let lacks = program
            .needs
            .iter()
            .find(|each| held >> each.number & 1 == 0);
        if let Some(capability) = lacks.filter(|_| scope == Scope::Anywhere) {
            println!(
                "not here: {name}: root does not hold {} on this machine",
                self::name(*capability)
            );
            continue;
        }
        let proved = prove(program, held);
        if proved.is_ok() {
            let shown = match program.shown {
                "" => program.name,
                shown => shown,
            };
            println!("  {shown}: {}", list(program.needs).join(" "));
        }
        tally.record(&name, proved);
    }
    Ok(())
}

/// The names of the tests.
pub fn test_names() -> Vec<String> {
    all().map(test_name).collect()
}

fn all() -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().chain(errata::PROGRAMS)
}

fn test_name(program: &Program) -> String {
    format!("program_{}_needs_what_is_listed_and_no_less", program.name)
}

/// Tries the program with everything, with exactly what it needs, and with one less of each.
fn prove(program: &Program, held: u64) -> Result<()> {
    let needs = list(program.needs);
    let (first, exactly) = match program.runs {
        Runs::Root => (String::new(), "--caps"),
        Runs::RootThenNobody => (String::new(), "--user nobody --caps"),
        Runs::Nobody => (
            format!("--user nobody --caps {held:#x}"),
            "--user nobody --caps",
        ),
    };
    let report = traced(program, &first).context("with all capabilities")?;
    let needed = names(&report["needed"])?;
    ensure!(
        needed == needs,
        "needs {needed:?} in place of {needs:?}: {}",
        reasons(&report)
    );
    let exactly = match needs.as_slice() {
        [] => format!("{exactly} none"),
        needs => format!("{exactly} {}", needs.join(",")),
    };
    traced(program, &exactly).context("with exactly that")?;
    for &left_out in program.needs {
        let less = program.needs.iter().filter(|&&other| other != left_out);
        let outcome = play(program, &cage(program.runs, less))
            .with_context(|| format!("without {}", left_out.name))?;
        let survives = exceptions::survives(program.name, left_out);
        match (outcome, survives) {
            (Played::Fails(_), None) | (Played::Works, Some(_)) => {}
            (Played::Works, None) => {
                bail!("works without {}: {}", left_out.name, reasons(&report))
            }
            (Played::Fails(why), Some(reason)) => {
                bail!(
                    "fails without {} ({why}), in spite of: {reason}",
                    left_out.name
                )
            }
        }
    }
    Ok(())
}

/// The whole name of a capability.
fn name(capability: Capability) -> String {
    format!("CAP_{}", capability.name)
}

fn list(capabilities: &[Capability]) -> Vec<String> {
    capabilities
        .iter()
        .map(|&capability| name(capability))
        .collect()
}

/// What this process can give away: the permitted set.
fn held() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let held = status.lines().find_map(|line| line.strip_prefix("CapPrm:"));
    u64::from_str_radix(held.context("no permitted set")?.trim(), 16).context("no set")
}

/// Runs a program under `capable run` with these options; it must work, and nothing may get lost.
fn traced(program: &Program, options: &str) -> Result<Value> {
    let file = format!("{FOLDER}/report");
    let mut before: Vec<String> = ["capable", "run", "-o", "json", "--report", &file]
        .map(str::to_owned)
        .to_vec();
    before.extend(options.split_whitespace().map(str::to_owned));
    before.push("--".to_owned());
    if let Played::Fails(why) = play(program, &before)? {
        bail!("it does not work: {why}");
    }
    complete_report(&file)
}

/// Reads a report, of which nothing may be lost.
fn complete_report(file: &str) -> Result<Value> {
    let text = fs::read_to_string(file)?;
    let report: Value = serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?;
    ensure!(
        report["incomplete"].is_null(),
        "something was lost: {}",
        report["incomplete"]
    );
    Ok(report)
}

/// The same cage by setpriv(1), which traces nothing.
fn cage<'a>(runs: Runs, set: impl Iterator<Item = &'a Capability>) -> Vec<String> {
    let mut list = "-all".to_owned();
    for capability in set {
        list += ",+";
        list += &capability.name.to_ascii_lowercase();
    }
    let mut words = vec!["setpriv".to_owned(), format!("--bounding-set={list}")];
    if runs != Runs::Root {
        words.extend(["--reuid=nobody", "--regid=nogroup", "--clear-groups"].map(str::to_owned));
        words.push(format!("--inh-caps={list}"));
        words.push(format!("--ambient-caps={list}"));
    }
    words.push("--".to_owned());
    words
}

/// An array of strings.
pub fn names(value: &Value) -> Result<Vec<&str>> {
    let array = value
        .as_array()
        .with_context(|| format!("no list: {value}"))?;
    array
        .iter()
        .map(|name| name.as_str().with_context(|| format!("no name: {name}")))
        .collect()
}

/// What a report says of each capability, in short.
pub fn reasons(report: &Value) -> String {
    let mut text = String::new();
    for each in report["capabilities"].as_array().into_iter().flatten() {
        text += &format!(
            "\n  {} {} {} from {}",
            each["capability"], each["class"], each["counts"], each["places"]
        );
    }
    text
}
