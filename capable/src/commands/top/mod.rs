//! `capable top`: who makes the most checks, from counters in the kernel.
//!
//! ```text
//! counts ──> sample ──> group ──> sort ──> frame (columns) ──> screen, or text
//! ```

mod args;
mod columns;
mod filters;
mod frame;
mod group;
mod keys;
mod names;
pub(super) mod sample;
mod screen;
mod sort;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    thread,
};

use anyhow::Result;
pub use args::Args;
use capable_common::Counters;
use crossterm::event::{self, Event};
use frame::{Content, View};
use keys::Action;
use names::SystemNames;
use sample::Sample;
use screen::Screen;
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep_until},
};

use super::{
    Usage,
    print::{say, write},
    tracing::{
        block_on, resolve,
        signals::{self, Signals},
    },
};
use crate::{
    kernel::{
        attach::Missed,
        counts::{CountBy, CountSubject},
        filters::Filters,
        plan::{self, Plan, plan},
        trace::calibration,
        tracer::{Request, Tracer, TracerError},
    },
    output::Terminal,
};

/// The first reading comes sooner than the others: nobody wants to look at an empty table.
const FIRST: Duration = Duration::from_millis(500);

/// Shows the counters until the user, a signal or `-n` ends it.
///
/// # Errors
///
/// The options do not work ([`Usage`]), or tracing or the terminal does not.
pub fn run(args: &Args) -> Result<ExitCode> {
    let filters = resolve::filters(&args.filter).map_err(Usage::wrap)?;
    block_on(async {
        let signals = Signals::catch(signals::SCREEN)?;
        let mut top = Top::start(args, filters)?;
        if args.batch || !io::stdout().is_terminal() {
            batch(&mut top, &signals).await?;
        } else {
            interactive(&mut top, &signals).await?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The counters and how they are looked at.
struct Top<'a> {
    args: &'a Args,
    filters: Filters,
    filters_line: String,
    plan: Plan,
    tracer: Tracer,
    subject: CountSubject,
    began: Instant,
    read: Instant,
    sample: Sample,
    counters: Counters,
    missed: Missed,
    view: View,
    names: SystemNames,
    /// How it is counted, and what this kernel does not tell.
    notes: Vec<String>,
}

impl<'a> Top<'a> {
    fn start(args: &'a Args, filters: Filters) -> Result<Self> {
        let wanted = plan::Choice {
            hook: args.tracing.hook,
            transport: args.tracing.transport,
        };
        let plan = plan(&calibration::probe(), &wanted)?;
        let subject = args.group.subject();
        let tracer = tracer(args, &filters, &plan, subject)?;
        let mut notes = vec![plan.to_string()];
        notes.extend(
            plan.unknown
                .iter()
                .map(|unknown| format!("unknown: {}: {}", unknown.what, unknown.lack.reason)),
        );
        notes.extend(tracer.gaps.iter().cloned());
        let now = Instant::now();
        Ok(Self {
            args,
            filters,
            filters_line: filters::line(&args.filter, args.verbose),
            plan,
            tracer,
            subject,
            began: now,
            read: now,
            sample: Sample::default(),
            counters: Counters::default(),
            missed: Missed::default(),
            view: View {
                group: args.group,
                sort: args.sort,
                reversed: false,
                offset: 0,
            },
            names: SystemNames::new(&mut notes),
            notes,
        })
    }

    /// Reads the counters.
    fn read(&mut self) -> Result<(), TracerError> {
        let counted = self.tracer.counts()?;
        let now = Instant::now();
        self.sample = self.sample.next(&counted, now - self.read);
        self.read = now;
        self.counters = self.tracer.counters()?;
        self.missed = self.tracer.missed();
        if counted.len() >= self.args.table_size as usize / 2 {
            self.sample.fold(&self.tracer.fold_ended_counts()?);
        }
        Ok(())
    }

    /// Goes to the next grouping. Where the kernel side has to count by something else, counting
    /// begins anew.
    fn next_group(&mut self) -> Result<()> {
        self.view.group = self.view.group.next();
        self.view.offset = 0;
        let subject = self.view.group.subject();
        if subject != self.subject {
            self.tracer = tracer(self.args, &self.filters, &self.plan, subject)?;
            self.subject = subject;
            self.sample = Sample::default();
            self.counters = Counters::default();
            self.missed = Missed::default();
            self.began = Instant::now();
            self.read = self.began;
        }
        Ok(())
    }

    fn content(&mut self) -> (Content<'_>, &mut SystemNames) {
        let content = Content {
            view: self.view,
            sample: &self.sample,
            counters: self.counters,
            missed: self.missed,
            counting: self.began.elapsed(),
            delay: self.args.delay,
            filters: &self.filters_line,
        };
        (content, &mut self.names)
    }
}

/// Starts counting.
fn tracer(args: &Args, filters: &Filters, plan: &Plan, subject: CountSubject) -> Result<Tracer> {
    let descendants = || {
        let pids = args.filter.pids.iter().filter(|_| args.filter.children);
        pids.flat_map(|&pid| resolve::descendants(pid))
    };
    let mut filters = filters.clone();
    filters.pids.extend(descendants());
    let mut tracer = Tracer::start(&Request {
        audited_only: !args.verbose,
        filters,
        follow: args.filter.children,
        send: false,
        count: Some(CountBy {
            subject,
            origin: false,
            entries: args.table_size,
        }),
        ..Request::of(plan)
    })?;
    // Those that were made while the trace started.
    for pid in descendants() {
        tracer.follow(pid, false)?;
    }
    Ok(tracer)
}

/// Prints each reading; a reader that went away is no error.
async fn batch(top: &mut Top<'_>, signals: &Signals) -> Result<()> {
    for note in &top.notes {
        say(format_args!("capable: {note}\n"));
    }
    let mut next = Instant::now();
    for reading in 0..top.args.iterations.unwrap_or(u64::MAX) {
        next += top.args.delay;
        tokio::select! {
            caught = signals.next() => return caught.map(drop).map_err(Into::into),
            () = sleep_until(next) => {}
        }
        top.read()?;
        let (content, names) = top.content();
        let mut text = content.text(Terminal::of_stdout().width.map(usize::from), names);
        if reading > 0 {
            text.insert(0, '\n');
        }
        if !write(text.as_bytes())? {
            return Ok(());
        }
    }
    Ok(())
}

/// Paints the screen at each reading, key press and change of size.
async fn interactive(top: &mut Top<'_>, signals: &Signals) -> Result<()> {
    let screen = Screen::open()?;
    let mut events = terminal_events();
    let mut next = Instant::now() + FIRST.min(top.args.delay);
    let mut left = top.args.iterations;
    let mut help = false;
    loop {
        let (width, height) = screen.size()?;
        let lines = if help {
            frame::help(&top.notes, width, height)
        } else {
            let (content, names) = top.content();
            let (lines, offset) = content.screen(width, height, names);
            top.view.offset = offset;
            lines
        };
        screen.paint(&lines)?;
        if left == Some(0) {
            return Ok(());
        }
        tokio::select! {
            caught = signals.next() => return caught.map(drop).map_err(Into::into),
            () = sleep_until(next) => {
                top.read()?;
                next = Instant::now() + top.args.delay;
                left = left.map(|left| left - 1);
            }
            event = events.recv() => match event {
                None => return Ok(()),
                Some(Event::Resize(..)) => screen.clear()?,
                Some(Event::Key(_)) if help => help = false,
                Some(Event::Key(key)) => match keys::action(key, top.view.sort) {
                    None => {}
                    Some(Action::Quit) => return Ok(()),
                    Some(Action::Suspend) => screen.suspend()?,
                    Some(Action::Repaint) => screen.clear()?,
                    Some(Action::Help) => help = true,
                    Some(Action::Read) => top.read()?,
                    Some(Action::Group) => {
                        let subject = top.subject;
                        top.next_group()?;
                        if subject != top.subject {
                            next = Instant::now() + FIRST.min(top.args.delay);
                        }
                    }
                    Some(Action::Sort(sort)) => top.view.sort = sort,
                    Some(Action::Reverse) => top.view.reversed = !top.view.reversed,
                    Some(Action::Home) => top.view.offset = 0,
                    Some(Action::Scroll(lines)) => {
                        top.view.offset = top.view.offset.saturating_add_signed(lines);
                    }
                    Some(Action::Page(pages)) => {
                        let lines = pages * height.saturating_sub(6).max(1) as isize;
                        top.view.offset = top.view.offset.saturating_add_signed(lines);
                    }
                },
                Some(_) => {}
            }
        }
    }
}

/// Keys and changes of size, from a thread that sleeps until there is one. It ends with the
/// program; it closes the channel where the terminal is gone.
fn terminal_events() -> mpsc::UnboundedReceiver<Event> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}
