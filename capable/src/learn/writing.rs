//! Whether a system call writes to a file.

use crate::event::Event;

/// Whether it writes, or opens for writing; `None` for a call that neither reads nor writes files,
/// and if it cannot be determined.
pub fn writes(event: &Event<'_>) -> Option<bool> {
    let syscall = event.syscall().filter(|syscall| !syscall.compat)?;
    of_call(i64::from(syscall.number), &syscall.arguments)
}

fn of_call(number: i64, arguments: &[u64]) -> Option<bool> {
    let opens = |flags: usize| Some(arguments.get(flags)? & libc::O_ACCMODE as u64 != 0);
    match number {
        libc::SYS_read | libc::SYS_pread64 | libc::SYS_readv | libc::SYS_preadv => Some(false),
        libc::SYS_write | libc::SYS_pwrite64 | libc::SYS_writev | libc::SYS_pwritev => Some(true),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => opens(1),
        libc::SYS_openat => opens(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_writes_by_its_flags_and_what_is_not_about_a_file_is_unknown() {
        let flags = |flags: i32| [0, 0, flags as u64, 0, 0, 0];
        let open = |mode| of_call(libc::SYS_openat, &flags(mode));
        assert_eq!(open(libc::O_RDONLY | libc::O_CLOEXEC), Some(false));
        assert_eq!(open(libc::O_WRONLY | libc::O_CREAT), Some(true));
        assert_eq!(open(libc::O_RDWR), Some(true));
        assert_eq!(of_call(libc::SYS_read, &[]), Some(false));
        assert_eq!(of_call(libc::SYS_write, &[]), Some(true));
        assert_eq!(of_call(libc::SYS_mount, &[]), None);
    }
}
