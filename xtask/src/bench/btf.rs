//! Finds a type in the kernel's BTF: just enough to attach the empty programs.
//!
//! The format is documented in Documentation/bpf/btf.rst. The library of `capable` reads it too,
//! but the benchmark must not run the code that it measures.

use std::fs;

use anyhow::{Context as _, Result};

/// A type, by kind and name.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// `BTF_KIND_FUNC`
    Function(&'a str),
    /// `BTF_KIND_TYPEDEF`
    Typedef(&'a str),
}

/// The number of the type in the running kernel.
pub fn find(wanted: Wanted<'_>) -> Result<u32> {
    let path = "/sys/kernel/btf/vmlinux";
    let bytes = fs::read(path).with_context(|| format!("cannot read {path}"))?;
    find_in(&bytes, wanted).with_context(|| format!("{path} has no {wanted:?}"))
}

fn find_in(bytes: &[u8], wanted: Wanted<'_>) -> Option<u32> {
    let (kind, name) = match wanted {
        Wanted::Typedef(name) => (8, name),
        Wanted::Function(name) => (12, name),
    };
    let header = word(bytes, 4)? as usize;
    let types = header + word(bytes, 8)? as usize;
    let end = types + word(bytes, 12)? as usize;
    let strings = header + word(bytes, 16)? as usize;

    let mut at = types;
    for number in 1.. {
        if at >= end {
            return None;
        }
        let info = word(bytes, at + 4)?;
        let is_kind = (info >> 24) & 0x1f;
        if is_kind == kind {
            let text = bytes.get(strings + word(bytes, at)? as usize..)?;
            if text.starts_with(name.as_bytes()) && text.get(name.len()) == Some(&0) {
                return Some(number);
            }
        }
        let elements = (info & 0xffff) as usize;
        at += 12
            + match is_kind {
                // INT, VAR and DECL_TAG
                1 | 14 | 17 => 4,
                // ARRAY
                3 => 12,
                // STRUCT, UNION, DATASEC and ENUM64
                4 | 5 | 15 | 19 => elements * 12,
                // ENUM and FUNC_PROTO
                6 | 13 => elements * 8,
                _ => 0,
            };
    }
    None
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_behind_types_of_other_sizes() {
        let words = |words: &[u32]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        let mut bytes = words(&[0x0001_eb9f, 24, 0, 48, 48, 13]);
        // An int, a prototype of one argument, and the function.
        bytes.extend(words(&[0, 1 << 24, 4, 32]));
        bytes.extend(words(&[0, 13 << 24 | 1, 1, 0, 1]));
        bytes.extend(words(&[1, 12 << 24, 2]));
        bytes.extend(b"\0cap_capable\0");
        assert_eq!(find_in(&bytes, Wanted::Function("cap_capable")), Some(3));
        assert_eq!(find_in(&bytes, Wanted::Function("cap_capabl")), None);
        assert_eq!(find_in(&bytes, Wanted::Typedef("cap_capable")), None);
    }
}
