//! Adds up: identical checks become one observation.

use indexmap::IndexMap;

use super::{Case, Observation};

/// Cases with what was observed for each, in the order of first appearance.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    cases: IndexMap<Case, Amount>,
}

/// How often, and since when.
#[derive(Clone, Copy, Debug)]
struct Amount {
    count: u64,
    first: u64,
}

impl Tally {
    /// Adds an observation: counts are summed, and the earliest time is kept.
    pub fn add(&mut self, observation: Observation) {
        let Observation { case, count, first } = observation;
        self.cases
            .entry(case)
            .and_modify(|amount| {
                amount.count = amount.count.saturating_add(count);
                amount.first = amount.first.min(first);
            })
            .or_insert(Amount { count, first });
    }

    /// How many cases there are.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// What was observed for each case.
    pub fn into_observations(self) -> impl Iterator<Item = Observation> {
        self.cases
            .into_iter()
            .map(|(case, Amount { count, first })| Observation { case, count, first })
    }
}

impl Extend<Observation> for Tally {
    fn extend<I: IntoIterator<Item = Observation>>(&mut self, observations: I) {
        for observation in observations {
            self.add(observation);
        }
    }
}

impl FromIterator<Observation> for Tally {
    fn from_iter<I: IntoIterator<Item = Observation>>(observations: I) -> Self {
        let mut tally = Self::default();
        tally.extend(observations);
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        capability::Capability,
        profile::{Phase, observation::tests::granted},
    };

    #[test]
    fn checks_that_are_alike_are_added_up() {
        let one = granted(Capability::NET_RAW, "packet_create", "socket");
        let other = Case {
            phase: Phase::Starting,
            ..one.clone()
        };
        let observed = |case: &Case, count, first| Observation {
            case: case.clone(),
            count,
            first,
        };
        let tally: Tally = [
            observed(&one, 1, 7),
            observed(&other, 1, 8),
            observed(&one, 4, 5),
        ]
        .into_iter()
        .collect();
        let added: Vec<Observation> = tally.into_observations().collect();
        assert_eq!(added, [observed(&one, 5, 5), observed(&other, 1, 8)]);
    }
}
