//! Finds the addresses of a few kernel functions: the file is read once and nothing is kept.

use std::io::BufRead;
use std::ops::ControlFlow;

use capable_common::AddressRange;

use super::kallsyms::{each_text_symbol, open, rewound};
use super::{SymbolsError, clean_name};

/// The address ranges of a few functions of vmlinux, each up to the next symbol.
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

/// The address of a variable of vmlinux, if the kernel shows it (`CONFIG_KALLSYMS_ALL`).
pub fn find_data(name: &str) -> Option<u64> {
    let file = open().ok()?;
    let lines = rewound(&file).ok()?.lines().map_while(Result::ok);
    address_in(lines, name)
}

fn address_in(mut lines: impl Iterator<Item = String>, name: &str) -> Option<u64> {
    let line = lines.find(|line| line.ends_with(name) && line.split(' ').nth(2) == Some(name))?;
    let address = u64::from_str_radix(line.split(' ').next()?, 16).ok()?;
    (address != 0).then_some(address)
}

/// What has been found so far about one function.
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
    fn a_variable_is_found_by_its_whole_name_if_addresses_are_shown() {
        let kernel = "\
ffffffff82000000 d other_blob_sizes
ffffffff82000020 d blob_sizes
ffffffff82000040 t blob_sizes\t[fake]
0000000000000000 d hidden
";
        let find = |name| address_in(kernel.lines().map(str::to_owned), name);
        assert_eq!(find("blob_sizes"), Some(0xffff_ffff_8200_0020));
        assert_eq!((find("sizes"), find("hidden")), (None, None));
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
