//! Reading `/proc/kallsyms`: one line per symbol, `address type name`, and `[module]` after a tab
//! where it is not part of vmlinux (`s_show`, kernel/kallsyms.c).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::ops::ControlFlow;

use capable_common::AddressRange;

use super::{SymbolsError, clean_name};

/// A line of the file that names code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol<'a> {
    pub address: u64,
    /// A capital `T` or `W`.
    pub global: bool,
    pub name: &'a str,
    pub module: Option<&'a str>,
}

/// Opens the running kernel's symbols.
///
/// Whether addresses are shown is decided here (`kallsyms_open`, kernel/kallsyms.c): a file that
/// was opened with privileges can be read again after they are dropped.
pub(super) fn open() -> io::Result<File> {
    File::open("/proc/kallsyms")
}

/// Reads an open file from its beginning.
pub(super) fn rewound(mut file: &File) -> io::Result<impl BufRead> {
    file.rewind()?;
    // The kernel fills at most a page per read (seq_read_iter, fs/seq_file.c).
    Ok(BufReader::with_capacity(4096, file))
}

/// Calls `each` for every text symbol, in the order of the file, until it breaks.
pub(super) fn each_text_symbol(
    mut reader: impl BufRead,
    mut each: impl FnMut(Symbol<'_>) -> ControlFlow<()>,
) -> Result<(), SymbolsError> {
    let mut any = false;
    let mut take = |line: &[u8]| {
        let Some(symbol) = parse_line(line) else {
            return Ok(ControlFlow::Continue(()));
        };
        if !any && symbol.address == 0 {
            return Err(SymbolsError::hidden());
        }
        any = true;
        Ok(each(symbol))
    };
    // The beginning of a line whose end was not read yet: lines are looked at where they lie.
    let mut part = Vec::with_capacity(256);
    'file: loop {
        let mut held = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            held => held?,
        };
        let length = held.len();
        if length == 0 {
            if !part.is_empty() {
                let _last = take(&part)?;
            }
            break;
        }
        while let Some(end) = memchr::memchr(b'\n', held) {
            let (line, rest) = (&held[..end], &held[end + 1..]);
            held = rest;
            let went_on = if part.is_empty() {
                take(line)?
            } else {
                part.extend_from_slice(line);
                let went_on = take(&part)?;
                part.clear();
                went_on
            };
            if went_on.is_break() {
                break 'file;
            }
        }
        part.extend_from_slice(held);
        reader.consume(length);
    }
    if any {
        Ok(())
    } else {
        Err(SymbolsError::Empty)
    }
}

/// The symbol in a line, if it is code.
fn parse_line(line: &[u8]) -> Option<Symbol<'_>> {
    // Most lines are data: the kind is looked at first.
    let (digits, rest) = line.split_first_chunk::<16>()?;
    let &[
        b' ',
        kind @ (b'T' | b't' | b'W' | b'w'),
        b' ',
        ref rest @ ..,
    ] = rest
    else {
        return None;
    };
    let (high, low) = digits.split_first_chunk::<8>()?;
    let address = eight_hex(*high)? << 32 | eight_hex(low.try_into().ok()?)?;
    let (name, module) = match memchr::memchr(b'\t', rest) {
        Some(tab) => (&rest[..tab], Some(&rest[tab + 1..])),
        None => (rest, None),
    };
    let module = match module {
        Some(module) => Some(str::from_utf8(module).ok()?.trim_matches(['[', ']'])),
        None => None,
    };
    Some(Symbol {
        address,
        global: kind.is_ascii_uppercase(),
        name: str::from_utf8(name).ok()?,
        module,
    })
}

/// The value of eight hexadecimal digits in lower case, all at once.
fn eight_hex(digits: [u8; 8]) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut valid = true;
    for digit in digits {
        valid &= digit.is_ascii_digit() | matches!(digit, b'a'..=b'f');
    }
    if !valid {
        return None;
    }
    let text = u64::from_be_bytes(digits);
    // A letter has bit 6, and its low nibble is its value less nine.
    let letters = text >> 6 & EACH;
    let nibbles = (text & (0x0f * EACH)) + letters * 9;
    // Neighbours are put together: nibbles to bytes, bytes to halves, halves to the whole.
    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let halves = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    Some((halves | halves >> 16) & 0xffff_ffff)
}

/// Where a few functions of vmlinux lie, each from its first address up to the next symbol.
///
/// The answers are in the order of `names`. A function that exists only under a name that the
/// compiler changed (`.isra.0` and the like, but not a `.cold` part) is found too.
///
/// # Errors
///
/// When the symbols cannot be read or their addresses are hidden.
pub fn find(names: &[&str]) -> Result<Vec<Option<AddressRange>>, SymbolsError> {
    find_in(rewound(&open()?)?, names)
}

