//! Which capabilities the running kernel knows.

use std::{fs, io};

/// The file that holds the kernel's `CAP_LAST_CAP` (kernel/sysctl.c, since Linux 3.2).
const LAST_CAP: &str = "/proc/sys/kernel/cap_last_cap";

/// The number of the last capability that the running kernel knows.
///
/// # Errors
///
/// If /proc is not mounted, or the file does not hold a number.
pub fn last_of_running_kernel() -> io::Result<i32> {
    let text = fs::read_to_string(LAST_CAP).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot read {LAST_CAP}: {error}"))
    })?;
    text.trim().parse().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{LAST_CAP} holds {:?} instead of a number", text.trim()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;

    #[test]
    fn the_running_kernels_last_capability_agrees_with_what_prctl_accepts() {
        let last = last_of_running_kernel().unwrap();
        let read = |number: i32| {
            // SAFETY: PR_CAPBSET_READ takes a number and touches no memory.
            unsafe { libc::prctl(libc::PR_CAPBSET_READ, number, 0, 0, 0) }
        };
        assert!(read(last) >= 0, "CAP_{last}");
        assert_eq!(read(last + 1), -1, "CAP_{}", last + 1);
        assert!(Capability::NUMBERS.contains(&last));
    }
}
