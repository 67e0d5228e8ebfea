//! Reading `/proc/kallsyms`: one line per symbol, `address type name`, and `[module]` after a tab
//! if it is not part of vmlinux (`s_show`, kernel/kallsyms.c).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::ops::ControlFlow;

use super::SymbolsError;

/// A line of the file that names code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Symbol<'a> {
    /// Its first byte.
    pub address: u64,
    /// A capital `T` or `W`.
    pub global: bool,
    /// Including any suffix that the compiler added.
    pub name: &'a str,
    /// Nothing for vmlinux, `bpf` for programs.
    pub module: Option<&'a str>,
}

/// Opens the running kernel's symbols.
///
/// Whether addresses are shown is decided here (`kallsyms_open`, kernel/kallsyms.c): a file that
/// was opened with privileges can be read again after they are dropped.
pub(crate) fn open() -> io::Result<File> {
    File::open("/proc/kallsyms")
}

/// Reads an open file from its beginning.
pub(crate) fn rewound(mut file: &File) -> io::Result<impl BufRead> {
    file.rewind()?;
    // The kernel fills at most a page per read (seq_read_iter, fs/seq_file.c).
    Ok(BufReader::with_capacity(4096, file))
}

/// Calls `each` for every text symbol, in the order of the file, until it breaks.
pub(crate) fn each_text_symbol(
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
    // The beginning of a line whose end has not been read yet. Complete lines are parsed in the
    // buffer.
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
    // Most lines are data, so the kind is checked first.
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
    // A letter has bit 6 set, and its low nibble is its value minus nine.
    let letters = text >> 6 & EACH;
    let nibbles = (text & (0x0f * EACH)) + letters * 9;
    // Neighbours are merged: nibbles into bytes, bytes into halves, halves into the whole.
    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let halves = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    Some((halves | halves >> 16) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000100 t helper.isra.0
ffffffffa0000000 t cap_capable\t[fake]
";

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
            let reader = BufReader::with_capacity(capacity, TEXT.trim_end().as_bytes());
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
}
