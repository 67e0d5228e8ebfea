//! What is on the screen: lines of text for a terminal of a given size, and for `--batch`.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{
    columns::{Columns, rate},
    group::{self, Group, Row},
    sample::Sample,
    sort::Sort,
};
use crate::{
    event::{Decision, ProcessId},
    session::{LossEffect, Losses, Who},
};

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As text.
    Plain,
    /// As the title of a table.
    Title,
    /// Emphasised.
    Alarm,
}

/// A line of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text.
    pub text: String,
    /// How it looks.
    pub style: Style,
}

/// How the user wants the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// What a row stands for.
    pub group: Group,
    /// What rows are sorted by.
    pub sort: Sort,
    /// Whether the order is reversed.
    pub reversed: bool,
    /// How many rows are scrolled off the top of the screen.
    pub offset: usize,
}

/// All that a frame shows.
pub struct Content<'a> {
    /// How the user wants it.
    pub view: View,
    /// The reading.
    pub sample: &'a Sample,
    /// What the reading is missing.
    pub losses: Losses,
    /// How long counting has been going on.
    pub counting: Duration,
    /// The time between two readings.
    pub delay: Duration,
    /// The filters, in a sentence.
    pub filters: &'a str,
    /// How often the units that the filters name were started, a sentence each.
    pub starts: Vec<String>,
}

/// The names that a frame looks up in the system.
pub trait NameSource {
    /// The name of a cgroup.
    fn cgroup(&mut self, id: u64) -> Vec<u8>;
    /// The command line of a process; `None` if it has none or is gone.
    fn command(&mut self, id: ProcessId) -> Option<Vec<u8>>;
}

/// The last line of the screen, with the main keys.
const KEYS: &str = "q quit  h help  g group  c rate/total  p pid  n name  r result  R reverse";

/// The help page on keys.
pub const HELP: &str = "  g            next grouping: check, process, capability, result, cgroup
  c            sort by checks per second; again: by the total of checks
  p            sort by pid
  n            sort by name: of the task, the capability or the cgroup
  r            sort by result, denials first
  R            reverse the order
  up, down     scroll by a row; page up, page down by a screen; home to the top
  space        read the counters now
  ^L, ^Z       redraw, suspend
  h            this page
  q, ^C        quit

CHECKS/S is the rate since the previous reading, TOTAL counts from the start.
Once the table is half full, ended processes are merged by name, with PID -.
Otherwise `-` means that this kernel cannot tell or, for a command line, that
the process has ended.

";

