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
    let wanted = Wanted::new(names);
    let mut found = HashMap::new();
    let mut compare = |string: &[u8], start: u64| -> Result<(), BtfError> {
        if wanted.has(string) {
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
        if !begun.is_empty()
            && let Some(end) = memchr::memchr(0, bytes)
        {
            let before = begun.len() as u64;
            begun.extend_from_slice(&bytes[..end]);
            compare(&begun, position - before)?;
            begun.clear();
            start = end + 1;
        }
        if begun.is_empty() {
            let first = start;
            each_zero(&bytes[first..], |end| {
                let end = first + end;
                compare(&bytes[start..end], position + start as u64)?;
                start = end + 1;
                Ok(())
            })?;
        }
        begun.extend_from_slice(&bytes[start..]);
        if begun.len() > MAX_NAME + CHUNK {
            return Err(BtfError::Truncated);
        }
        position += read as u64;
    }
    Ok(found)
}

/// The names that are looked for. Hundreds of thousands of strings are compared with them, so a few
/// instructions must rule out nearly all of these.
struct Wanted<'a> {
    names: Vec<&'a [u8]>,
    /// For each length, which first and which last bytes the names of this length have: the bit with
    /// the number of the byte modulo 64.
    ends: Vec<(u64, u64)>,
}

impl<'a> Wanted<'a> {
    fn new(names: impl Iterator<Item = &'a str>) -> Self {
        let mut wanted = Self {
            names: Vec::new(),
            ends: Vec::new(),
        };
        for name in names.map(str::as_bytes) {
            if wanted.ends.len() <= name.len() {
                wanted.ends.resize(name.len() + 1, (0, 0));
            }
            let (first, last) = &mut wanted.ends[name.len()];
            *first |= bit(name.first());
            *last |= bit(name.last());
            wanted.names.push(name);
        }
        wanted
    }

    #[inline]
    fn has(&self, string: &[u8]) -> bool {
        self.ends.get(string.len()).is_some_and(|(first, last)| {
            first & bit(string.first()) != 0
                && last & bit(string.last()) != 0
                && self.names.contains(&string)
        })
    }
}

#[inline]
fn bit(byte: Option<&u8>) -> u64 {
    byte.map_or(1, |byte| 1 << (byte & 63))
}

/// Calls `each` with every position at which a byte is 0. Strings are so short that a call of memchr
/// for each of them costs several times as much.
#[inline]
fn each_zero(
    bytes: &[u8],
    mut each: impl FnMut(usize) -> Result<(), BtfError>,
) -> Result<(), BtfError> {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The highest bit of each byte that is 0.
        let mut ends = !(((word & LOW) + LOW) | word | LOW);
        while ends != 0 {
            each(index * 8 + ends.trailing_zeros() as usize / 8)?;
            ends &= ends - 1;
        }
    }
    let before = bytes.len() - rest.len();
    let ends = rest.iter().enumerate().filter(|(_, byte)| **byte == 0);
    ends.map(|(at, _)| before + at).try_for_each(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_found_wherever_they_are() {
        // 1 and 128 beside a 0 are what careless arithmetic takes for one.
        let mut bytes: Vec<u8> = [0, 1, 0, 128, 129, 255, 1, 0, 0].repeat(11);
        while !bytes.is_empty() {
            let all: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at] == 0).collect();
            let mut found = Vec::new();
            each_zero(&bytes, |at| {
                found.push(at);
                Ok(())
            })
            .unwrap();
            assert_eq!(found, all, "{bytes:?}");
            bytes.pop();
        }
    }

    #[test]
    fn only_the_wanted_names_are_had() {
        let wanted = Wanted::new(["cred", "uid", "", "pid"].into_iter());
        for name in ["cred", "uid", "", "pid"] {
            assert!(wanted.has(name.as_bytes()), "{name}");
        }
        for name in ["c", "crud", "pud", "cred_", "Cred", "uis", "usage"] {
            assert!(!wanted.has(name.as_bytes()), "{name}");
        }
    }
}
