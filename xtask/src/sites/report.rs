//! What the atlas covers, and what remains to be read.

use std::collections::{BTreeMap, BTreeSet};

use super::atlas::{Atlas, Scanned, subsystem};
use super::line::{Effect, Proof};
use super::scan::Site;
use super::source::Source;

/// A table: for each kernel, how many sites there are and how they are known.
pub fn summary(atlas: &Atlas, kernels: &[Scanned]) {
    println!(
        "{:<8} {:>6} {:>8} {:>6} {:>6} {:>6} {:>7} {:>8}",
        "kernel", "found", "covered", "plain", "read", "run", "unread", "unknown"
    );
    for kernel in kernels {
        // A site is proved by running if one of its lines is, be it that about one caller.
        let lines = atlas.lines.iter();
        let run =
            lines.filter(|line| line.proof == Proof::Run && line.kernels.have(kernel.version));
        let run: BTreeSet<_> = run.map(|line| &line.key).collect();
        let mut counts = BTreeMap::new();
        for site in &kernel.sites {
            let key = &site.key;
            let proof = match run.contains(key) {
                true => Some(Proof::Run),
                false => atlas.line(key, kernel.version).map(|line| line.proof),
            };
            *counts.entry(proof).or_insert(0) += 1;
        }
        let count = |proof: Option<Proof>| counts.get(&proof).copied().unwrap_or(0);
        let known = [Proof::Plain, Proof::Read, Proof::Run].map(|proof| count(Some(proof)));
        println!(
            "{:<8} {:>6} {:>8} {:>6} {:>6} {:>6} {:>7} {:>8}",
            kernel.version.to_string(),
            kernel.sites.len(),
            known.iter().sum::<usize>(),
            known[0],
            known[1],
            known[2],
            count(Some(Proof::Unread)),
            count(None),
        );
    }
}

/// A table: for each subsystem, how many lines there are and how they are known.
pub fn subsystems(atlas: &Atlas) {
    let mut counts: BTreeMap<String, BTreeMap<Proof, usize>> = BTreeMap::new();
    for line in &atlas.lines {
        let of = counts.entry(subsystem(&line.key.file)).or_default();
        *of.entry(line.proof).or_default() += 1;
    }
    println!(
        "{:<24} {:>6} {:>6} {:>6} {:>6} {:>7}",
        "subsystem", "lines", "plain", "read", "run", "unread"
    );
    for (subsystem, counts) in counts {
        let count = |proof| counts.get(&proof).copied().unwrap_or(0);
        println!(
            "{:<24} {:>6} {:>6} {:>6} {:>6} {:>7}",
            subsystem,
            counts.values().sum::<usize>(),
            count(Proof::Plain),
            count(Proof::Read),
            count(Proof::Run),
            count(Proof::Unread),
        );
    }
}

/// Prints missing lines and lines without a site. Returns whether there are none.
pub fn differences(atlas: &Atlas, kernels: &[Scanned]) -> bool {
    let missing = atlas.missing(kernels);
    for line in &missing {
        println!("new in {}: {line}", line.key.file);
    }
    let gone = atlas.gone(kernels);
    for (line, version) in &gone {
        println!("gone from {version}, {}: {line}", line.key.file);
    }
    let wrong = atlas.not_plain(kernels);
    for (index, plain) in &wrong {
        let line = &atlas.lines[*index];
        let seen = plain
            .as_ref()
            .map_or("nothing plain".into(), Effect::to_string);
        println!("the program sees {seen} in {}: {line}", line.key.file);
    }
    missing.is_empty() && gone.is_empty() && wrong.is_empty()
}

/// Whether a source file is in a directory or below it, or is the named file itself.
pub fn is_of(file: &str, wanted: &str) -> bool {
    let wanted = wanted.trim_end_matches('/');
    let rest = file.strip_prefix(wanted);
    wanted.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Prints the unread lines of a subsystem, each with the place to read.
pub fn todo(atlas: &Atlas, kernels: &[Scanned], sources: &[Source], wanted: &str) {
    let sites: Vec<_> = kernels.iter().map(Scanned::by_key).collect();
    let mut file = "";
    let mut left = 0;
    for line in &atlas.lines {
        if line.proof != Proof::Unread || !is_of(&line.key.file, wanted) {
            continue;
        }
        left += 1;
        if line.key.file != file {
            file = &line.key.file;
            println!("[{file}]");
        }
        println!("{line}");
        let mut hint = None;
        for ((kernel, source), sites) in kernels.iter().zip(sources).zip(&sites) {
            let site = sites.get(&line.key);
            let Some(site) = site.filter(|_| line.kernels.have(kernel.version)) else {
                continue;
            };
            println!(
                "    {:<5} {}:{} {}({}) function {}",
                kernel.version.to_string(),
                source.root.join(file).display(),
                site.line,
                site.key.helper,
                site.arguments,
                site.digest,
            );
            hint = seen(site);
        }
        if let Some(hint) = hint {
            println!("    {hint}");
        }
    }
    println!("{left} lines to read");
}

/// What the program found out about a site that it left open.
fn seen(site: &Site) -> Option<String> {
    let errno = site.errno.as_ref()?;
    let condition = if site.only_if {
        "it looks at something else before it asks; "
    } else {
        ""
    };
    let arrives = match (&site.arrives, site.in_ack) {
        (Some(errno), true) => format!("the program gets {errno} in a netlink acknowledgement"),
        (Some(errno), false) => format!("the program gets {errno}"),
        (None, _) => "what its callers do with that is open".to_owned(),
    };
    Some(format!(
        "seen: {condition}not granted, the function returns -{errno}; {arrives}"
    ))
}
