//! What a kernel's source contains, from the cache or else by reading it.
//!
//! Reading takes a minute per kernel; the result is stored next to the source, by the version of
//! the package and of the code that reads it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::entries::Way;
use super::find::{self, Found};
use super::form::Form;
use super::index::Index;
use super::inlined;
use super::line::Key;
use super::reach::Reach;
use super::source::Source;

/// The code that decides what is found.
const READERS: [&str; 19] = [
    include_str!("answers.rs"),
    include_str!("asked.rs"),
    include_str!("calls.rs"),
    include_str!("entries.rs"),
    include_str!("errno.rs"),
    include_str!("find.rs"),
    include_str!("flow.rs"),
    include_str!("form.rs"),
    include_str!("helpers.rs"),
    include_str!("index.rs"),
    include_str!("inlined.rs"),
    include_str!("items.rs"),
    include_str!("makers.rs"),
    include_str!("reach.rs"),
    include_str!("scan.rs"),
    include_str!("source.rs"),
    include_str!("text.rs"),
    include_str!("tree.rs"),
    include_str!("unit.rs"),
];

/// A site in one kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Site {
    /// What identifies it. The file is below the source's root.
    #[serde(with = "stored")]
    pub key: Key,
    /// Its line in the file.
    pub line: usize,
    /// The arguments as they are written.
    pub arguments: String,
    /// The errno that the function plainly returns if it is not granted.
    pub errno: Option<String>,
    /// Whether something else is looked at first.
    pub only_if: bool,
    /// Whether the helper looks at something else first, and asks only if that is not enough.
    pub looks_first: bool,
    /// The errno that the program gets, if that is plain too.
    pub arrives: Option<String>,
    /// Whether it arrives in a netlink acknowledgement.
    pub in_ack: bool,
    /// A digest of the function's text.
    pub digest: String,
    /// The functions that it may be inlined into.
    pub into: BTreeSet<String>,
}

/// What a kernel's source contains.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scan {
    /// The sites, in order of file and line.
    pub sites: Vec<Site>,
    /// The functions and macros that only pass a check on, or answer it, each with those of them
    /// that it calls.
    pub helpers: BTreeMap<String, BTreeSet<String>>,
}

/// A key in the cache: its fields in their order.
mod stored {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Key;

    type Fields = (String, String, Option<String>, usize, String, String);

    pub fn serialize<S: Serializer>(key: &Key, serializer: S) -> Result<S::Ok, S::Error> {
        let Key {
            file,
            function,
            label,
            number,
            capabilities,
            helper,
        } = key;
        (file, function, label, number, capabilities, helper).serialize(serializer)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Key, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let (file, function, label, number, capabilities, helper) = fields;
        Ok(Key {
            file,
            function,
            label,
            number,
            capabilities,
            helper,
        })
    }
}

impl Site {
    /// Whether it is plain: without the capability it is refused unconditionally, and the program
    /// sees that.
    pub fn is_plain(&self) -> bool {
        !self.only_if && self.arrives.is_some()
    }
}

/// What a source contains.
pub fn scan(source: &Source) -> Result<Scan> {
    let cached = source
        .root
        .with_file_name(format!("scan-{}.json", version(source)));
    if cached.is_file() {
        let text = fs::read_to_string(&cached)?;
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is broken; remove it", cached.display()));
    }
    eprintln!("reading the source of {} ...", source.name);
    let scan = read(source)?;
    fs::write(&cached, serde_json::to_string(&scan)?)?;
    Ok(scan)
}

fn version(source: &Source) -> String {
    let mut digest = Sha256::new();
    digest.update(&source.package);
    for reader in READERS {
        digest.update(reader);
    }
    format!("{:x}", digest.finalize())[..16].to_owned()
}

/// What a source contains, read again.
pub fn read(source: &Source) -> Result<Scan> {
    let index = Index::new(source)?;
    let findings = find::find(&index)?;
    let lost: Vec<_> = findings
        .unplaced
        .iter()
        .map(|(file, line, name)| format!("{file}:{line} {name}"))
        .collect();
    ensure!(
        lost.is_empty(),
        "calls that could not be placed: {}",
        lost.join(", ")
    );
    let errnos = findings.sites.iter().map(|found| match &found.form {
        Form::Refuses(errno) => Some((errno.clone(), false)),
        Form::RefusesIf(errno) => Some((errno.clone(), true)),
        Form::Open => None,
    });
    let errnos: Vec<_> = errnos.collect();
    let asked: Vec<_> = findings
        .sites
        .iter()
        .zip(&errnos)
        .filter_map(|(found, errno)| {
            let (errno, _) = errno.as_ref()?;
            Some((found.file.clone(), found.function.clone(), errno.clone()))
        })
        .collect();
    let mut into = BTreeMap::new();
    for found in &findings.sites {
        let key = (found.file.clone(), found.function.clone());
        if let Some(unit) = findings.units.get(&found.file)
            && let Entry::Vacant(place) = into.entry(key)
        {
            place.insert(inlined::into(&index, unit, &found.file, &found.function)?);
        }
    }
    let helpers = findings.called;
    let arrivals = Reach::new(&index, findings.units)?.all(&asked)?;
    let mut arrivals = arrivals.into_iter();
    let mut sites: Vec<Site> = Vec::new();
    for (found, errno) in findings.sites.into_iter().zip(errnos) {
        let arrival = errno.as_ref().and_then(|_| arrivals.next().flatten());
        sites.push(Site {
            errno: errno.as_ref().map(|(errno, _)| errno.clone()),
            only_if: errno.is_some_and(|(_, only_if)| only_if),
            in_ack: arrival.as_ref().is_some_and(|(_, way)| *way == Way::Ack),
            arrives: arrival.map(|(errno, _)| errno),
            looks_first: found.looks_first,
            digest: format!("{:x}", Sha256::digest(&found.text))[..8].to_owned(),
            into: into
                .get(&(found.file.clone(), found.function.clone()))
                .cloned()
                .unwrap_or_default(),
            line: found.line,
            key: Key {
                number: 1,
                capabilities: capabilities(&found),
                file: found.file,
                function: found.function,
                label: found.label,
                helper: found.helper,
            },
            arguments: found.arguments,
        });
    }
    sites.sort_by(|a, b| (&a.key.file, a.line).cmp(&(&b.key.file, b.line)));
    number(&mut sites);
    Ok(Scan { sites, helpers })
}

fn capabilities(found: &Found) -> String {
    let names: Vec<_> = found
        .capabilities
        .iter()
        .map(|name| name.trim_start_matches("CAP_"))
        .collect();
    match (names.is_empty(), found.one_after_the_other) {
        (true, _) => "?".into(),
        (_, true) => names.join("/"),
        (_, false) => names.join(","),
    }
}

/// Numbers those that nothing else distinguishes.
fn number(sites: &mut [Site]) {
    for index in 0..sites.len() {
        let (before, rest) = sites.split_at_mut(index);
        let Some(site) = rest.first_mut() else {
            continue;
        };
        let mut same = before
            .iter()
            .rev()
            .take_while(|it| it.key.file == site.key.file);
        let same = same.find(|it| {
            let number = site.key.number;
            Key {
                number,
                ..it.key.clone()
            } == site.key
        });
        site.key.number = same.map_or(1, |it| it.key.number + 1);
    }
}
