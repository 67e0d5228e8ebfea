//! One reading of the counters, and how they changed since the previous one.

use std::{collections::HashMap, time::Duration};

use crate::{
    commands::alike::{Alike, totals},
    session::{Counted, Who},
};

/// How many checks there were: in total, and since the previous reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// In total.
    pub total: u64,
    /// Since the previous reading.
    pub new: u64,
}

impl std::ops::AddAssign for Checks {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.new += other.new;
    }
}

/// A reading.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The checks by what they have in common.
    pub checks: HashMap<Alike, Checks>,
    /// All of them.
    pub all: Checks,
    /// The time since the previous reading.
    pub elapsed: Duration,
}

impl Sample {
    /// The next reading: counters never decrease, so what they grew by is new.
    pub fn next(&self, counted: &[Counted], elapsed: Duration) -> Self {
        let mut next = Self {
            elapsed,
            ..Self::default()
        };
        for (alike, total) in totals(counted) {
            let before = self.checks.get(&alike).map_or(0, |before| before.total);
            let new = total.saturating_sub(before);
            let checks = Checks { total, new };
            next.checks.insert(alike, checks);
            next.all += checks;
        }
        next
    }

    /// Merges the checks of processes that ended, by name, as the table now does.
    pub fn fold(&mut self, ended: &HashMap<Who, Who>) {
        for (alike, checks) in std::mem::take(&mut self.checks) {
            let who = ended.get(&alike.who).copied().unwrap_or(alike.who);
            *self.checks.entry(Alike { who, ..alike }).or_default() += checks;
        }
    }

    /// Checks per second.
    pub fn rate(&self, checks: Checks) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            checks.new as f64 / seconds
        } else {
            0.0
        }
    }
}
