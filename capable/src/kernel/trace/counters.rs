//! What happened to the checks, added up over the processors.

use aya::maps::{MapData, MapError, PerCpuArray};
use capable_common::Counters;

/// The kernel side's counters.
pub struct CounterTable(pub(super) PerCpuArray<MapData, PodCounters>);

/// Counters, as aya takes them.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct PodCounters(Counters);

// SAFETY: the counters are integers without padding.
unsafe impl aya::Pod for PodCounters {}

impl CounterTable {
    /// Reads them, either after the hooks are `detached` or while they are active.
    pub fn read(&self, detached: bool) -> Result<Counters, MapError> {
        let processors = self.0.get(&0, 0)?;
        let sum = processors
            .iter()
            .fold(Counters::default(), |sum, PodCounters(one)| add(sum, *one));
        Ok(with_pairs(sum, detached))
    }
}

/// Works out what the pair of probes lost. While it is attached, an entry without a return may be a
/// check that is still running; once it is detached, each is a check whose return was missed. The
/// kernel side counts only checks that returned as passed.
fn with_pairs(sum: Counters, detached: bool) -> Counters {
    let lost_pairs = if detached {
        sum.unreturned
    } else {
        sum.lost_pairs
    };
    Counters {
        passed: sum.passed + lost_pairs,
        lost_pairs,
        ..sum
    }
}

fn add(sum: Counters, one: Counters) -> Counters {
    let Counters {
        passed,
        filtered,
        repeated,
        lost_full,
        lost_hotplug,
        lost_life,
        lost_life_hotplug,
        lost_stacks,
        lost_pairs,
        unreturned,
        lost_counts,
        lost_processes,
        unique_full,
        lost_cgroups,
        undecided,
    } = one;
    Counters {
        passed: sum.passed + passed,
        filtered: sum.filtered + filtered,
        repeated: sum.repeated + repeated,
        lost_full: sum.lost_full + lost_full,
        lost_hotplug: sum.lost_hotplug + lost_hotplug,
        lost_life: sum.lost_life + lost_life,
        lost_life_hotplug: sum.lost_life_hotplug + lost_life_hotplug,
        lost_stacks: sum.lost_stacks + lost_stacks,
        lost_pairs: sum.lost_pairs + lost_pairs,
        unreturned: sum.unreturned.wrapping_add(unreturned),
        lost_counts: sum.lost_counts + lost_counts,
        lost_processes: sum.lost_processes + lost_processes,
        unique_full: sum.unique_full + unique_full,
        lost_cgroups: sum.lost_cgroups + lost_cgroups,
        undecided: sum.undecided + undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Counters {
        Counters {
            passed: 95,
            lost_pairs: 2,
            unreturned: 5,
            ..Counters::default()
        }
    }

    #[test]
    fn a_check_that_has_not_returned_yet_is_not_lost() {
        let Counters {
            passed, lost_pairs, ..
        } = with_pairs(pairs(), false);
        assert_eq!((passed, lost_pairs), (97, 2));
    }

    #[test]
    fn each_entry_without_return_is_one_lost_check_at_the_end() {
        let Counters {
            passed, lost_pairs, ..
        } = with_pairs(pairs(), true);
        assert_eq!((passed, lost_pairs), (100, 5));
    }

    #[test]
    fn a_return_on_another_processor_balances_its_entry() {
        let one = |unreturned| Counters {
            unreturned,
            ..Counters::default()
        };
        assert_eq!(add(one(3), one(u64::MAX - 1)).unreturned, 1);
    }
}
