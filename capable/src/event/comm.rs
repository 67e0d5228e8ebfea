//! A task's name, as the kernel keeps it: padded with NUL.

use std::{os::unix::ffi::OsStrExt as _, path::Path};

/// The longest name, without the NUL (`TASK_COMM_LEN`, include/linux/sched.h).
pub const LONGEST_NAME: usize = 15;

/// Whether execve(2) gives this name to a process that executes this file.
pub fn is_named(file: &Path, name: &[u8]) -> bool {
    file.file_name().is_some_and(|file| {
        let file = file.as_bytes();
        &file[..file.len().min(LONGEST_NAME)] == name
    })
}

/// A task's name up to the terminating NUL.
#[inline]
pub fn comm_bytes(comm: &[u8; 16]) -> &[u8] {
    &comm[..comm_length(comm)]
}

/// The position of the NUL that ends a task's name; 16 if there is none.
#[inline]
pub fn comm_length(comm: &[u8; 16]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The lowest set bit of each half is the high bit of its first NUL.
    let nul = |half: u64| half.wrapping_sub(ONES) & !half & HIGH;
    let bytes = u128::from_le_bytes(*comm);
    let (low, high) = (nul(bytes as u64), nul((bytes >> 64) as u64));
    let length = if low != 0 {
        low.trailing_zeros() / 8
    } else if high != 0 {
        8 + high.trailing_zeros() / 8
    } else {
        16
    };
    length as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_start_of_the_name_of_its_file() {
        for (file, name, is_its) in [
            ("/usr/bin/prog", "prog", true),
            ("/usr/sbin/a-very-long-program", "a-very-long-pro", true),
            (
                "/usr/sbin/a-very-long-program",
                "a-very-long-program",
                false,
            ),
            ("/usr/bin/prog.1", "prog", false),
            ("/", "", false),
        ] {
            assert_eq!(is_named(Path::new(file), name.as_bytes()), is_its, "{file}");
        }
    }

    #[test]
    fn a_name_ends_at_its_first_nul_wherever_that_is() {
        for length in 0..=16 {
            for rest in [0, 1, 0x80, 0xff] {
                let mut comm = [rest; 16];
                comm[..length].fill(0x80);
                if length < 16 {
                    comm[length] = 0;
                }
                assert_eq!(comm_bytes(&comm), &comm[..length]);
            }
        }
    }
}
