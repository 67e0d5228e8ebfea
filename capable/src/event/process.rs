//! Which process is meant by a number: one that ended, or another that has its number now.

use std::{fs, sync::OnceLock};

use capable_common::TICK;
use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};

/// A process or a thread: its number, and when it was started, by which it is told from an earlier
/// one that had the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// Its number in the initial pid namespace.
    pub pid: u32,
    /// When it was started, in hundredths of a second since the machine was booted, as
    /// `/proc/PID/stat` says it; 0 if this kernel does not tell.
    pub started: u32,
}

impl ProcessId {
    /// The process that has this number now, as `/proc` shows it here; `None` if there is none, or
    /// if it is hidden from this process.
    pub fn of(pid: u32) -> Option<Self> {
        Self::read(pid).map(|(id, _)| id)
    }

    /// The process that has this number now, and its state.
    fn read(pid: u32) -> Option<(Self, char)> {
        let (state, started) = parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)?;
        let started = started.wrapping_sub(offset()) as u32;
        Some((Self { pid, started }, state))
    }

    /// From a word of the kernel side.
    pub(crate) fn from_word(word: u64) -> Self {
        Self {
            pid: word as u32,
            started: (word >> 32) as u32,
        }
    }

    /// Whether it has not been reaped, as far as is known: of a process that `/proc` hides, only the
    /// number is.
    pub fn exists(self) -> bool {
        match Self::of(self.pid) {
            Some(now) => self.is(now),
            None => number_is_taken(self.pid),
        }
    }

    /// Whether it has not ended, as far as is known; a zombie has.
    pub fn is_alive(self) -> bool {
        match Self::read(self.pid) {
            Some((now, state)) => self.is(now) && !matches!(state, 'Z' | 'X' | 'x'),
            None => number_is_taken(self.pid),
        }
    }

    /// Whether both are the same, as far as is known.
    fn is(self, other: Self) -> bool {
        let unknown = self.started == 0 || other.started == 0;
        self.pid == other.pid && (unknown || self.started == other.started)
    }
}

/// Whether a process or thread has this number, also one that `/proc` does not show.
pub(crate) fn number_is_taken(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(Errno::SRCH)))
}

/// State and start in a file `stat`, the start in ticks on the clock of this process's time
/// namespace. The name in parentheses may hold anything; the third field follows the last
/// parenthesis (proc_pid_stat(5)).
fn parse(stat: &[u8]) -> Option<(char, u64)> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = str::from_utf8(&stat[end + 1..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(22 - 4)?.parse().ok()?))
}

/// What this process's time namespace adds to the time since boot, in ticks: `/proc` adds it to
/// starts (`timens_add_boottime_ns`, fs/proc/array.c, 5.6). The kernel side does not.
fn offset() -> u64 {
    static OFFSET: OnceLock<u64> = OnceLock::new();
    *OFFSET.get_or_init(|| {
        let offsets = fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
        boottime_offset(&offsets).unwrap_or(0)
    })
}

/// A line is `boottime`, seconds, nanoseconds (time_namespaces(7)).
fn boottime_offset(offsets: &str) -> Option<u64> {
    let mut fields = offsets
        .lines()
        .find_map(|line| line.strip_prefix("boottime"))?
        .split_ascii_whitespace();
    let seconds: i64 = fields.next()?.parse().ok()?;
    let nanoseconds: i64 = fields.next()?.parse().ok()?;
    let tick = TICK as i64;
    let ticks = seconds.checked_mul(1_000_000_000 / tick)? + nanoseconds / tick;
    Some(ticks as u64)
}

#[cfg(test)]
mod tests {
    use capable_common::process_word;

    use super::*;

    #[test]
    fn a_number_that_was_given_to_another_process_is_not_the_process() {
        let own = ProcessId::of(std::process::id()).unwrap();
        assert!(own.exists());
        let earlier = ProcessId {
            started: own.started.wrapping_sub(1),
            ..own
        };
        assert!(!earlier.exists());
        assert!(ProcessId { started: 0, ..own }.exists());
        assert_eq!(
            ProcessId::from_word(process_word(own.pid, own.started)),
            own
        );
        assert_eq!(ProcessId::of(0), None);
        let gone = ProcessId {
            pid: 5_000_000,
            started: 0,
        };
        assert!(!gone.exists() && !gone.is_alive() && own.is_alive());
    }

    #[test]
    fn the_start_follows_a_name_of_any_bytes() {
        let stat = b"7 (a) R 1 (\xff) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(parse(stat), Some(('S', 4711)));
        assert_eq!(parse(b"7 (a) S 1"), None);
    }

    #[test]
    fn a_time_namespace_shifts_starts() {
        let offsets = "monotonic           0         0\nboottime        86400  50000000\n";
        assert_eq!(boottime_offset(offsets), Some(8_640_005));
        let back = boottime_offset("boottime -1 0\n").unwrap();
        assert_eq!(1000u64.wrapping_sub(back), 1100);
        assert_eq!(boottime_offset(""), None);
    }
}
