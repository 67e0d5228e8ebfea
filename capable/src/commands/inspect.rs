//! `capable inspect`: which capabilities processes hold, files grant and units allow.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

use super::print::{print, say_error};
use crate::document::Document;
use crate::inspect::target::Target;
use crate::inspect::{self, Subject, sheet};

/// Show which capabilities processes hold, files grant and units allow.
#[derive(clap::Args, Debug)]
#[command(after_long_help = NOTES)]
pub struct Args {
    /// PIDs, files and units, shown side by side.
    ///
    /// A number is a PID (or the number of a thread), and 'self' is capable itself. A word with a
    /// slash is a file: write ./123 for a file named 123. A word that ends in .service, .socket,
    /// .mount or .swap is a unit. Any other word is a file here, or else a program in $PATH, or
    /// else a service.
    #[arg(required = true, value_name = "PID|FILE|UNIT")]
    targets: Vec<OsString>,

    /// How to write it.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = InspectFormat::Table)]
    output: InspectFormat,
}

/// How to write what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum InspectFormat {
    /// A table, one column for each target.
    Table,
    /// One object per line for each target.
    Json,
}

const NOTES: &str = "\
Reading the table:
  all            every capability that the running kernel knows
  -              not known, or this user may not know it
  after execve   what an ordinary program holds if the process executes it
  securebits     only known for 'self': the kernel tells no other process
  run by a user  what the program holds if a user without capabilities runs
                 it, by the rule of the kernel, in your user namespace and
                 with a full bounding set
  starts with    the permitted set of the unit's processes when they start
  can reach      what they can gain by executing privileged files

Examples:
  capable inspect 1                      what PID 1 and its threads hold
  capable inspect $$ ping nginx.service  a shell, a program and a unit
  capable inspect -o json /usr/bin/*     one object per line

Exit status: 0, 1 if a target could not be inspected, 2 for wrong usage.";

/// A line of JSON: the word that was asked for, and what it is.
#[derive(Serialize)]
struct Line<'a> {
    target: &'a str,
    #[serde(flatten)]
    subject: &'a Subject,
}

/// Inspects each target; one that can't be is reported, and the others still are.
///
/// # Errors
///
/// Where the output can't be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let universe = inspect::universe();
    let mut failed = false;
    let mut found = Vec::new();
    for word in &args.targets {
        match Target::from_word(word).and_then(|target| Subject::read(&target, universe)) {
            Ok(subject) => found.push((word.to_string_lossy(), subject)),
            Err(error) => {
                say_error(&error.into());
                failed = true;
            }
        }
    }
    let text = match args.output {
        InspectFormat::Json => json_lines(&found)?,
        InspectFormat::Table => {
            let words = sheet::Words::new(universe);
            let sheets: Vec<_> = found
                .iter()
                .flat_map(|(_, subject)| sheet::of(subject, &words))
                .collect();
            sheet::side_by_side(&sheets, width())
        }
    };
    print(&text)?;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn json_lines(found: &[(Cow<'_, str>, Subject)]) -> anyhow::Result<String> {
    let lines = found
        .iter()
        .map(|(target, subject)| Document::Inspect.line(&Line { target, subject }));
    Ok(lines.collect::<Result<_, _>>()?)
}

/// The narrowest table: in less, every word would be a line.
const NARROWEST: u16 = 40;

/// The terminal's width, or what `$COLUMNS` says; none where rows go to a file or a pipe, so that
/// each field is one line there.
fn width() -> Option<u16> {
    let asked = std::env::var("COLUMNS").ok().and_then(|it| it.parse().ok());
    let width = asked.or_else(|| {
        let (width, _) = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal())?;
        Some(width.0)
    })?;
    Some(width.max(NARROWEST))
}
