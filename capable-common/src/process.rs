//! What tells a process from an earlier one that had its number.

/// The unit of a process's start, in nanoseconds since the machine was booted, suspension included:
/// that of `/proc/PID/stat` (`nsec_to_clock_t` with a `USER_HZ` of 100, kernel/time/time.c and
/// fs/proc/array.c, `do_task_stat`, 5.5 to 7.3). Numbers are given out in turn, so none comes back
/// within a tick. A start is kept in 32 bits, which begin again after 497 days; 0 is unknown.
pub const TICK: u64 = 10_000_000;

/// A process in the table of those to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FollowedProcess {
    /// [`Self::WAITING`] or [`Self::RUNNING`].
    pub state: u32,
    /// When it was started, as [`TICK`] says.
    pub started: u32,
}

impl FollowedProcess {
    /// Started by the tracer, and not yet running its program.
    pub const WAITING: u32 = 0;
    /// FollowedProcess.
    pub const RUNNING: u32 = 1;
}

/// A process in one word: its number in the lower half, its start in the upper one.
#[inline(always)]
pub const fn process_word(pid: u32, started: u32) -> u64 {
    (started as u64) << 32 | pid as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_followed_process_has_the_size_that_the_kernel_side_was_built_with() {
        assert_eq!(size_of::<FollowedProcess>(), 8);
    }
}
