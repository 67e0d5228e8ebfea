//! The time of a check: converts the kernel's monotonic clock to wall-clock time.
//!
//! Rows come in order, thousands per second: the text of the current second is kept, and only what
//! changes within that second is rewritten.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use jiff::{Timestamp, tz::TimeZone};
use rustix::time::{ClockId, clock_gettime};

use super::numbers::{put_digits, put_right};

const SECOND: u64 = 1_000_000_000;

/// Two samples of the clocks' distance differ by the time between the two readings. A larger
/// difference is a step of the wall clock (settimeofday(2), or the machine was suspended).
const SAMPLING_ERROR: u64 = 100_000;

/// The most bytes of a file that describes a time zone; the largest one of today has 4 kB.
const LONGEST_ZONE: u64 = 1 << 20;

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum TimeFormat {
    /// The time of day: 14:03:59
    Clock,
    /// RFC 3339 with nanoseconds: 2026-11-22T14:03:59.123456789+01:00
    Iso,
    /// Seconds since tracing began: 12.345678
    Relative,
}

impl TimeFormat {
    /// The most columns that a time in this format takes in a table.
    pub const fn width(self) -> u16 {
        match self {
            Self::Clock => 8,
            Self::Iso => 35,
            Self::Relative => 12,
        }
    }
}

/// Writes times.
#[derive(Debug)]
pub struct Clock {
    format: TimeFormat,
    zone: TimeZone,
    /// UTC is written as `Z`, local time with its offset, even if that is zero.
    utc: bool,
    /// What to add to the monotonic clock to get the wall clock, in nanoseconds.
    distance: i64,
    /// Samples `distance` when a new second begins.
    sample: fn() -> Option<i64>,
    /// The monotonic time at which tracing began.
    start: u64,
    /// The second of wall-clock time that `text` holds, in nanoseconds since 1970.
    second: i64,
    text: [u8; 40],
    length: usize,
}

impl Clock {
    /// A clock in the local time zone or in UTC; `Relative` times count from now.
    ///
    /// The local zone is the one of `TZ` or `/etc/localtime`; UTC where there is neither, as with
    /// date(1).
    pub fn new(format: TimeFormat, utc: bool) -> Self {
        let zone = if utc { TimeZone::UTC } else { local_zone() };
        let start = u64::try_from(nanoseconds(ClockId::Monotonic)).unwrap_or(0);
        Self::with(format, zone, utc, start, sample)
    }

    /// A clock with every setting given.
    pub(super) fn with(
        format: TimeFormat,
        zone: TimeZone,
        utc: bool,
        start: u64,
        sample: fn() -> Option<i64>,
    ) -> Self {
        Self {
            format,
            zone,
            utc,
            distance: sample().unwrap_or(0),
            sample,
            start,
            // No time falls in this second, so the first one is always formatted.
            second: i64::MIN,
            text: [b' '; 40],
            length: 0,
        }
    }

    /// Whether the text of a time stays the same for a whole second.
    pub fn is_whole_seconds(&self) -> bool {
        self.format == TimeFormat::Clock
    }

    /// The second that a monotonic time falls in.
    #[inline]
    pub fn second(&mut self, time: u64) -> i64 {
        if self.within(time) >= SECOND {
            self.enter_second(time);
        }
        self.second
    }

    /// How far a time is into the current second; at least a second if it falls in another one.
    #[inline]
    fn within(&self, time: u64) -> u64 {
        // A monotonic time fits: it would take 292 years to overflow.
        let wall = self.distance.wrapping_add(time as i64);
        wall.wrapping_sub(self.second) as u64
    }

    /// The text of a monotonic time in nanoseconds.
    #[inline]
    pub fn text(&mut self, time: u64) -> &[u8] {
        if self.format == TimeFormat::Relative {
            return self.relative(time);
        }
        self.second(time);
        let within = self.within(time);
        if self.format == TimeFormat::Iso {
            put_digits(&mut self.text[20..29], within);
        }
        &self.text[..self.length]
    }

    fn relative(&mut self, time: u64) -> &[u8] {
        let passed = time.saturating_sub(self.start);
        let point = 20;
        self.text[..point].fill(b' ');
        put_right(&mut self.text[..point], passed / SECOND);
        self.text[point] = b'.';
        put_digits(
            &mut self.text[point + 1..point + 7],
            passed % SECOND / 1_000,
        );
        let blanks = self.text.iter().take_while(|&&byte| byte == b' ').count();
        &self.text[blanks..point + 7]
    }

    #[cold]
    fn enter_second(&mut self, time: u64) {
        if let Some(distance) = (self.sample)()
            && distance.abs_diff(self.distance) > SAMPLING_ERROR
        {
            self.distance = distance;
        }
        let wall = self.distance.wrapping_add(time as i64);
        self.second = wall - wall.rem_euclid(SECOND as i64);
        let instant = Timestamp::from_nanosecond(i128::from(self.second)).unwrap_or_default();
        let offset = self.zone.to_offset(instant);
        let civil = offset.to_datetime(instant);
        let mut number = |at: usize, width: usize, value: u64| {
            put_digits(&mut self.text[at..at + width], value);
        };
        let part = |value: i8| u64::from(value.unsigned_abs());
        if self.format == TimeFormat::Clock {
            number(0, 2, part(civil.hour()));
            number(3, 2, part(civil.minute()));
            number(6, 2, part(civil.second()));
            (self.text[2], self.text[5]) = (b':', b':');
            self.length = 8;
            return;
        }
        number(0, 4, u64::from(civil.year().unsigned_abs()));
        number(5, 2, part(civil.month()));
        number(8, 2, part(civil.day()));
        number(11, 2, part(civil.hour()));
        number(14, 2, part(civil.minute()));
        number(17, 2, part(civil.second()));
        let minutes = offset.seconds().unsigned_abs() / 60;
        number(30, 2, u64::from(minutes / 60));
        number(33, 2, u64::from(minutes % 60));
        for (at, mark) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
            self.text[at] = mark;
        }
        self.text[19] = b'.';
        if self.utc {
            self.text[29] = b'Z';
            self.length = 30;
        } else {
            self.text[29] = if offset.is_negative() { b'-' } else { b'+' };
            self.text[32] = b':';
            self.length = 35;
        }
    }
}

