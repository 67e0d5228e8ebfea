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
    let mut line = Vec::with_capacity(256);
    let mut any = false;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let Some(symbol) = parse_line(&line) else {
            continue;
        };
        if !any && symbol.address == 0 {
            return Err(SymbolsError::hidden());
        }
        any = true;
        if each(symbol).is_break() {
            break;
        }
    }
    if any {
        Ok(())
    } else {
        Err(SymbolsError::Empty)
    }
}

/// The symbol in a line, if it is code.
fn parse_line(line: &[u8]) -> Option<Symbol<'_>> {
    let digits = line.iter().position(|&byte| byte == b' ')?;
    let address = line[..digits].iter().try_fold(0_u64, |value, &byte| {
        let digit = (byte as char).to_digit(16)?;
        Some(value << 4 | u64::from(digit))
    })?;
    let kind = *line.get(digits + 1)?;
    if !matches!(kind, b'T' | b't' | b'W' | b'w') {
        return None;
    }
    let rest = str::from_utf8(line.get(digits + 3..)?).ok()?.trim_end();
    let (name, module) = match rest.split_once('\t') {
        Some((name, module)) => (name, Some(module.trim_matches(['[', ']']))),
        None => (rest, None),
    };
    Some(Symbol {
        address,
        global: kind.is_ascii_uppercase(),
        name,
        module,
    })
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
        let line = b"ffffffffc0a01000 t nf_hook\t[nf_tables]\n";
        let symbol = parse_line(line).unwrap();
        assert_eq!((symbol.name, symbol.module), ("nf_hook", Some("nf_tables")));
        assert_eq!(symbol.address, 0xffff_ffff_c0a0_1000);
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
