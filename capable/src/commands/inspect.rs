//! `capable inspect`: which capabilities processes hold, files grant and units allow.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

use super::print::{print, say, say_error, write};
use crate::capability::CapabilitySet;
use crate::document::Document;
use crate::inspect::holders::Holders;
use crate::inspect::target::Target;
use crate::inspect::{self, Subject, sheet};

/// Show which capabilities processes hold, files grant and units allow
#[derive(clap::Args, Debug)]
#[command(after_long_help = NOTES)]
pub struct Args {
    /// PIDs, files and units, shown side by side; without any, every process that holds
    /// capabilities, the most powerful first
    ///
    /// A number is a PID (or the number of a thread), and 'self' is capable itself. A word with a
    /// slash is a file: write ./123 for a file named 123. A word that ends in .service, .socket,
    /// .mount or .swap is a unit. Any other word is a file here, or else a program in $PATH, or
    /// else a service.
    #[arg(value_name = "PID|FILE|UNIT")]
    targets: Vec<OsString>,

    /// How to write it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = InspectFormat::Table)]
    output: InspectFormat,
}

/// How to write what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum InspectFormat {
    /// A table
    Table,
    /// One object per line, for each process, file or unit
    Json,
}

const NOTES: &str = "\
Reading the table of one or several:
  all            every capability that the running kernel knows
  -              not known, or this user may not know it
  after execve   what an ordinary program holds if the process executes it
  securebits     only known for 'self': the kernel tells no other process
  run by a user  what the program holds if a user without capabilities runs
                 it, by the rule of the kernel, in your user namespace and
                 with a full bounding set
  starts with    the permitted set of the unit's processes when they start
  can reach      what they can gain by executing privileged files

Reading the table of all processes:
  CAPS       how many capabilities are in the permitted set
  NAMESPACE  the user namespace in which they count: initial, or its number
  order      first those of the initial namespace; of them, who holds the most
             capabilities that equal root, then the most that are serious

Examples:
  capable inspect                        who holds capabilities here
  capable inspect 1                      what PID 1 and its threads hold
  capable inspect $$ ping nginx.service  a shell, a program and a unit
  capable inspect -o json /usr/bin/*     one object per line

Exit status: 0, 1 if a target could not be inspected, 2 for wrong usage.";

/// A line of JSON: the word that was given, and what it names.
#[derive(Serialize)]
struct Line<'a> {
    target: &'a str,
    #[serde(flatten)]
    subject: &'a Subject,
}

/// Inspects each target; one that can't be is reported, and the others still are. Without targets,
/// inspects every process.
///
/// # Errors
///
/// If /proc can't be read or the output can't be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let universe = inspect::universe();
    if args.targets.is_empty() {
        return all(args.output, universe);
    }
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

/// Shows every process that holds capabilities, and says what is left out.
fn all(output: InspectFormat, universe: CapabilitySet) -> anyhow::Result<ExitCode> {
    let holders = Holders::read()?;
    let text = match output {
        InspectFormat::Table => {
            sheet::holders::table(&holders, &sheet::Words::new(universe), width())
        }
        InspectFormat::Json => {
            let found: Vec<_> = holders
                .processes
                .iter()
                .map(|process| {
                    let subject = Subject::Process(process.clone());
                    (process.pid.to_string().into(), subject)
                })
                .collect();
            json_lines(&found)?
        }
    };
    if write(text.as_bytes())? {
        for line in left_out(&holders) {
            say(format_args!("capable: {line}\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the list of holders leaves out.
fn left_out(holders: &Holders) -> Vec<String> {
    let Holders {
        processes: _,
        without,
        kernel_threads,
        unreadable,
        hidden,
    } = holders;
    let processes = |count: usize| match count {
        1 => "1 process".to_owned(),
        _ => format!("{count} processes"),
    };
    let mut lines = Vec::new();
    let mut left = Vec::new();
    if *without > 0 {
        left.push(format!("{} without capabilities", processes(*without)));
    }
    match kernel_threads {
        0 => {}
        1 => left.push("1 kernel thread, which holds all".to_owned()),
        _ => left.push(format!("{kernel_threads} kernel threads, which hold all")),
    }
    if !left.is_empty() {
        lines.push(format!("not shown: {}", left.join(", and ")));
    }
    if *unreadable > 0 {
        lines.push(format!(
            "{} cannot be read and may hold capabilities: run capable as root",
            processes(*unreadable)
        ));
    }
    if *hidden {
        lines.push(
            "/proc hides the processes of other users (its option hidepid): run capable as root"
                .to_owned(),
        );
    }
    lines
}

fn json_lines(found: &[(Cow<'_, str>, Subject)]) -> anyhow::Result<String> {
    let lines = found
        .iter()
        .map(|(target, subject)| Document::Inspect.line(&Line { target, subject }));
    Ok(lines.collect::<Result<_, _>>()?)
}

/// The narrowest table: in less width, every word would be on a line of its own.
const NARROWEST: u16 = 40;

/// The width of the terminal or in `$COLUMNS`. None if rows go to a file or a pipe: there, each
/// field is one line.
fn width() -> Option<u16> {
    let asked = std::env::var("COLUMNS").ok().and_then(|it| it.parse().ok());
    let width = asked.or_else(|| {
        let (width, _) = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal())?;
        Some(width.0)
    })?;
    Some(width.max(NARROWEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_told() {
        assert!(left_out(&Holders::default()).is_empty());
        let holders = Holders {
            without: 1,
            kernel_threads: 90,
            unreadable: 2,
            hidden: true,
            ..Holders::default()
        };
        let told = left_out(&holders);
        assert_eq!(
            told[0],
            "not shown: 1 process without capabilities, and 90 kernel threads, which hold all"
        );
        assert!(
            told[1].starts_with("2 processes cannot be read"),
            "{told:?}"
        );
        assert!(told[2].contains("hidepid"), "{told:?}");
    }
}
