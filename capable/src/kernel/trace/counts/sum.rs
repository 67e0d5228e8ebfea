//! Adds the counts of the processors.

use capable_common::Count;

/// Adds up what the processors counted. The time is the earliest; 0 means that a processor has
/// none.
pub(super) fn sum(processors: impl Iterator<Item = Count>) -> Count {
    processors.fold(Count::default(), |sum, one| Count {
        checks: sum.checks + one.checks,
        first: match (sum.first, one.first) {
            (0, first) | (first, 0) => first,
            (one, other) => one.min(other),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_added_up_and_the_earliest_time_is_the_first() {
        let one = |checks, first| Count { checks, first };
        assert_eq!(
            sum([one(3, 0), one(1, 70), one(2, 50), one(0, 0)].into_iter()),
            one(6, 50)
        );
    }
}
