//! x86-64.

/// The word of a task that says through which entry it entered the kernel: `TS_COMPAT` is one of
/// its bits (arch/x86/include/asm/thread_info.h).
pub(crate) const ENTRY_WORD: &str = "thread_info.status";
