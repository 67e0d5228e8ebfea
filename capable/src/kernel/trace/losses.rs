//! The only place that accounts for losses: everything that a trace knows to be missing, by cause,
//! in words that every command uses.

use std::fmt;

use capable_common::Counters;

use super::attach::Missed;
pub use super::cause::{Cause, LossEffect};

/// Something that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Why.
    pub cause: Cause,
    /// How much; `None` if the kernel does not tell.
    pub count: Option<u64>,
}

/// Everything that is missing, with a loss for each cause. Empty if nothing is known to be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// The losses that the kernel side counted and those that the kernel counted.
    pub(crate) fn of(counters: &Counters, missed: Missed) -> Self {
        let Counters {
            passed: _,
            filtered: _,
            repeated: _,
            lost_full,
            lost_hotplug,
            lost_life,
            lost_life_hotplug,
            lost_stacks,
            lost_pairs,
            // Added to `lost_pairs` when the counters are read.
            unreturned: _,
            lost_counts,
            lost_processes,
            unique_full,
            lost_cgroups,
            undecided,
        } = *counters;
        let Missed {
            checks,
            outcomes,
            uncounted,
        } = missed;
        let counted = [
            (Cause::BufferFull, lost_full),
            (Cause::Hotplug, lost_hotplug),
            (Cause::ReturnMissed, lost_pairs),
            (Cause::HookSkipped, checks),
            (Cause::CountsFull, lost_counts),
            (Cause::ProcessesFull, lost_processes),
            (Cause::CgroupsFull, lost_cgroups),
            (Cause::StepsBufferFull, lost_life),
            (Cause::StepsHotplug, lost_life_hotplug),
            (Cause::UniqueFull, unique_full),
            (Cause::StackFailed, lost_stacks),
            (Cause::OutcomeSkipped, outcomes),
            (Cause::AuditUnknown, undecided),
        ];
        let mut losses: Vec<Loss> = counted
            .into_iter()
            .filter(|&(_, count)| count > 0)
            .map(|(cause, count)| Loss {
                cause,
                count: Some(count),
            })
            .collect();
        if uncounted {
            losses.push(Loss {
                cause: Cause::SkipsUncounted,
                count: None,
            });
        }
        Self(losses)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Loss> {
        self.0.iter().copied()
    }

    /// How much is missing by a cause, as far as that is known.
    pub fn by(&self, cause: Cause) -> u64 {
        self.sum(|other| other == cause)
    }

    /// How many checks are missing among records.
    pub fn records(&self) -> u64 {
        self.sum(|cause| cause.takes_checks() && cause != Cause::CountsFull)
    }

    /// How many checks are missing among counts, which go through no buffer.
    pub fn counts(&self) -> u64 {
        self.sum(|cause| {
            cause.takes_checks() && !matches!(cause, Cause::BufferFull | Cause::Hotplug)
        })
    }

    fn sum(&self, which: impl Fn(Cause) -> bool) -> u64 {
        self.iter()
            .filter(|loss| which(loss.cause))
            .filter_map(|loss| loss.count)
            .sum()
    }
}

impl fmt::Display for Loss {
    /// A sentence without its full stop: `lost 3 checks: the buffer was full (try --buffer-size)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, count } = *self;
        let why = cause.why();
        let Some(count) = count else {
            return f.write_str(why);
        };
        let noun = match (count, cause.nouns()) {
            (1, (one, _)) => one,
            (_, (_, several)) => several,
        };
        match (cause, cause.effect()) {
            (Cause::UniqueFull, _) => {
                write!(f, "could not tell {count} {noun} from repeats: {why}")
            }
            (Cause::AuditUnknown, _) => write!(f, "left out {count} {noun}: {why}"),
            (_, LossEffect::Missing) => write!(f, "lost {count} {noun}: {why}"),
            (_, LossEffect::Unknown) => {
                let are = if count == 1 { "is" } else { "are" };
                write!(f, "{count} {noun} {are} unknown: {why}")
            }
        }?;
        match cause.remedy() {
            Some(remedy) => write!(f, " ({remedy})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Every cause at once, each with a different number. All fields are written out, so that a new
    /// counter must be considered here.
    pub(crate) fn every_cause() -> Losses {
        let counters = Counters {
            passed: 1000,
            filtered: 1000,
            repeated: 1000,
            lost_full: 101,
            lost_hotplug: 102,
            lost_life: 103,
            lost_life_hotplug: 104,
            lost_stacks: 105,
            lost_pairs: 106,
            unreturned: 1000,
            lost_counts: 107,
            lost_processes: 108,
            unique_full: 109,
            lost_cgroups: 112,
            undecided: 113,
        };
        let missed = Missed {
            checks: 110,
            outcomes: 111,
            uncounted: true,
        };
        Losses::of(&counters, missed)
    }

    #[test]
    fn every_counter_of_losses_is_in_the_account_by_a_cause_of_its_own() {
        let mut counts: Vec<_> = every_cause().iter().map(|loss| loss.count).collect();
        counts.sort();
        let expected: Vec<_> = [None].into_iter().chain((101..=113).map(Some)).collect();
        assert_eq!(counts, expected);
        let none = Losses::of(&Counters::default(), Missed::default());
        assert_eq!(none, Losses::default());
    }

    #[test]
    fn what_is_missing_among_records_need_not_be_among_counts() {
        let all = every_cause();
        assert_eq!(all.records(), 101 + 102 + 106 + 110);
        assert_eq!(all.counts(), 107 + 106 + 110);
        assert_eq!(all.by(Cause::OutcomeSkipped), 111);
    }

    #[test]
    fn a_loss_says_how_much_of_what_is_missing_why_and_what_to_do() {
        let said = |cause, count| Loss { cause, count }.to_string();
        assert_eq!(
            said(Cause::BufferFull, Some(1)),
            "lost 1 check: the buffer was full (try --buffer-size)"
        );
        assert_eq!(
            said(Cause::ProcessesFull, Some(3)),
            "lost 3 processes: the table of processes was full, so that they and their descendants \
             were not followed"
        );
        assert_eq!(
            said(Cause::UniqueFull, Some(2)),
            "could not tell 2 checks from repeats: the table of what was shown was full (try a \
             filter)"
        );
        assert_eq!(
            said(Cause::StackFailed, Some(2)),
            "2 stacks are unknown: the kernel could not capture them"
        );
        assert_eq!(
            said(Cause::AuditUnknown, Some(2)),
            "left out 2 checks: it is not known whether they are audited (-v shows them; \
             CAP_SYSLOG may tell, see capable doctor)"
        );
        assert_eq!(
            said(Cause::SkipsUncounted, None),
            "this kernel does not count the checks that it skips"
        );
    }
}
