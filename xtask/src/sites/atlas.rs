//! The atlas: all lines, in files by subsystem.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::kernels::{Kernels, Version};
use super::line::{self, Effect, Key, Line, Proof};
use super::ranges;
use super::scan::Site;
use crate::atlas::EXTENSION;
use crate::places;

/// The errnos of a plain refusal; others have another meaning to a program.
const PLAIN: [&str; 2] = ["EACCES", "EPERM"];

/// What a program can tell about a site by itself; `None` if it is not plain.
type Plain = Option<Effect>;

/// A kernel and its sites.
pub struct Scanned {
    /// The kernel.
    pub version: Version,
    /// Its sites.
    pub sites: Vec<Site>,
}

/// The lines of the atlas.
#[derive(Debug, Default)]
pub struct Atlas {
    /// By source file of the kernel, each in the order of its keys.
    pub lines: Vec<Line>,
}

/// Where the atlas is.
pub fn folder() -> PathBuf {
    places::workspace().join("capable/atlas")
}

/// The subsystem of a source file, which names the file of the atlas: its first two directories.
pub fn subsystem(file: &str) -> String {
    let folders: Vec<_> = file.split('/').collect();
    let folders = &folders[..folders.len() - 1];
    folders[..folders.len().min(2)].join("/")
}

/// All files of the atlas.
pub fn files() -> Result<BTreeSet<PathBuf>> {
    crate::atlas::files(&folder())
}

impl Scanned {
    /// Its sites by their keys.
    pub fn by_key(&self) -> BTreeMap<&Key, &Site> {
        self.sites.iter().map(|site| (&site.key, site)).collect()
    }
}

impl Atlas {
    /// Reads all files.
    pub fn load() -> Result<Self> {
        let mut atlas = Self::default();
        for path in files()? {
            atlas.lines.extend(read(&path)?);
        }
        atlas.sort();
        Ok(atlas)
    }

    fn sort(&mut self) {
        self.lines.sort_by(|a, b| {
            let kernels = |line: &Line| ranges::first(&line.kernels);
            (&a.key, &a.under, kernels(a)).cmp(&(&b.key, &b.under, kernels(b)))
        });
    }

