//! Finding names in the string section.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::error::BtfError;
use super::stream::{CHUNK, Section};

/// The longest name there is: `KSYM_NAME_LEN` (include/linux/kallsyms.h).
pub(super) const MAX_NAME: usize = 512;

/// The offset of each of these names that occurs in the string section.
///
/// Each name occurs once and as a whole string: libbpf, whose deduplication pahole uses, merges
/// equal strings but not common suffixes (tools/lib/bpf/strset.c).
pub(super) fn find<'a>(
    file: &File,
    section: Section,
    names: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, u32>, BtfError> {
    // Nearly every string is ruled out by its length.
    let mut by_length: Vec<Vec<&[u8]>> = Vec::new();
    for name in names {
        if by_length.len() <= name.len() {
            by_length.resize(name.len() + 1, Vec::new());
        }
        by_length[name.len()].push(name.as_bytes());
    }
    let mut found = HashMap::new();
    let mut compare = |string: &[u8], start: u64| -> Result<(), BtfError> {
        // Comparing the first byte here saves nearly every call of memcmp.
        let equals = |name: &&[u8]| name.first() == string.first() && *name == string;
        if let Some(candidates) = by_length.get(string.len())
            && candidates.iter().any(equals)
        {
            let start = u32::try_from(start).map_err(|_| BtfError::Truncated)?;
            let name = String::from_utf8_lossy(string).into_owned();
            found.entry(name).or_insert(start);
        }
        Ok(())
    };

    let mut buffer = vec![0; CHUNK];
    // The beginning of a string whose end comes with the next read.
    let mut begun: Vec<u8> = Vec::new();
    let mut position = 0u64;
    while position < u64::from(section.length) {
        let left = u64::from(section.length) - position;
        let most = left.min(buffer.len() as u64) as usize;
        let read = file.read_at(&mut buffer[..most], section.start + position)?;
        if read == 0 {
            return Err(BtfError::Truncated);
        }
        let bytes = &buffer[..read];
        let mut start = 0;
        for end in memchr::memchr_iter(0, bytes) {
            if begun.is_empty() {
                compare(&bytes[start..end], position + start as u64)?;
            } else {
                let before = begun.len() as u64;
                begun.extend_from_slice(&bytes[start..end]);
                compare(&begun, position - before)?;
                begun.clear();
            }
            start = end + 1;
        }
        begun.extend_from_slice(&bytes[start..]);
        if begun.len() > MAX_NAME + CHUNK {
            return Err(BtfError::Truncated);
        }
        position += read as u64;
    }
    Ok(found)
}
