//! x86-64.

/// The word of a task that says by which entry it came into the kernel: `TS_COMPAT` is a bit of it
/// (arch/x86/include/asm/thread_info.h).
pub(crate) const ENTRY_WORD: &str = "thread_info.status";