/// What is found so far of one function.
#[derive(Clone, Copy, Default)]
struct Found {
    start: u64,
    /// 0 until the next symbol is seen.
    end: u64,
    /// Found under exactly its name.
    exact: bool,
}

fn find_in(
    reader: impl BufRead,
    names: &[&str],
) -> Result<Vec<Option<AddressRange>>, SymbolsError> {
    let mut found = vec![Found::default(); names.len()];
    each_text_symbol(reader, |symbol| {
        // Modules follow after all of vmlinux, which is sorted by address.
        let in_vmlinux = symbol.module.is_none();
        for (found, &name) in found.iter_mut().zip(names) {
            if found.start != 0 && found.end == 0 && symbol.address > found.start {
                found.end = symbol.address;
            }
            if !in_vmlinux || found.exact || !symbol.name.starts_with(name) {
                continue;
            }
            let exact = symbol.name == name;
            let variant = clean_name(symbol.name) == name && !symbol.name.contains(".cold");
            if exact || (variant && found.start == 0) {
                *found = Found {
                    start: symbol.address,
                    end: 0,
                    exact,
                };
            }
        }
        if !in_vmlinux || found.iter().all(|found| found.exact && found.end != 0) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(found
        .iter()
        .map(|found| {
            (found.start != 0 && found.end != 0).then_some(AddressRange {
                start: found.start,
                end: found.end,
            })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &str = "\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000100 t helper.isra.0
ffffffff81000180 t helper.cold
ffffffff81000200 T cap_capable
ffffffff81000200 T also_cap_capable
ffffffff81000280 T __pfx_next
ffffffff81000290 T next
ffffffffa0000000 t cap_capable\t[fake]
";

    #[test]
    fn a_range_ends_at_the_next_symbol_of_vmlinux() {
        let found = find_in(KERNEL.as_bytes(), &["cap_capable", "helper", "absent"]).unwrap();
        let range = |start, end| Some(AddressRange { start, end });
        assert_eq!(
            found,
            [
                range(0xffff_ffff_8100_0200, 0xffff_ffff_8100_0280),
                range(0xffff_ffff_8100_0100, 0xffff_ffff_8100_0180),
                None
            ]
        );
    }

    #[test]
    fn a_module_symbol_has_its_module() {
        let line = b"ffffffffc0a01000 t nf_hook\t[nf_tables]";
        let symbol = parse_line(line).unwrap();
        assert_eq!((symbol.name, symbol.module), ("nf_hook", Some("nf_tables")));
        assert_eq!(symbol.address, 0xffff_ffff_c0a0_1000);
    }

    #[test]
    fn addresses_are_read_as_the_standard_library_reads_them() {
        for number in [0, 9, 0xabcd_ef01_2345_6789, 0xffff_ffff_8100_0000, u64::MAX] {
            let line = format!("{number:016x} t name");
            assert_eq!(parse_line(line.as_bytes()).unwrap().address, number);
        }
        for line in [
            "ffffffff8100000G t name",
            "ffffffff8100000` t name",
            "ff t name",
            "",
        ] {
            assert_eq!(parse_line(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn lines_are_whole_wherever_a_read_ends() {
        let names = |capacity| {
            let mut names = Vec::new();
            let reader = BufReader::with_capacity(capacity, KERNEL.trim_end().as_bytes());
            let each = |symbol: Symbol<'_>| {
                names.push((symbol.address, symbol.name.to_owned()));
                ControlFlow::Continue(())
            };
            each_text_symbol(reader, each).unwrap();
            names
        };
        for capacity in 1..80 {
            assert_eq!(names(capacity), names(4096), "{capacity}");
        }
    }

    #[test]
    fn hidden_addresses_are_an_error_that_names_the_remedy() {
        let hidden = "0000000000000000 A percpu\n0000000000000000 T _stext\n";
        let error = find_in(hidden.as_bytes(), &["cap_capable"]).unwrap_err();
        assert!(matches!(error, SymbolsError::Hidden { .. }), "{error}");
        assert!(error.to_string().contains("kptr_restrict"), "{error}");
        let empty = find_in("".as_bytes(), &["cap_capable"]).unwrap_err();
        assert!(matches!(empty, SymbolsError::Empty), "{empty}");
    }

    #[test]
    fn the_running_kernel_has_cap_capable() {
        match find(&["cap_capable"]) {
            Ok(found) => {
                let range = found[0].expect("cap_capable is not static on any kernel");
                assert!(range.start < range.end && range.end - range.start < 4096);
            }
            Err(error) => assert!(matches!(error, SymbolsError::Hidden { .. }), "{error}"),
        }
    }
}
