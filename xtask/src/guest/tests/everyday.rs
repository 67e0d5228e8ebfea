//! What everyone runs as root, and which needs none of root's capabilities: the report must not say
//! that it does.
//!
//! A capability is *needed* if the program does something else without it. So each command is run
//! with everything and with nothing. If it does the same, nothing may be called needed; otherwise it
//! must do the same with exactly what is called needed, and with one less of it something else, or it must
//! be refused something.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Bench;
use super::programs::kinds::class;
use super::programs::{names, reasons};
use crate::guest::folder;

const COMMANDS: [&[&str]; 10] = [
    &["ps"],
    &["ls", "-l", "/"],
    &["find", "/proc"],
    &["lsblk"],
    &["ip", "a"],
    &["systemctl", "status"],
    &["journalctl"],
    &["apt-get", "--version"],
    &["git", "status"],
    &["python3", "-c", "1"],
];

/// What a command did, as far as two runs of it can be compared: what it printed changes from run to
/// run, what it complained of does not.
#[derive(Debug, PartialEq, Eq)]
struct Did {
    /// Its exit code; `None` if processes that ended meanwhile may have changed it.
    code: Option<i32>,
    /// Its complaints, without numbers, and how often it made each.
    complaints: BTreeMap<String, usize>,
}

/// Everyday commands need what they cannot do without, which is nothing for most of them.
pub fn test(_: &Bench) -> Result<()> {
    all()
}

/// The same, where there is no bench.
pub fn all() -> Result<()> {
    let mut wrong = Vec::new();
    for command in COMMANDS {
        let shown = command.join(" ");
        if !is_here(command[0]) {
            println!("  {shown}: not here");
            continue;
        }
        match needs_what_it_cannot_do_without(command) {
            Ok(needed) if needed.is_empty() => println!("  {shown}: needs nothing"),
            Ok(needed) => println!("  {shown}: needs {}", needed.join(" ")),
            Err(error) => wrong.push(format!("{shown}: {error:#}")),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn is_here(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn needs_what_it_cannot_do_without(command: &[&str]) -> Result<Vec<String>> {
    let (with_all, report) = run("", command)?;
    let needed: Vec<_> = names(&report["needed"])?
        .into_iter()
        .map(str::to_owned)
        .collect();
    let with = |caps: &str| run(&format!("--caps {caps}"), command).map(|(did, _)| did);
    if same(&with_all, &with("none")?) {
        ensure!(
            needed.is_empty(),
            "does the same without any, but needs {needed:?}: {}",
            reasons(&report)
        );
        return Ok(needed);
    }
    let exactly = with(&list(needed.iter()))?;
    ensure!(
        same(&with_all, &exactly),
        "with {needed:?} it does {exactly:?}, and with all {with_all:?}: {}",
        reasons(&report)
    );
    for less in &needed {
        let rest = list(needed.iter().filter(|other| *other != less));
        let (did, without) = run(&format!("--caps {rest}"), command)?;
        // find(1) says nothing of a folder that it may open and not list: the report tells.
        if same(&with_all, &did) && class(&without, less) != "denied" {
            bail!("does the same without {less}: {}", reasons(&report));
        }
    }
    Ok(needed)
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.map(String::as_str).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(","),
    }
}

fn same(one: &Did, other: &Did) -> bool {
    let codes = one.code.zip(other.code);
    codes.is_none_or(|(one, other)| one == other)
        && one.complaints.keys().eq(other.complaints.keys())
        && one
            .complaints
            .values()
            .zip(other.complaints.values())
            .all(|(one, other)| is_about(*one, *other))
}

/// As many, but for processes that came and went between the two.
fn is_about(one: usize, other: usize) -> bool {
    one.max(other) <= 2 * one.min(other) + 2
}

/// Runs a command under `capable run`, in a repository of git: what it did, and the report.
fn run(options: &str, command: &[&str]) -> Result<(Did, Value)> {
    let report = folder::file("everyday.json");
    let output = Command::new("capable")
        .args(["run", "-o", "json", "--report"])
        .arg(&report)
        .args(options.split_whitespace())
        .arg("--")
        .args(command)
        .current_dir(repository()?)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .context("cannot start capable")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let text = fs::read(&report).with_context(|| format!("no report: {said}"))?;
    let report: Value = serde_json::from_slice(&text)?;
    let incomplete = &report["incomplete"];
    ensure!(incomplete.is_null(), "something was lost: {incomplete}");
    let (gone, complaints): (Vec<_>, Vec<_>) = said.lines().partition(|line| is_of_gone(line));
    let code = output.status.code().context("it was ended by a signal")?;
    let mut did = Did {
        code: gone.is_empty().then_some(code),
        complaints: BTreeMap::new(),
    };
    for complaint in complaints {
        *did.complaints
            .entry(without_numbers(complaint))
            .or_default() += 1;
    }
    Ok((did, report))
}

/// Processes come and go while /proc is read, and an automount that lacks its module (binfmt_misc)
/// fails only the first time.
fn is_of_gone(line: &str) -> bool {
    let gone = [
        "No such file or directory",
        "No such process",
        "No such device",
    ];
    gone.iter().any(|gone| line.ends_with(gone))
}

/// Of `'/proc/12/task/13/fdinfo'` there is one for each process.
fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    for piece in line.split_inclusive(|c: char| c.is_ascii_digit()) {
        text += piece.trim_end_matches(|c: char| c.is_ascii_digit());
        if piece.ends_with(|c: char| c.is_ascii_digit()) && !text.ends_with('N') {
            text.push('N');
        }
    }
    text
}

/// A folder that git looks after, if there is git.
fn repository() -> Result<PathBuf> {
    let folder = folder::file("repository");
    if !folder.exists() {
        fs::create_dir(&folder)?;
        if is_here("git") {
            let mut init = Command::new("git");
            let init = init.args(["init", "-q"]).current_dir(&folder);
            ensure!(init.status()?.success(), "git init failed");
        }
    }
    Ok(folder)
}
