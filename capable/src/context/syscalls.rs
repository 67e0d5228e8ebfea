//! Names of system calls.

use crate::arch;

/// The name of a system call, up to Linux 7.3; `None` if the number is not known.
///
/// `compat` means that it came through the 32-bit entry.
pub fn name(number: i32, compat: bool) -> Option<&'static str> {
    arch::syscall_name(number, compat)
}
