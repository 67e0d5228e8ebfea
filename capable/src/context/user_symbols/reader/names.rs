//! Names as their compilers mangled them, made readable. In the reader only.

use std::fmt::Write as _;

use cpp_demangle::{DemangleOptions, DemangleWrite, ParseOptions, Symbol};

use super::{super::text::Bounded, wire::NAME_LIMIT};
use crate::escape::text_of;

/// The longest name, in bytes, that is read from a file. Only what is shorter is demangled: the
/// grammars nest, and no name of a compiler that we met was longer.
pub(super) const MANGLED_LIMIT: usize = 4096;
/// How deep a C++ name may nest, with each level of which the demangler calls itself.
const DEPTH: u32 = 96;

struct Cpp<'a>(&'a mut Bounded);

impl DemangleWrite for Cpp<'_> {
    fn write_string(&mut self, part: &str) -> std::fmt::Result {
        self.0.write_str(part)
    }
}

/// The name for people, cut at [`NAME_LIMIT`].
pub(super) fn demangled(mangled: &[u8]) -> String {
    let text = text_of(mangled);
    if mangled.len() <= MANGLED_LIMIT {
        if let Ok(name) = rustc_demangle::try_demangle(&text)
            && let Some(name) = written(|bounded| write!(bounded, "{name:#}"))
        {
            return name;
        }
        let parsing = ParseOptions::default().recursion_limit(DEPTH);
        if mangled.starts_with(b"_Z")
            && let Ok(name) = Symbol::new_with_options(mangled, &parsing)
        {
            let options = DemangleOptions::default().recursion_limit(DEPTH);
            let name = written(|bounded| name.structured_demangle(&mut Cpp(bounded), &options));
            if let Some(name) = name {
                return name;
            }
        }
    }
    super::super::text::cut(&text, NAME_LIMIT)
}

/// What was written, possibly cut; `None` if it failed for another reason.
fn written(write: impl FnOnce(&mut Bounded) -> std::fmt::Result) -> Option<String> {
    let mut bounded = Bounded::new(NAME_LIMIT);
    let result = write(&mut bounded);
    (result.is_ok() || bounded.is_cut()).then(|| bounded.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rust_and_cpp_are_demangled_and_others_are_as_they_are() {
        let rust = b"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE";
        assert_eq!(demangled(rust), "core::fmt::Write::write_fmt");
        assert_eq!(demangled(b"_RNvC7mycrate3foo"), "mycrate::foo");
        assert_eq!(demangled(b"_ZN3foo3barEi"), "foo::bar(int)");
        for name in ["main", "_Z", "_Zfoo bar", "", "_R"] {
            assert_eq!(demangled(name.as_bytes()), name);
        }
        assert_eq!(demangled(b"a\xffb"), "a\u{efff}b");
    }

    /// A name of pairs of pairs: with each level, what it stands for has twice the length.
    fn doubling(levels: usize) -> String {
        let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let levels = digits[..levels].iter().map(|&digit| {
            let before = format!("S{}_", char::from(digit));
            format!("S_I{before}{before}E")
        });
        format!("_Z1fSt4pairIiiE{}", levels.collect::<String>())
    }

    #[test]
    fn a_short_name_that_stands_for_gigabytes_is_cut() {
        assert!(demangled(doubling(1).as_bytes()).starts_with("f(std::pair<int, int>, std::pair<"));
        let name = demangled(doubling(34).as_bytes());
        assert!(
            name.starts_with("f(std::pair<int, int>, std::pair<"),
            "{name}"
        );
        assert!(name.len() <= NAME_LIMIT && name.ends_with('…'), "{name}");
    }

    #[test]
    fn long_and_deep_names_are_cut() {
        let deep = [
            "A".repeat(3_000_000),
            format!("_Z{}{}E", "N".repeat(100), "St".repeat(50_000)),
            format!("_R{}", "NvC".repeat(1300)),
            format!("_Z1f{}i", "P".repeat(4000)),
            format!("_Z1fI{}E", "1AI".repeat(1300)),
        ];
        for mangled in deep {
            let name = demangled(mangled.as_bytes());
            assert!(name.len() <= NAME_LIMIT, "{} bytes", name.len());
            assert!(!name.is_empty());
        }
    }
}
