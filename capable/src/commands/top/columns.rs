//! The columns for each grouping, and the text of a row.

use super::group::{Group, Part, Row};
use crate::{
    escape::push_cut,
    event::{Decision, comm_bytes},
    session::Who,
};

/// The smallest width at which the last column is worth showing.
const LEAST_LAST: usize = 10;

/// The most that is shown of a command line if nothing else limits it.
const WIDEST_COMMAND: usize = 80;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Pid,
    Comm,
    Capability,
    Result,
    Cgroup,
    Rate,
    Total,
    Denied,
    Capabilities,
    Comms,
    Command,
}

/// A column with its position.
#[derive(Clone, Copy, Debug)]
struct Placed {
    column: Column,
    width: usize,
}

/// The columns of a table for a given width.
#[derive(Clone, Debug)]
pub struct Columns(Vec<Placed>);

impl Columns {
    /// The columns of a grouping that fit; `None` means that the width is not limited.
    pub fn new(group: Group, width: Option<usize>) -> Self {
        use Column as C;
        let (fixed, last): (&[Column], Option<Column>) = match group {
            Group::Check => (
                &[C::Pid, C::Comm, C::Capability, C::Result, C::Rate, C::Total],
                Some(C::Command),
            ),
            Group::Process => (
                &[C::Pid, C::Comm, C::Rate, C::Total, C::Denied],
                Some(C::Capabilities),
            ),
            Group::Capability => (
                &[C::Capability, C::Rate, C::Total, C::Denied],
                Some(C::Comms),
            ),
            Group::Result => (&[C::Result, C::Rate, C::Total], Some(C::Capabilities)),
            Group::Cgroup => (
                &[C::Cgroup, C::Rate, C::Total, C::Denied],
                Some(C::Capabilities),
            ),
        };
        let mut placed: Vec<Placed> = fixed
            .iter()
            .map(|&column| Placed {
                column,
                width: column.width(width),
            })
            .collect();
        if let Some(width) = width {
            shrink(&mut placed, width);
        }
        let used: usize = placed.iter().map(|placed| placed.width + 1).sum();
        let rest = match (width, last) {
            (Some(width), _) => width.saturating_sub(used),
            (None, Some(C::Command)) => WIDEST_COMMAND,
            (None, _) => usize::MAX,
        };
        if let Some(column) = last
            && rest >= LEAST_LAST
        {
            placed.push(Placed {
                column,
                width: rest,
            });
        }
        Self(placed)
    }

    /// Whether there is room for the command lines of processes.
    pub fn wants_commands(&self) -> bool {
        self.0.iter().any(|placed| placed.column == Column::Command)
    }

    /// The line of column titles.
    pub fn titles(&self) -> String {
        self.line(|column, out, width| push_cut(out, column.title().as_bytes(), width))
    }

    /// The line of a row; `command` is the process's command line.
    pub fn row(&self, row: &Row, command: Option<&[u8]>) -> String {
        self.line(|column, out, width| column.push(row, command, out, width))
    }

    fn line(&self, mut cell: impl FnMut(Column, &mut Vec<u8>, usize) -> usize) -> String {
        let mut line = Vec::new();
        for (index, &Placed { column, width }) in self.0.iter().enumerate() {
            if index > 0 {
                line.push(b' ');
            }
            let start = line.len();
            let used = cell(column, &mut line, width);
            let last = index + 1 == self.0.len();
            if used < width && !(last && column.is_text()) {
                let at = if column.is_text() { line.len() } else { start };
                line.splice(at..at, std::iter::repeat_n(b' ', width - used));
            }
        }
        String::from_utf8_lossy(&line).into_owned()
    }
}

/// Makes the names narrower if the numbers would not fit.
fn shrink(placed: &mut [Placed], width: usize) {
    for (column, least) in [(Column::Capability, 12), (Column::Comm, 8)] {
        let used: usize = placed.iter().map(|placed| placed.width + 1).sum();
        let excess = used.saturating_sub(width + 1);
        for place in placed.iter_mut().filter(|place| place.column == column) {
            place.width = place.width.saturating_sub(excess).max(least);
        }
    }
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Pid => "PID",
            Self::Comm => "COMM",
            Self::Capability => "CAPABILITY",
            Self::Result => "RESULT",
            Self::Cgroup => "CGROUP",
            Self::Rate => "CHECKS/S",
            Self::Total => "TOTAL",
            Self::Denied => "DENIED",
            Self::Capabilities => "CAPABILITIES",
            Self::Comms => "COMMS",
            Self::Command => "COMMAND",
        }
    }

    /// Wide enough for the longest that the kernel allows: 7 digits of a pid (`PID_MAX_LIMIT`), 15
    /// bytes of a name, the longest capability.
    fn width(self, table: Option<usize>) -> usize {
        match self {
            Self::Pid => 7,
            Self::Comm => 15,
            Self::Capability => 22,
            Self::Result => 7,
            Self::Rate => 9,
            Self::Total => 11,
            Self::Denied => 9,
            // A third of what the numbers leave, so that the capabilities next to it are visible
            // too.
            Self::Cgroup => table.map_or(60, |width| (width.saturating_sub(32) / 2).clamp(16, 70)),
            Self::Capabilities | Self::Comms | Self::Command => usize::MAX,
        }
    }

    fn is_text(self) -> bool {
        !matches!(self, Self::Pid | Self::Rate | Self::Total | Self::Denied)
    }

    /// Appends a cell, escaped and cut; returns the number of terminal columns used.
    fn push(self, row: &Row, command: Option<&[u8]>, out: &mut Vec<u8>, width: usize) -> usize {
        let number =
            |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
        let text = match self {
            Self::Comm | Self::Cgroup => return push_cut(out, &row.name, width),
            Self::Command => return push_cut(out, command.unwrap_or(b"-"), width),
            Self::Pid => match row.key.who {
                Some(Who::Process(id, _)) => id.pid.to_string(),
                _ => "-".to_owned(),
            },
            Self::Capability => {
                let name = row.key.capability.map(|capability| capability.to_string());
                return push_cut(out, name.as_deref().unwrap_or("-").as_bytes(), width);
            }
            Self::Result => row.key.decision.map_or("-", Decision::word).to_owned(),
            Self::Rate => rate(row.rate),
            Self::Total => row.checks.total.to_string(),
            Self::Denied => number(row.denied),
            Self::Capabilities | Self::Comms => return push_parts(out, &row.parts, width),
        };
        out.extend_from_slice(text.as_bytes());
        text.len()
    }
}

/// A rate: low ones keep a digit after the decimal point.
pub fn rate(rate: f64) -> String {
    if rate == 0.0 {
        "0".to_owned()
    } else if rate < 9.95 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    }
}

/// The parts of a row with their numbers, as many as fit.
fn push_parts(out: &mut Vec<u8>, parts: &[(Part, u64)], width: usize) -> usize {
    let mut text = Vec::new();
    for (part, checks) in parts {
        if !text.is_empty() {
            text.extend_from_slice(b", ");
        }
        match part {
            Part::Capability(capability) => {
                let name = capability.to_string();
                let short = name.strip_prefix("CAP_").unwrap_or(&name);
                text.extend_from_slice(short.as_bytes());
            }
            Part::Comm(comm) => text.extend_from_slice(comm_bytes(comm)),
        }
        text.extend_from_slice(format!(" {checks}").as_bytes());
        if text.len() / 4 > width {
            break;
        }
    }
    push_cut(out, &text, width)
}
