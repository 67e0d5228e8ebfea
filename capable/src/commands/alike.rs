//! Counted checks in the form that tables show: checks of the same process, for the same capability
//! and with the same result form one row.

use std::collections::HashMap;

use crate::{
    capability::Capability,
    event::Decision,
    session::{Counted, Who},
};

/// What the checks of the most detailed kind of row have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alike {
    /// Who asked.
    pub who: Who,
    /// The id of the cgroup, if it is counted.
    pub cgroup: Option<u64>,
    /// The capability.
    pub capability: Capability,
    /// The result.
    pub decision: Decision,
}

impl Alike {
    /// What the checks of a row of the kernel's table have in common.
    pub fn of(row: &Counted) -> Self {
        Self {
            who: row.who,
            cgroup: row.cgroup,
            capability: row.facts.capability,
            decision: Decision::of(row.facts.verdict),
        }
    }
}

/// How many such checks there are.
pub fn totals(counted: &[Counted]) -> HashMap<Alike, u64> {
    let mut totals = HashMap::new();
    for row in counted {
        *totals.entry(Alike::of(row)).or_default() += row.checks;
    }
    totals
}
