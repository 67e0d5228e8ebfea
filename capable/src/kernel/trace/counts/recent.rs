//! What processors counted lately and have not yet added to the table of counts
//! (capable-ebpf/src/count.rs).

use std::collections::HashMap;

use aya::maps::{MapData, PerCpuArray};
use capable_common::{Count, CountKey, RECENT, Recent};

use super::{error::CountsError, sum::sum};
use crate::kernel::bpf::object::Object;

/// An entry, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct PodRecent(Recent);

// SAFETY: the entry is made of integers and has no padding (capable-common pins its size).
unsafe impl aya::Pod for PodRecent {}

/// The entries of all processors.
pub struct RecentCounts(PerCpuArray<MapData, PodRecent>);

/// What was read of them, always in the same order.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading(Vec<Recent>);

impl RecentCounts {
    /// Takes them out of an object.
    pub fn open(object: &mut Object) -> Result<Self, CountsError> {
        Ok(Self(object.take_map("RECENT")?))
    }

    /// Reads them.
    pub fn read(&self) -> Result<Reading, CountsError> {
        let mut all = Vec::new();
        for place in 0..RECENT {
            let processors = self
                .0
                .get(&place, 0)
                .map_err(|error| CountsError::Map("RECENT", error))?;
            all.extend(processors.iter().map(|PodRecent(recent)| *recent));
        }
        Ok(Reading(all))
    }
}

impl Reading {
    /// Whether every entry is for the same checks as in another reading: none was moved to the
    /// table in between.
    pub fn has_same_keys(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.all(|(one, other)| one.key == other.key && one.count.first == other.count.first)
    }

    /// Whether they include checks of this process or cgroup.
    pub fn has_subject(&self, subject: u64) -> bool {
        let mut used = self.0.iter().filter(|recent| recent.count.first != 0);
        used.any(|recent| recent.key.subject == subject)
    }

    /// Adds them to what was read from the table.
    pub fn add_to(&self, counts: &mut Vec<(CountKey, Count)>) {
        let mut places: HashMap<CountKey, usize> = counts
            .iter()
            .enumerate()
            .map(|(place, (key, _))| (*key, place))
            .collect();
        // An entry that is being changed has one check, which the next reading will include.
        for recent in self.0.iter().filter(|recent| recent.count.first != 0) {
            let place = *places.entry(recent.key).or_insert(counts.len());
            match counts.get_mut(place) {
                Some((_, count)) => *count = sum([*count, recent.count].into_iter()),
                None => counts.push((recent.key, recent.count)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use capable_common::SYSCALL_NONE;

    use super::*;

    fn recent(subject: u64, checks: u64, first: u64) -> Recent {
        Recent {
            key: CountKey {
                subject,
                caller: 0,
                flags: 0,
                capability: 7,
                result: 0,
                syscall: SYSCALL_NONE,
                comm: [0; 16],
            },
            count: Count { checks, first },
        }
    }

    #[test]
    fn what_is_not_yet_in_the_table_is_added_and_what_is_being_changed_is_not() {
        let table = recent(1, 100, 50);
        let mut counts = vec![(table.key, table.count)];
        let entries = [
            recent(1, 3, 40),
            recent(2, 5, 60),
            recent(3, 9, 0),
            recent(2, 1, 55),
        ];
        Reading(entries.to_vec()).add_to(&mut counts);
        let found: Vec<_> = counts
            .iter()
            .map(|(key, count)| (key.subject, count.checks, count.first))
            .collect();
        assert_eq!(found, [(1, 103, 40), (2, 6, 55)]);
    }

    #[test]
    fn a_reading_tells_whether_an_entry_was_taken_by_other_checks_meanwhile() {
        let reading = |recent| Reading(vec![recent]);
        let before = reading(recent(1, 3, 40));
        assert!(before.has_same_keys(&reading(recent(1, 8, 40))));
        assert!(!before.has_same_keys(&reading(recent(2, 1, 70))));
        // The same checks came back after others had been there.
        assert!(!before.has_same_keys(&reading(recent(1, 1, 90))));
        assert!(before.has_subject(1) && !before.has_subject(2));
        assert!(!reading(recent(1, 3, 0)).has_subject(1));
    }
}
