//! What a trace says on stderr: how it traces, what it cannot show, what it loses, and the sum.

use std::time::{Duration, Instant};

use capable_common::Counters;

use crate::{
    commands::{print::say, tracing::told},
    session::{Missed, Session, SessionError, Streaming, Summary},
};

/// How often losses and progress are looked at while rows come.
const INTERVAL: Duration = Duration::from_secs(1);

/// The running account.
pub struct Progress {
    progress: bool,
    next: Instant,
    lost: u64,
    previous: (Instant, u64),
}

/// Every check that is known to be missing from the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    full: u64,
    pairs: u64,
    skipped: u64,
}

impl Losses {
    /// Adds up the kernel side's counters and the kernel's own.
    pub fn of(counters: &Counters, missed: Missed) -> Self {
        Self {
            full: counters.lost_full,
            pairs: counters.lost_pairs,
            skipped: missed.checks,
        }
    }

    /// All of them.
    pub fn total(self) -> u64 {
        self.full + self.pairs + self.skipped
    }

    /// The causes, for people.
    fn causes(self) -> String {
        let Self {
            full,
            pairs,
            skipped,
        } = self;
        let causes = [
            (full, "the buffer was full: try --buffer-size"),
            (pairs, "their return was missed"),
            (skipped, "the kernel skipped the hook"),
        ];
        let causes: Vec<String> = causes
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, cause)| format!("{count}: {cause}"))
            .collect();
        if causes.is_empty() {
            String::new()
        } else {
            format!(" ({})", causes.join("; "))
        }
    }
}

impl Progress {
    /// Says how the trace works and what it cannot show. A line of `progress` is for where rows go
    /// elsewhere than to the terminal.
    pub fn begin(progress: bool, session: &Session<Streaming>, gaps: &[String]) -> Self {
        for line in told::lines(session.plan(), gaps.iter().chain(session.gaps())) {
            say(format_args!("capable: {line}\n"));
        }
        let now = Instant::now();
        Self {
            progress,
            next: now + INTERVAL,
            lost: 0,
            previous: (now, 0),
        }
    }

    /// Once a second while rows come: new losses, and progress.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn tick(&mut self, session: &Session<Streaming>, shown: u64) -> Result<(), SessionError> {
        let now = Instant::now();
        if now < self.next {
            return Ok(());
        }
        self.next = now + INTERVAL;
        let counters = session.counters()?;
        let losses = Losses::of(&counters, session.missed());
        if losses.total() > self.lost {
            let clear = if self.progress { "\r\x1b[K" } else { "" };
            say(format_args!(
                "{clear}capable: lost {} checks so far{}\n",
                losses.total(),
                losses.causes()
            ));
            self.lost = losses.total();
        }
        if self.progress {
            let (since, before) = self.previous;
            let seconds = now.duration_since(since).as_secs_f64();
            let rate = (counters.seen() - before) as f64 / seconds;
            say(format_args!(
                "\r\x1b[K{} checks seen, {shown} rows, {rate:.0} checks/s, {} lost",
                counters.seen(),
                self.lost
            ));
            self.previous = (now, counters.seen());
        }
        Ok(())
    }

    /// The sum, in one line.
    pub fn end(&self, happened: &Summary, shown: u64) {
        let Summary {
            counters, missed, ..
        } = *happened;
        let losses = Losses::of(&counters, missed);
        if self.progress {
            say(format_args!("\r\x1b[K"));
        }
        let mut line = format!(
            "capable: {} checks seen, {shown} shown, {} lost{}",
            counters.seen() + losses.skipped,
            losses.total(),
            losses.causes()
        );
        let extra = [
            (counters.lost_stacks, "stacks could not be captured"),
            (counters.unique_full, "times the table of what was shown was full"),
        ];
        for (count, what) in extra {
            if count > 0 {
                line.push_str(&format!("; {count} {what}"));
            }
        }
        if missed.uncounted {
            line.push_str("; this kernel does not count the checks that it skips");
        }
        say(format_args!("{line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_of_loss_is_named_and_added_up() {
        let counters = Counters {
            lost_full: 3,
            lost_pairs: 2,
            ..Counters::default()
        };
        let losses = Losses::of(
            &counters,
            Missed {
                checks: 4,
                outcomes: 0,
                uncounted: false,
            },
        );
        assert_eq!(losses.total(), 9);
        for cause in [
            "3: the buffer was full",
            "2: their return",
            "4: the kernel skipped",
        ] {
            assert!(losses.causes().contains(cause), "{}", losses.causes());
        }
        assert_eq!(Losses::default().causes(), "");
    }
}
