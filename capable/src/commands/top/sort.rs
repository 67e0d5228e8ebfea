//! The order of the rows.

use std::cmp::{Ordering, Reverse};

use clap::ValueEnum;

use super::group::Row;
use crate::session::Who;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Checks per second, highest first
    Rate,
    /// Total of checks, highest first
    Total,
    /// Number of the process
    Pid,
    /// Name of the task, the capability or the cgroup
    Name,
    /// Result, denied first
    Result,
}

impl Sort {
    /// As part of a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Total => "total",
            Self::Pid => "pid",
            Self::Name => "name",
            Self::Result => "result",
        }
    }

    /// Sorts rows. Equal rows are sorted by rate, then by total, then by everything that tells rows
    /// apart, so that a row that did not change does not move.
    pub fn apply(self, rows: &mut [Row], reversed: bool) {
        rows.sort_by(|one, other| {
            let first = self.compare(one, other);
            let first = if reversed { first.reverse() } else { first };
            first
                .then_with(|| Self::Rate.compare(one, other))
                .then_with(|| Self::Total.compare(one, other))
                .then_with(|| one.name.cmp(&other.name))
                .then_with(|| tie(one).cmp(&tie(other)))
        });
    }

    fn compare(self, one: &Row, other: &Row) -> Ordering {
        match self {
            Self::Rate => other.checks.new.cmp(&one.checks.new),
            Self::Total => other.checks.total.cmp(&one.checks.total),
            Self::Pid => pid(one).cmp(&pid(other)),
            Self::Name => one.name.cmp(&other.name),
            Self::Result => denied_first(one).cmp(&denied_first(other)),
        }
    }
}

/// The process, if a row is about one; rows about none come last.
fn pid(row: &Row) -> (bool, u32) {
    match row.key.who {
        Some(Who::Process(id, _)) => (false, id.pid),
        _ => (true, 0),
    }
}

/// Rows that stand for a result sort by it, others by the number of denials.
fn denied_first(row: &Row) -> impl Ord + use<> {
    match row.key.decision {
        Some(decision) => (Some(decision), Reverse(0)),
        None => (None, Reverse(row.denied.unwrap_or(0))),
    }
}

fn tie(row: &Row) -> impl Ord + use<> {
    (row.key.who, row.key.capability, row.key.decision)
}
