//! Names of system calls.

use super::numbers::{COMMON, I386, X32, X86_64};

/// From this number on, new system calls have the same number everywhere (5.1,
/// arch/x86/entry/syscalls/syscall_64.tbl).
const COMMON_START: usize = 424;
/// The first of the numbers that only x32 uses.
const X32_START: usize = 512;
/// Marks a system call by the x32 convention (arch/x86/include/uapi/asm/unistd.h).
const X32_BIT: i32 = 0x4000_0000;

/// The name of a system call, up to Linux 7.3; `None` if the number is not known.
///
/// `compat` means that it came through the 32-bit entry. Numbers with the x32 bit are resolved as
/// well.
pub(crate) fn name(number: i32, compat: bool) -> Option<&'static str> {
    let x32 = !compat && number >= X32_BIT;
    let number = usize::try_from(if x32 { number & !X32_BIT } else { number }).ok()?;
    let native: &[&str] = if compat { &I386 } else { &X86_64 };
    let name = match number {
        X32_START.. if x32 => X32.get(number - X32_START),
        COMMON_START.. => COMMON.get(number - COMMON_START),
        _ => native.get(number),
    };
    name.copied().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_named_by_the_entry_that_they_came_by() {
        assert_eq!(name(161, false), Some("chroot"));
        assert_eq!(name(61, true), Some("chroot"));
        assert_eq!(name(435, false), Some("clone3"));
        assert_eq!(name(435, true), Some("clone3"));
        assert_eq!(name(472, false), Some("fchroot"));
        assert_eq!(name(X32_BIT | 161, false), Some("chroot"));
        assert_eq!(name(X32_BIT | 520, false), Some("execve"));
    }

    #[test]
    fn numbers_that_no_kernel_uses_have_no_name() {
        for number in [-1, i32::MIN, 400, 512, 9999, X32_BIT | 9999] {
            assert_eq!(name(number, false), None, "{number}");
        }
        assert_eq!(name(222, true), None);
        assert_eq!(name(X32_BIT | 161, true), None);
    }

    /// The headers of the build machine may be older than the tables, but may not differ.
    #[test]
    fn the_tables_agree_with_the_kernel_headers() {
        let mut compared = 0;
        for (file, compat, bit) in [
            ("unistd_64.h", false, 0),
            ("unistd_32.h", true, 0),
            ("unistd_x32.h", false, X32_BIT),
        ] {
            let path = format!("/usr/include/x86_64-linux-gnu/asm/{file}");
            let Ok(header) = std::fs::read_to_string(&path) else {
                eprintln!("{path} is not installed: not compared");
                continue;
            };
            for line in header.lines() {
                let Some((header_name, number)) = line
                    .strip_prefix("#define __NR_")
                    .and_then(|rest| rest.split_once(' '))
                else {
                    continue;
                };
                let number = number.trim_matches(['(', ')']).rsplit(' ').next();
                let number: i32 = number.and_then(|number| number.parse().ok()).unwrap();
                assert_eq!(
                    name(number | bit, compat),
                    Some(header_name),
                    "{file}: {line}"
                );
                compared += 1;
            }
        }
        println!("{compared} names compared");
    }
}
