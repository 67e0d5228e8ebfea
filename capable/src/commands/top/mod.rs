//! `capable top`: who makes the most checks, from counters in the kernel.
//!
//! ```text
//! counts ──> sample ──> group ──> sort ──> frame (columns) ──> screen, or text
//! ```

mod args;
mod columns;
mod frame;
mod group;
mod keys;
mod names;
mod reading;
mod sample;
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
use crossterm::event::{self, Event};
use frame::{Content, View};
use keys::Action;
use names::SystemNames;
use reading::Reading;
use screen::Screen;
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep_until},
};

use super::{
    print::{say, write},
    tracing::{
        Wanted, block_on,
        signals::{self, Signals},
        told,
    },
};
use crate::{output::Terminal, session::Planned};

/// The first reading comes sooner than the others, so that the table is not empty for long.
const FIRST: Duration = Duration::from_millis(500);

/// Shows the counters until the user, a signal or `-n` ends it.
///
/// # Errors
///
/// The options do not work ([`Usage`](super::Usage)), or tracing or the terminal does not.
pub fn run(args: &Args) -> Result<ExitCode> {
    let wanted = Wanted::of(&args.filter, args.verbose)?;
    let planned = wanted.session(&args.tracing)?.plan()?;
    block_on(async {
        let signals = Signals::catch(signals::SCREEN)?;
        let mut top = Top::start(args, &wanted, &planned)?;
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
    filters_line: String,
    reading: Reading,
    view: View,
    names: SystemNames,
    /// How checks are counted, and what this kernel does not tell.
    notes: Vec<String>,
}

impl<'a> Top<'a> {
    fn start(args: &'a Args, wanted: &Wanted, planned: &Planned) -> Result<Self> {
        let reading = Reading::begin(planned, args.table_size)?;
        let mut notes = told::lines(planned.plan(), reading.gaps().iter());
        Ok(Self {
            args,
            filters_line: wanted.to_string(),
            reading,
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

    fn next_group(&mut self) {
        self.view.group = self.view.group.next();
        self.view.offset = 0;
    }

    fn content(&mut self) -> (Content<'_>, &mut SystemNames) {
        let content = Content {
            view: self.view,
            sample: &self.reading.sample,
            losses: self.reading.losses.clone(),
            counting: self.reading.age(),
            delay: self.args.delay,
            filters: &self.filters_line,
            starts: told::starts(&self.reading.followed).collect(),
        };
        (content, &mut self.names)
    }
}

/// Prints each reading; it is not an error if the reader is gone.
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
        top.reading.refresh()?;
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
                top.reading.refresh()?;
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
                    Some(Action::Read) => top.reading.refresh()?,
                    Some(Action::Group) => top.next_group(),
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

/// Key presses and changes of size, from a thread that sleeps until there is one. It ends with the
/// program, and closes the channel if the terminal is gone.
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