impl Content<'_> {
    /// The frame for a screen, filling it exactly. The view's offset is reduced if there are too
    /// few rows.
    pub fn screen(
        &self,
        width: usize,
        height: usize,
        names: &mut impl NameSource,
    ) -> (Vec<Line>, usize) {
        let rows = self.rows(names);
        let columns = Columns::new(self.view.group, Some(width));
        let mut lines = self.head(rows.len(), Some(width));
        lines.push(line(columns.titles(), Style::Title));
        let room = height.saturating_sub(lines.len() + 1);
        let offset = self.view.offset.min(rows.len().saturating_sub(room));
        lines.extend(
            rows.iter()
                .skip(offset)
                .take(room)
                .map(|row| self.row(row, &columns, names)),
        );
        while lines.len() + 1 < height {
            lines.push(line(String::new(), Style::Plain));
        }
        lines.truncate(height.saturating_sub(1));
        lines.push(line(KEYS.to_owned(), Style::Title));
        (fitted(lines, width, height), offset)
    }

    /// The frame as plain text, with all rows. `None` means that the width is not limited.
    pub fn text(&self, width: Option<usize>, names: &mut impl NameSource) -> String {
        let rows = self.rows(names);
        let columns = Columns::new(self.view.group, width);
        let mut lines = self.head(rows.len(), None);
        lines.push(line(columns.titles(), Style::Title));
        lines.extend(rows.iter().map(|row| self.row(row, &columns, names)));
        let mut text = String::new();
        for line in lines {
            text.push_str(line.text.trim_end());
            text.push('\n');
        }
        text
    }

    fn rows(&self, names: &mut impl NameSource) -> Vec<Row> {
        let View {
            group,
            sort,
            reversed,
            offset: _,
        } = self.view;
        let mut rows = group::rows(self.sample, group, |id| names.cgroup(id));
        sort.apply(&mut rows, reversed);
        rows
    }

    fn row(&self, row: &Row, columns: &Columns, names: &mut impl NameSource) -> Line {
        let command = match row.key.who {
            Some(Who::Process(id, _)) if columns.wants_commands() => names.command(id),
            _ => None,
        };
        let style = if row.key.decision == Some(Decision::Denied) {
            Style::Alarm
        } else {
            Style::Plain
        };
        line(columns.row(row, command.as_deref()), style)
    }

    /// The lines above the table; losses are wrapped to this width, if one is given.
    fn head(&self, rows: usize, width: Option<usize>) -> Vec<Line> {
        let View {
            group,
            sort,
            reversed,
            ..
        } = self.view;
        let order = if reversed { ", reversed" } else { "" };
        let mut lines = vec![line(
            format!(
                "capable top: by {}, sorted by {}{order}, every {} s, for {}",
                group.name(),
                sort.name(),
                self.delay.as_secs_f64(),
                clock(self.counting),
            ),
            Style::Plain,
        )];
        let (mut granted, mut denied, mut unknown) = (0, 0, 0);
        for (alike, checks) in &self.sample.checks {
            let sum = match alike.decision {
                Decision::Granted => &mut granted,
                Decision::Denied => &mut denied,
                Decision::Unknown => &mut unknown,
            };
            *sum += checks.total;
        }
        let unknown = if unknown > 0 {
            format!(", {unknown} unknown")
        } else {
            String::new()
        };
        lines.push(line(
            format!(
                "{} checks, {}/s, {} lost: {granted} granted, {denied} denied{unknown}; {rows} row{}",
                self.sample.all.total,
                rate(self.sample.rate(self.sample.all)),
                self.losses.counts(),
                if rows == 1 { "" } else { "s" },
            ),
            Style::Plain,
        ));
        lines.push(line(self.filters.to_owned(), Style::Plain));
        for loss in self.losses.iter() {
            let style = match loss.cause.effect() {
                LossEffect::Missing => Style::Alarm,
                LossEffect::Unknown => Style::Plain,
            };
            let text = wrapped(&loss.to_string(), width.unwrap_or(usize::MAX));
            lines.extend(text.into_iter().map(|text| line(text, style)));
        }
        let starts = self.starts.iter().cloned();
        lines.extend(starts.map(|text| line(text, Style::Plain)));
        lines
    }
}

/// The help page on keys, with what this kernel cannot tell.
pub fn help(notes: &[String], width: usize, height: usize) -> Vec<Line> {
    let mut lines = vec![line("capable top: keys".to_owned(), Style::Title)];
    lines.extend(
        HELP.lines()
            .map(str::to_owned)
            .chain(notes.iter().flat_map(|note| wrapped(note, width)))
            .map(|text| line(text, Style::Plain)),
    );
    lines.truncate(height.saturating_sub(1));
    while lines.len() + 1 < height {
        lines.push(line(String::new(), Style::Plain));
    }
    lines.push(line("press any key to go back".to_owned(), Style::Title));
    fitted(lines, width, height)
}

/// Breaks a sentence into lines between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(last) = lines.last_mut() {
            if last.is_empty() {
                last.push_str(word);
            } else if last.width() + 1 + word.width() <= width {
                last.push(' ');
                last.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
    }
    lines
}

fn line(text: String, style: Style) -> Line {
    Line { text, style }
}

/// Cuts and pads lines to the size of the screen.
fn fitted(mut lines: Vec<Line>, width: usize, height: usize) -> Vec<Line> {
    lines.truncate(height);
    for line in &mut lines {
        let mut used = 0;
        let end = line.text.char_indices().find_map(|(at, character)| {
            used += character.width().unwrap_or(0);
            (used > width).then(|| {
                used -= character.width().unwrap_or(0);
                at
            })
        });
        line.text.truncate(end.unwrap_or(line.text.len()));
        line.text.extend(std::iter::repeat_n(' ', width - used));
    }
    lines
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
