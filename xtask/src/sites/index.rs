//! Which words occur in which files.
//!
//! A gigabyte of source is read once, and each word is stored as a four-byte hash. Two words may
//! share a hash, so a file may be listed that does not contain the word, but none is missed.

use std::fs;
use std::thread;

use anyhow::{Context, Result, bail};

use super::source::Source;
use super::tree::is_word;
use super::unit::Unit;

/// The words of all files of a source.
pub struct Index<'a> {
    source: &'a Source,
    files: Vec<(String, Box<[u32]>)>,
}

impl<'a> Index<'a> {
    /// Reads a source.
    pub fn new(source: &'a Source) -> Result<Self> {
        let files = source.files()?;
        let half = files.len().div_ceil(2).max(1);
        let files = thread::scope(|scope| {
            let threads: Vec<_> = files
                .chunks(half)
                .map(|files| scope.spawn(|| part(source, files)))
                .collect();
            let mut all = Vec::new();
            for thread in threads {
                match thread.join() {
                    Ok(part) => all.extend(part?),
                    Err(_) => bail!("reading the source panicked"),
                }
            }
            Ok(all)
        })?;
        Ok(Self { source, files })
    }

    /// The files that may contain one of these words, each by its path.
    pub fn with<'b>(&self, words: impl Iterator<Item = &'b String>) -> Vec<&str> {
        let numbers: Vec<_> = words.map(|word| number(word.as_bytes())).collect();
        let has = |words: &[u32]| numbers.iter().any(|it| words.binary_search(it).is_ok());
        let files = self.files.iter().filter(|(_, words)| has(words));
        files.map(|(file, _)| file.as_str()).collect()
    }

    /// Reads a file.
    pub fn unit(&self, file: &str) -> Result<Unit> {
        read(self.source, file).map(|raw| Unit::new(&raw))
    }
}

fn part(source: &Source, files: &[String]) -> Result<Vec<(String, Box<[u32]>)>> {
    let mut all = Vec::new();
    for file in files {
        let raw = read(source, file)?;
        let words = raw.split(|byte| !is_word(*byte));
        let mut words: Vec<_> = words.filter(|it| !it.is_empty()).map(number).collect();
        words.sort_unstable();
        words.dedup();
        all.push((file.clone(), words.into_boxed_slice()));
    }
    Ok(all)
}

fn read(source: &Source, file: &str) -> Result<Vec<u8>> {
    let path = source.root.join(file);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// A word's hash: FNV-1a.
fn number(word: &[u8]) -> u32 {
    word.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
