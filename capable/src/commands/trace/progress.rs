//! What a trace reports on stderr: how it traces, what it cannot show, what it loses, and the
//! totals.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use crate::{
    commands::{
        print::say,
        tracing::{
            Wanted,
            told::{self, Growth, Starts},
        },
    },
    session::{Cause, Session, SessionError, Streaming, Summary},
};

/// How often losses and progress are checked while rows come in.
const INTERVAL: Duration = Duration::from_secs(1);

/// After which time without a row it is said, once and on a terminal, what was seen.
const SILENCE: Duration = Duration::from_secs(5);

/// Clears the progress line.
const CLEAR: &str = "\r\x1b[K";

/// The state of these reports.
pub struct Progress {
    progress: bool,
    next: Instant,
    growth: Growth,
    starts: Starts,
    previous: (Instant, u64),
    /// When it is said that no row was shown, unless one is.
    silence: Option<Instant>,
}

impl Progress {
    /// Reports how the trace works and what it cannot show. The `progress` line is for traces whose
    /// rows do not go to the terminal.
    pub fn begin(progress: bool, session: &Session<Streaming>, gaps: &[String]) -> Self {
        for line in told::lines(session.plan(), gaps.iter().chain(session.gaps())) {
            say(format_args!("capable: {line}\n"));
        }
        let now = Instant::now();
        Self {
            progress,
            next: now + INTERVAL,
            growth: Growth::default(),
            starts: Starts::default(),
            previous: (now, 0),
            silence: io::stderr().is_terminal().then(|| now + SILENCE),
        }
    }

    /// Called while rows come in: once a second, reports new losses and progress.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn tick(
        &mut self,
        session: &Session<Streaming>,
        shown: u64,
        wanted: &Wanted,
    ) -> Result<(), SessionError> {
        let now = Instant::now();
        if let Some(then) = self.silence
            && (shown > 0 || now >= then)
        {
            self.silence = None;
            if shown == 0 {
                let line = silent(session.seen()?, wanted);
                say(format_args!("capable: {line}\n"));
            }
        }
        if now < self.next {
            return Ok(());
        }
        self.next = now + INTERVAL;
        let losses = session.losses()?;
        let clear = if self.progress { CLEAR } else { "" };
        for line in self.growth.lines(&losses) {
            say(format_args!("{clear}capable: {line}\n"));
        }
        for line in self.starts.lines(&session.followed()?) {
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

    /// When [`Self::tick`] has something to say even if no row comes in.
    pub fn due(&self) -> Option<Instant> {
        self.silence
    }

    /// Reports the totals, and what was lost.
    pub fn end(&self, happened: &Summary, shown: u64, wanted: &Wanted) {
        if self.progress {
            say(format_args!("{CLEAR}"));
        }
        let lines = sum(happened, "shown", shown);
        for line in lines.into_iter().chain(nothing(happened, shown, wanted)) {
            say(format_args!("capable: {line}\n"));
        }
    }
}

/// What was seen, and why none of it was shown.
fn silent(seen: u64, wanted: &Wanted) -> String {
    match seen {
        0 => format!("no check was made in {} s", SILENCE.as_secs()),
        seen => format!(
            "{seen} checks were made in {} s, and none matched the filters: {wanted}",
            SILENCE.as_secs()
        ),
    }
}

/// One line for the totals, and one for each loss and each unit that started. `shown` were what the
/// word says.
pub fn sum(happened: &Summary, word: &str, shown: u64) -> Vec<String> {
    let Summary {
        seen,
        losses,
        followed,
        ..
    } = happened;
    let lost = losses.records();
    let mut lines = vec![format!("{seen} checks seen, {shown} {word}, {lost} lost")];
    lines.extend(losses.iter().map(|loss| loss.to_string()));
    lines.extend(told::starts(followed));
    lines
}

/// Why no row was shown, if checks were made.
pub fn nothing(happened: &Summary, shown: u64, wanted: &Wanted) -> Option<String> {
    let losses = &happened.losses;
    let told = losses.records() > 0 || losses.by(Cause::AuditUnknown) > 0;
    let none = shown == 0 && happened.seen > 0 && !told;
    none.then(|| format!("no check matched the filters: {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::tracing::FilterArgs, session::Losses};

    #[test]
    fn where_nothing_matched_the_filters_are_named() {
        let typed = FilterArgs {
            comms: vec!["nosuchprogram".to_owned()],
            ..FilterArgs::default()
        };
        let wanted = Wanted::of(&typed, false).unwrap();
        let happened = |seen| Summary {
            seen,
            losses: Losses::default(),
            counts: Vec::new(),
            followed: Vec::new(),
        };
        assert_eq!(
            nothing(&happened(9), 0, &wanted).as_deref(),
            Some(
                "no check matched the filters: audited checks only (-v: all); \
                 only name nosuchprogram"
            )
        );
        assert_eq!(
            silent(9, &wanted),
            "9 checks were made in 5 s, and none matched the filters: audited checks only (-v: all); \
             only name nosuchprogram"
        );
        assert_eq!(silent(0, &wanted), "no check was made in 5 s");
        assert_eq!(nothing(&happened(9), 1, &wanted), None);
        assert_eq!(nothing(&happened(0), 0, &wanted), None);
    }
    use crate::kernel::trace::losses::tests::every_cause;

    #[test]
    fn the_sum_names_every_loss() {
        let happened = Summary {
            seen: 2000,
            losses: every_cause(),
            counts: Vec::new(),
            followed: Vec::new(),
        };
        let lines = sum(&happened, "shown", 7);
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
