//! Rows that repeat, folded for somebody who watches a terminal: the first is shown at once, and then
//! at most one a second, with how many checks it stands for.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How often a row that repeats is shown.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many different rows are kept apart. Beyond that, all are shown and it begins anew.
const DIFFERENT: usize = 1024;

/// Folds the rows of a trace.
pub struct Folding {
    /// The width of the time, which each row begins with.
    time: usize,
    rows: HashMap<Vec<u8>, Repeated>,
}

/// A row that was shown.
struct Repeated {
    shown: Instant,
    /// The last of those that were not, and how many there were.
    last: Vec<u8>,
    held: u64,
}

impl Folding {
    /// For rows that differ in their first bytes, the time, if they are otherwise the same.
    pub fn new(time: usize) -> Self {
        Self {
            time,
            rows: HashMap::new(),
        }
    }

    /// Takes the row that was written last, from `start` on: leaves it there, or holds it.
    pub fn take(&mut self, out: &mut Vec<u8>, start: usize, now: Instant) {
        let row = &out[start..];
        let key = row.get(self.time..).unwrap_or(row);
        if let Some(known) = self.rows.get_mut(key)
            && (known.held > 0 || now.duration_since(known.shown) < INTERVAL)
        {
            known.held += 1;
            known.last.clear();
            known.last.extend_from_slice(row);
            out.truncate(start);
            return;
        }
        let (key, row) = (key.to_owned(), row.to_owned());
        if self.rows.len() >= DIFFERENT {
            out.truncate(start);
            self.show(out, |_| true, now);
            self.rows.clear();
            out.extend_from_slice(&row);
        }
        let repeated = Repeated {
            shown: now,
            last: Vec::new(),
            held: 0,
        };
        self.rows.insert(key, repeated);
    }

    /// When the next rows that are held are to be shown.
    pub fn due(&self) -> Option<Instant> {
        let held = self.rows.values().filter(|row| row.held > 0);
        held.map(|row| row.shown + INTERVAL).min()
    }

    /// Shows those that are due.
    pub fn show_due(&mut self, out: &mut Vec<u8>, now: Instant) {
        self.show(out, |row| now.duration_since(row.shown) >= INTERVAL, now);
        self.rows
            .retain(|_, row| now.duration_since(row.shown) < INTERVAL);
    }

    /// Shows all.
    pub fn show_all(&mut self, out: &mut Vec<u8>, now: Instant) {
        self.show(out, |_| true, now);
    }

    fn show(&mut self, out: &mut Vec<u8>, which: impl Fn(&Repeated) -> bool, now: Instant) {
        let mut rows: Vec<_> = self
            .rows
            .values_mut()
            .filter(|row| row.held > 0 && which(row))
            .collect();
        // By their time, which they begin with.
        rows.sort_by(|one, other| one.last.cmp(&other.last));
        for row in rows {
            match (row.held, self.time) {
                (1, _) => out.extend_from_slice(&row.last),
                // Stacks are on lines of their own.
                (held, 0) => {
                    let line = row.last.iter().position(|&byte| byte == b'\n');
                    let (line, rest) = row.last.split_at(line.unwrap_or(row.last.len()));
                    out.extend_from_slice(line);
                    out.extend_from_slice(format!(" ×{held}").as_bytes());
                    out.extend_from_slice(rest);
                }
                // In place of the time, the row stays as wide as the terminal.
                (held, time) => {
                    out.extend_from_slice(format!("{:>time$}", format!("×{held}")).as_bytes());
                    out.extend_from_slice(row.last.get(time..).unwrap_or_default());
                }
            }
            (row.held, row.shown) = (0, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with their times in seconds, as they are shown at these.
    fn shown(rows: &[(u64, &str)]) -> String {
        let begin = Instant::now();
        let mut folding = Folding::new(4);
        let mut out = Vec::new();
        for (second, row) in rows {
            let now = begin + Duration::from_secs(*second);
            folding.show_due(&mut out, now);
            let start = out.len();
            out.extend_from_slice(format!("{second:>4} {row}\n").as_bytes());
            folding.take(&mut out, start, now);
        }
        folding.show_all(&mut out, begin + Duration::from_secs(9));
        assert_eq!(folding.due(), None);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_is_shown_at_once_and_its_repeats_together_after_a_second() {
        assert_eq!(
            shown(&[(0, "a"), (0, "a"), (0, "b"), (0, "a"), (1, "c"), (5, "a")]),
            "   0 a\n   0 b\n  ×2 a\n   1 c\n   5 a\n"
        );
    }

    #[test]
    fn rows_that_come_once_a_second_are_all_shown() {
        let rows = [(0, "a"), (1, "a"), (2, "a")];
        assert_eq!(shown(&rows), "   0 a\n   1 a\n   2 a\n");
    }

    #[test]
    fn the_count_is_in_place_of_the_time_and_no_check_is_lost() {
        let rows: Vec<_> = std::iter::repeat_n((0, "a\n  frame"), 377).collect();
        assert_eq!(shown(&rows), "   0 a\n  frame\n×376 a\n  frame\n");
    }

    #[test]
    fn more_rows_than_are_kept_apart_are_shown_all_the_same() {
        let mut folding = Folding::new(0);
        let (mut out, now) = (Vec::new(), Instant::now());
        for number in 0..2 * DIFFERENT {
            for _ in 0..2 {
                let start = out.len();
                out.extend_from_slice(format!("{number}\n").as_bytes());
                folding.take(&mut out, start, now);
            }
            assert!(folding.rows.len() <= DIFFERENT);
        }
        folding.show_all(&mut out, now);
        let lines = String::from_utf8(out).unwrap();
        assert_eq!(lines.lines().count(), 4 * DIFFERENT);
    }

    #[test]
    fn without_a_time_the_count_is_at_the_end() {
        let mut folding = Folding::new(0);
        let (mut out, now) = (Vec::new(), Instant::now());
        for _ in 0..3 {
            let start = out.len();
            out.extend_from_slice(b"a\n");
            folding.take(&mut out, start, now);
        }
        folding.show_all(&mut out, now);
        assert_eq!(String::from_utf8(out).unwrap(), "a\na ×2\n");
    }
}