/// How far the wall clock is ahead of the monotonic clock, in nanoseconds.
fn sample() -> Option<i64> {
    let before = nanoseconds(ClockId::Monotonic);
    let wall = nanoseconds(ClockId::Realtime);
    let after = nanoseconds(ClockId::Monotonic);
    // A sample that was preempted between the readings is useless.
    (after.abs_diff(before) < SAMPLING_ERROR).then_some(wall - before.midpoint(after))
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * SECOND as i64 + time.tv_nsec
}

/// The local zone. `TZ` may be the path of a file, which is read to its end: what is no regular file,
/// such as /dev/zero, is not read.
fn local_zone() -> TimeZone {
    let given = std::env::var_os("TZ").unwrap_or_default();
    if names_endless_file(&given) {
        return TimeZone::UTC;
    }
    TimeZone::system()
}

fn names_endless_file(zone: &OsStr) -> bool {
    let bytes = zone.as_bytes();
    let path = OsStr::from_bytes(bytes.strip_prefix(b":").unwrap_or(bytes));
    std::fs::metadata(path).is_ok_and(|file| !file.is_file() || file.len() > LONGEST_ZONE)
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    /// 2026-03-29T00:59:59Z, a second before Berlin changes to summer time.
    const BEFORE_SUMMER: i64 = 1_774_745_999 * SECOND as i64;

    fn clock(format: TimeFormat, zone: &str, utc: bool) -> Clock {
        let zone = TimeZone::posix(zone).unwrap();
        Clock::with(format, zone, utc, 5 * SECOND, || Some(BEFORE_SUMMER))
    }

    fn text(clock: &mut Clock, time: u64) -> String {
        String::from_utf8(clock.text(time).to_vec()).unwrap()
    }

    #[test]
    fn local_times_follow_the_change_to_summer_time() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        let mut day = clock(TimeFormat::Clock, berlin, false);
        assert_eq!(text(&mut day, 0), "01:59:59");
        assert_eq!(text(&mut day, SECOND - 1), "01:59:59");
        assert_eq!(text(&mut day, SECOND), "03:00:00");
        // Records of two CPUs may arrive in reverse order.
        assert_eq!(text(&mut day, SECOND - 1), "01:59:59");

        let mut iso = clock(TimeFormat::Iso, berlin, false);
        assert_eq!(text(&mut iso, 42), "2026-03-29T01:59:59.000000042+01:00");
        assert_eq!(
            text(&mut iso, SECOND + 123_456_789),
            "2026-03-29T03:00:00.123456789+02:00"
        );
    }

    #[test]
    fn offsets_west_of_greenwich_and_utc_are_written_as_rfc_3339_says() {
        let mut west = clock(TimeFormat::Iso, "NST3:30", false);
        assert_eq!(text(&mut west, 0), "2026-03-28T21:29:59.000000000-03:30");
        let mut utc = clock(TimeFormat::Iso, "UTC0", true);
        assert_eq!(text(&mut utc, 7), "2026-03-29T00:59:59.000000007Z");
    }

    #[test]
    fn relative_times_count_from_the_start() {
        let mut relative = clock(TimeFormat::Relative, "UTC0", false);
        assert_eq!(text(&mut relative, 5 * SECOND), "0.000000");
        assert_eq!(text(&mut relative, 17 * SECOND + 345_678_999), "12.345678");
        // A check made before the clock was read must not appear far in the future.
        assert_eq!(text(&mut relative, SECOND), "0.000000");
    }

    #[test]
    fn a_step_of_the_wall_clock_shows_from_the_next_second_on() {
        use std::sync::atomic::{AtomicI64, Ordering};
        static DISTANCE: AtomicI64 = AtomicI64::new(BEFORE_SUMMER);
        let sample = || Some(DISTANCE.load(Ordering::Relaxed));
        let mut clock = Clock::with(TimeFormat::Clock, TimeZone::UTC, true, 0, sample);
        assert_eq!(text(&mut clock, 0), "00:59:59");
        DISTANCE.fetch_add(3600 * SECOND as i64, Ordering::Relaxed);
        assert_eq!(text(&mut clock, 1), "00:59:59");
        assert_eq!(text(&mut clock, SECOND), "02:00:00");
    }

    #[test]
    fn a_zone_is_a_file_with_an_end_or_no_file() {
        for endless in ["/dev/zero", ":/dev/zero", "/"] {
            assert!(names_endless_file(OsStr::new(endless)), "{endless}");
        }
        for zone in ["", "Europe/Berlin", "CET-1CEST", "/etc/passwd"] {
            assert!(!names_endless_file(OsStr::new(zone)), "{zone}");
        }
    }

    #[test]
    fn the_time_of_now_is_the_time_of_now() {
        let mut clock = Clock::new(TimeFormat::Iso, true);
        let now = text(&mut clock, nanoseconds(ClockId::Monotonic) as u64);
        let shown: Timestamp = now.parse().unwrap();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let late = wall.as_nanos() as i128 - shown.as_nanosecond();
        assert!(
            (-1_000_000..1_000_000_000).contains(&late),
            "{late} ns late"
        );
    }
}
