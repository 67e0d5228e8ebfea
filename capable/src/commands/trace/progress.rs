//! What a trace says on stderr: how it traces, what it cannot show, what it loses, and the sum.

use std::time::{Duration, Instant};

use crate::{
    commands::{
        print::say,
        tracing::told::{self, Growth},
    },
    session::{Session, SessionError, Streaming, Summary},
};

/// How often losses and progress are looked at while rows come.
const INTERVAL: Duration = Duration::from_secs(1);

/// Clears the line of progress.
const CLEAR: &str = "\r\x1b[K";

/// The running account.
pub struct Progress {
    progress: bool,
    next: Instant,
    growth: Growth,
    previous: (Instant, u64),
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
            growth: Growth::default(),
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
        let losses = session.losses()?;
        let clear = if self.progress { CLEAR } else { "" };
        for line in self.growth.lines(&losses) {
            say(format_args!("{clear}capable: {line}\n"));
        }
        if self.progress {
            let seen = session.seen()?;
            let (since, before) = self.previous;
            let seconds = now.duration_since(since).as_secs_f64();
            let rate = (seen - before) as f64 / seconds;
            say(format_args!(
                "{CLEAR}{seen} checks seen, {shown} rows, {rate:.0} checks/s, {} lost",
                losses.records()
            ));
            self.previous = (now, seen);
        }
        Ok(())
    }

    /// The sum, and what was lost.
    pub fn end(&self, happened: &Summary, shown: u64) {
        if self.progress {
            say(format_args!("{CLEAR}"));
        }
        for line in sum(happened, shown) {
            say(format_args!("capable: {line}\n"));
        }
    }
}

/// A line for the sum, and one for each loss.
fn sum(happened: &Summary, shown: u64) -> Vec<String> {
    let Summary { seen, losses, .. } = happened;
    let lost = losses.records();
    let mut lines = vec![format!("{seen} checks seen, {shown} shown, {lost} lost")];
    lines.extend(losses.iter().map(|loss| loss.to_string()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::trace::losses::tests::every_cause;

    #[test]
    fn the_sum_names_every_loss() {
        let happened = Summary {
            seen: 2000,
            losses: every_cause(),
            counts: Vec::new(),
        };
        let lines = sum(&happened, 7);
        assert_eq!(
            lines[0],
            format!(
                "2000 checks seen, 7 shown, {} lost",
                every_cause().records()
            )
        );
        let named: Vec<_> = every_cause().iter().map(|loss| loss.to_string()).collect();
        assert_eq!(lines[1..], named);
    }
}
