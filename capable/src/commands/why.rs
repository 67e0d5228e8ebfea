//! `capable why`: the refusals of a command, each with its one reason.

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::Args as ClapArgs;

use super::{
    Usage,
    print::say,
    reporting::{Destination, ReportArgs, ReportFormat, Reporter},
    run::{self, CageArgs},
    tracing::{self, BufferArgs, TracingArgs},
};
use crate::profile::refusal::refusals_text;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  capable why -- ip link add dummy0 type dummy
  capable why --user nobody -- cat /etc/shadow
  capable why --caps none -o json -- ./server

Each refused system call is told once, with its reason: a capability that was
not held, or not effective, or held in the wrong user namespace; or something
else that no capability would help with, such as an immutable file.

Exit status: that of the command, or 128 plus the number of the signal that
ended it; 127 if the command was not found, 126 if it cannot be executed; 125 if
capable itself failed; 2 for wrong usage.";

/// Run a command and say why it was refused what it was refused
#[derive(Clone, Debug, ClapArgs)]
#[command(
    after_long_help = EXAMPLES,
    override_usage = "capable why [OPTIONS] [--] COMMAND [ARGUMENT]..."
)]
pub struct Args {
    /// Format; JSON is the report that `capable run` writes
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_enum, default_value_t, help_heading = None::<&'static str>)]
    pub format: Format,

    /// Wait until the last descendant has ended, not only the command
    #[arg(long, help_heading = None::<&'static str>)]
    pub wait: bool,

    /// The cage.
    #[command(flatten)]
    pub cage: CageArgs,

    /// How to trace.
    #[command(flatten)]
    pub tracing: TracingArgs,

    /// The buffer for records.
    #[command(flatten)]
    pub buffer: BufferArgs,

    /// The command and its arguments
    #[arg(help_heading = None::<&'static str>, required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The format of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal, on standard error
    #[default]
    Text,
    /// For a program, on standard output
    Json,
}

/// Runs the command and tells its refusals.
///
/// # Errors
///
/// The options do not work ([`Usage`]). Other failures are reported on stderr and in the exit code.
pub fn run(args: &Args) -> Result<ExitCode> {
    tracing::exit_code(attempt(args))
}

fn attempt(args: &Args) -> Result<ExitCode> {
    let command = args.cage.command(&args.command).map_err(Usage::wrap)?;
    let json = match args.format {
        Format::Text => None,
        Format::Json => {
            let form = ReportArgs {
                format: ReportFormat::Json,
                ..ReportArgs::default()
            };
            let mut reporter = Reporter::new(&form, Destination::Stdout)?;
            reporter.keep_stdout()?;
            Some(reporter)
        }
    };
    let mut launched = args.tracing.session().learn(command)?.command_file_only();
    if let Some(bytes) = args.buffer.buffer_size {
        launched = launched.buffer(bytes);
    }
    let (learned, ended) = run::learned(launched, args.wait)?;
    tracing::tell_signal(ended);
    match json {
        None => say(format_args!("{}", refusals_text(&learned.report))),
        Some(reporter) => {
            reporter.deliver(&learned.report, &learned.needs)?;
        }
    }
    Ok(ExitCode::from(ended.exit_code()))
}