    /// All files: subsystems and texts.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut file = "";
        for line in &self.lines {
            let text = texts.entry(subsystem(&line.key.file)).or_default();
            if line.key.file != file {
                file = &line.key.file;
                if !text.is_empty() {
                    text.push('\n');
                }
                *text += &format!("[{file}]\n");
            }
            *text += &format!("{line}\n");
        }
        texts
    }

    /// Writes all files, and removes those that no longer have any lines.
    pub fn save(&mut self) -> Result<()> {
        self.sort();
        let mut old = files()?;
        for (subsystem, text) in self.texts() {
            let path = folder().join(format!("{subsystem}.{EXTENSION}"));
            old.remove(&path);
            if let Some(parent) = path.parent() {
                places::create(parent)?;
            }
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        old.iter().try_for_each(|path| places::remove(path))
    }

    /// The line about a site of a kernel that applies to any caller.
    pub fn line(&self, key: &Key, version: Version) -> Option<&Line> {
        let start = self.lines.partition_point(|line| line.key < *key);
        let same = self.lines[start..].iter().take_while(|it| it.key == *key);
        let mut same = same.filter(|it| it.under.is_none());
        same.find(|line| line.kernels.have(version))
    }

    /// Lines for the sites that have none. Kernels in which the site is plain in the same way, or
    /// not plain, share a line.
    pub fn missing(&self, kernels: &[Scanned]) -> Vec<Line> {
        let versions: Vec<_> = kernels.iter().map(|kernel| kernel.version).collect();
        let mut new: BTreeMap<Key, BTreeMap<Plain, Vec<bool>>> = BTreeMap::new();
        for (index, kernel) in kernels.iter().enumerate() {
            for site in &kernel.sites {
                let key = &site.key;
                if self.line(key, kernel.version).is_some() {
                    continue;
                }
                let has = new
                    .entry(key.clone())
                    .or_default()
                    .entry(plain(site))
                    .or_default();
                has.resize(kernels.len(), false);
                has[index] = true;
            }
        }
        let mut lines = Vec::new();
        for (key, groups) in new {
            for (plain, has) in groups {
                let kernels = ranges::of(&has, &versions);
                lines.push(skeleton(key.clone(), kernels, plain));
            }
        }
        lines
    }

    /// Lines marked as plain for which the program now finds something else, by their index, and
    /// what it finds.
    pub fn not_plain(&self, kernels: &[Scanned]) -> Vec<(usize, Plain)> {
        let sites: Vec<BTreeMap<&Key, &Site>> = kernels.iter().map(Scanned::by_key).collect();
        let mut wrong = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            if line.proof != Proof::Plain {
                continue;
            }
            let meant = kernels.iter().zip(&sites);
            let meant = meant.filter(|(kernel, _)| line.kernels.have(kernel.version));
            let seen: Vec<Plain> = meant
                .filter_map(|(_, sites)| sites.get(&line.key))
                .map(|site| plain(site))
                .collect();
            if seen.iter().any(|it| it.as_ref() != Some(&line.effect)) {
                let same = seen.windows(2).all(|two| two[0] == two[1]);
                let first = seen.into_iter().next().flatten();
                wrong.push((index, first.filter(|_| same)));
            }
        }
        wrong
    }

    /// Updates the lines marked as plain with what the program finds; lines that it no longer finds
    /// plain are marked as unread.
    pub fn renew(&mut self, kernels: &[Scanned]) {
        for (index, plain) in self.not_plain(kernels) {
            let line = &mut self.lines[index];
            let before = line.to_string();
            match plain {
                Some(effect) => line.effect = effect,
                None => (line.effect, line.proof) = (Effect::unread(), Proof::Unread),
            }
            println!("was, in {}: {before}\nis: {line}", line.key.file);
        }
    }

    /// Lines, and kernels that they name, whose site no longer exists.
    pub fn gone(&self, kernels: &[Scanned]) -> Vec<(&Line, Version)> {
        let there: Vec<BTreeSet<&Key>> = kernels
            .iter()
            .map(|kernel| kernel.sites.iter().map(|site| &site.key).collect())
            .collect();
        let mut gone = Vec::new();
        for line in &self.lines {
            for (kernel, there) in kernels.iter().zip(&there) {
                if line.kernels.have(kernel.version) && !there.contains(&line.key) {
                    gone.push((line, kernel.version));
                }
            }
        }
        gone
    }
}

/// What is plain about a site.
fn plain(site: &Site) -> Plain {
    let errno = site.arrives.as_deref().filter(|_| site.is_plain())?;
    let words = [("ack", site.in_ack), ("else", site.looks_first)];
    let words: Vec<_> = words.iter().filter(|(_, has)| *has).collect();
    let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    PLAIN
        .contains(&errno)
        .then(|| Effect::refuses(errno, &words))
}

fn skeleton(key: Key, kernels: Kernels, plain: Plain) -> Line {
    let sentence = plain.as_ref().map_or_else(String::new, |_| sentence(&key));
    let proof = match plain {
        Some(_) => Proof::Plain,
        None => Proof::Unread,
    };
    Line {
        sentence,
        under: None,
        key,
        kernels,
        effect: plain.unwrap_or_else(Effect::unread),
        proof,
    }
}

/// What can be said about a plain site from its names alone.
fn sentence(key: &Key) -> String {
    let syscall = key.function.strip_prefix("compat_");
    let syscall = syscall.unwrap_or(&key.function).strip_prefix("sys_");
    let is_request = |label: &&String| {
        let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        label.bytes().all(upper) && key.function.contains("ioctl")
    };
    match (syscall, key.label.as_ref().filter(is_request)) {
        (Some(name), None) if key.label.is_none() => format!("{name}(2) fails"),
        (None, Some(label)) => format!("the ioctl {label} fails"),
        _ => String::new(),
    }
}

fn read(path: &Path) -> Result<Vec<Line>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    line::all(&text).with_context(|| path.display().to_string())
}
