//! What a program's file tells the dynamic loader.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::files::open_regular;

/// `PT_LOAD`, `PT_DYNAMIC`, `DT_STRTAB`, `DT_RPATH` and `DT_RUNPATH` (elf(5)).
const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;
const NAMES: u64 = 5;
const SEARCHED: [u64; 2] = [15, 29];

/// The most program headers, and the most of the dynamic section and of a list of directories, that
/// is read, whatever the file declares.
const HEADERS: usize = 256;
const SECTION: u64 = 1 << 16;
const LIST: usize = 4096;

/// Whether a 64-bit program names directories of libraries by its own place, `$ORIGIN`; false for any
/// other file.
///
/// # Errors
///
/// The file cannot be read, or is no regular file.
pub fn names_origin(file: &Path) -> io::Result<bool> {
    let file = open_regular(file)?;
    Ok(search_paths(&file).iter().any(|path| {
        let holds = |word: &[u8]| path.windows(word.len()).any(|part| part == word);
        holds(b"$ORIGIN") || holds(b"${ORIGIN}")
    }))
}

/// The lists of directories to search for libraries.
fn search_paths(file: &File) -> Vec<Vec<u8>> {
    let header = read(file, 0, 64);
    if !header.starts_with(b"\x7fELF\x02\x01") || half(&header, 54) < 56 {
        return Vec::new();
    }
    let size = half(&header, 54);
    let headers = read(
        file,
        long(&header, 32),
        size * half(&header, 56).min(HEADERS),
    );
    let headers: Vec<_> = headers.chunks_exact(size).collect();
    let of_kind = |kind| {
        headers
            .iter()
            .filter(move |each| long(each, 0) << 32 == kind << 32)
    };
    let Some(dynamic) = of_kind(DYNAMIC).next() else {
        return Vec::new();
    };
    let length = long(dynamic, 32).min(SECTION) as usize;
    let dynamic = read(file, long(dynamic, 8), length);
    let entries: Vec<_> = dynamic
        .chunks_exact(16)
        .map(|entry| (long(entry, 0), long(entry, 8)))
        .take_while(|&(tag, _)| tag != 0)
        .collect();
    let names = entries.iter().find(|(tag, _)| *tag == NAMES);
    // An address becomes an offset by the segment that it is loaded with.
    let names = names.and_then(|&(_, address)| {
        of_kind(LOAD).find_map(|each| {
            let inside = address.checked_sub(long(each, 16))?;
            (inside < long(each, 32)).then(|| long(each, 8).saturating_add(inside))
        })
    });
    let Some(names) = names else {
        return Vec::new();
    };
    let searched = entries.iter().filter(|(tag, _)| SEARCHED.contains(tag));
    searched
        .map(|&(_, at)| {
            let mut text = read(file, names.saturating_add(at), LIST);
            text.truncate(text.iter().position(|&byte| byte == 0).unwrap_or(LIST));
            text
        })
        .collect()
}

/// Up to that many bytes; fewer where the file ends.
fn read(file: &File, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, offset).unwrap_or(0);
    bytes.truncate(read);
    bytes
}

/// A number of 16 bits; 0 where the bytes end.
fn half(bytes: &[u8], at: usize) -> usize {
    let bytes = bytes.get(at..at + 2).and_then(|two| two.try_into().ok());
    bytes.map_or(0, |two| u16::from_le_bytes(two).into())
}

/// A number of 64 bits; 0 where the bytes end.
fn long(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of one segment, whose dynamic section has this list of directories under this tag.
    fn program(tag: u64, list: &str) -> Vec<u8> {
        let mut file = vec![0; 64 + 2 * 56];
        let mut put = |at: usize, value: u64, size: usize| {
            file[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
        };
        let (dynamic, names, address) = (176, 224, 0x40_0000);
        put(0, u64::from_le_bytes(*b"\x7fELF\x02\x01\x01\0"), 8);
        put(32, 64, 8);
        put(54, 56, 2);
        put(56, 2, 2);
        for (at, kind, offset, size) in [(64, LOAD, 0, 4096), (120, DYNAMIC, dynamic, 48)] {
            put(at, kind, 4);
            put(at + 8, offset, 8);
            put(at + 16, address + offset, 8);
            put(at + 32, size, 8);
        }
        for word in [NAMES, address + names, tag, 1, 0, 0] {
            file.extend(word.to_le_bytes());
        }
        file.push(0);
        file.extend(list.bytes().chain([0]));
        file
    }

    #[test]
    fn a_program_that_looks_for_libraries_beside_itself_is_told_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let names = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            names_origin(&path).unwrap()
        };
        for tag in SEARCHED {
            assert!(names(&program(tag, "/usr/lib:$ORIGIN/../lib")));
            assert!(names(&program(tag, "${ORIGIN}")));
            assert!(!names(&program(tag, "/usr/lib")));
        }
        assert!(!names(&program(14, "$ORIGIN")), "DT_SONAME");
        assert!(!names(b"#!/bin/sh\n$ORIGIN\n"));
    }

    #[test]
    fn a_file_that_is_cut_or_lies_is_read_without_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let whole = program(29, "$ORIGIN");
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            names_origin(&path).unwrap();
        }
        for at in 0..whole.len() {
            let mut lies = whole.clone();
            lies[at] = 0xff;
            std::fs::write(&path, &lies).unwrap();
            names_origin(&path).unwrap();
        }
    }
}
