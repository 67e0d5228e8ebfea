//! Distinguishes kernel threads from processes.

use std::{fs, path::Path};

/// `PF_KTHREAD` (include/linux/sched.h) in field 9 of /proc/PID/stat.
const KERNEL_THREAD: u32 = 0x0020_0000;

/// Whether this directory of /proc is that of a kernel thread.
pub fn is_kernel_thread(directory: &Path) -> bool {
    let stat = fs::read(directory.join("stat")).unwrap_or_default();
    // The second field is a name in parentheses that may hold both spaces and parentheses.
    let after_name = stat.rsplit(|&byte| byte == b')').next().unwrap_or_default();
    String::from_utf8_lossy(after_name)
        .split_whitespace()
        .nth(6)
        .and_then(|flags| flags.parse::<u32>().ok())
        .is_some_and(|flags| flags & KERNEL_THREAD != 0)
}
