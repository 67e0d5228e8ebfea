//! Names of units, as systemd writes them in paths.

use crate::escape::{bytes_of, text_of};

/// systemd prefixes an underscore to names that could collide with the kernel's own files
/// (`cg_escape`, src/basic/cgroup-util.c).
pub fn unescape_cgroup(name: &str) -> &str {
    name.strip_prefix('_').unwrap_or(name)
}

/// Slices. What a container's driver writes around one (`SLICE:PREFIX:ID`) ends otherwise.
pub fn is_slice(name: &str) -> bool {
    name.strip_suffix(".slice")
        .is_some_and(|stem| !stem.is_empty())
}

/// The units, other than slices, that have a cgroup (systemd.unit(5)).
pub fn is_unit(name: &str) -> bool {
    [".service", ".scope", ".socket", ".mount", ".swap"]
        .iter()
        .any(|suffix| {
            name.strip_suffix(suffix)
                .is_some_and(|stem| !stem.is_empty())
        })
}

/// The name of a machine in that of a unit (systemd-escape(1)).
pub fn escape_unit(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'/' => escaped.push('-'),
            b'.' if at == 0 => escaped.push_str("\\x2e"),
            b'.' | b':' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("\\x{byte:02x}")),
        }
    }
    escaped
}

/// Whether a unit, a slice included, or a template can have this name, which ends with its suffix
/// (`unit_name_is_valid`, src/basic/unit-name.c, and `UNIT_NAME_MAX`, src/basic/unit-def.h).
pub fn can_be_a_unit(name: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    (is_unit(name) || is_slice(name))
        && name.len() < 256
        && !name.starts_with('@')
        && name.bytes().all(is_of_name)
}

/// Resolves `\x2d` and the like in a unit's name (systemd-escape(1)).
pub fn unescape_unit(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("\\x") {
        let digits = rest.get(at + 2..at + 4);
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.extend_from_slice(&bytes_of(&rest[..at]));
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[at + 4..];
            }
            None => {
                bytes.extend_from_slice(b"\\x");
                rest = &rest[at + 2..];
            }
        }
    }
    bytes.extend_from_slice(&bytes_of(rest));
    text_of(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_unit_can_be_called_is_known() {
        for name in [
            "ssh.service",
            "a@.service",
            "a@b.service",
            "app-x\\x2dy.slice",
            "_a:b.scope",
        ] {
            assert!(can_be_a_unit(name), "{name}");
        }
        let long = format!("{}.service", "a".repeat(250));
        for name in [
            ".service",
            "@.service",
            "@a.service",
            "a b.service",
            "../x.service",
            "a",
            "ü.service",
            &long,
        ] {
            assert!(!can_be_a_unit(name), "{name}");
        }
    }
}
