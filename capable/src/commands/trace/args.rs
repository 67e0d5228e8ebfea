//! The options of `capable trace`, as typed.

use std::{ffi::OsString, time::Duration};

use capable_common::UniqueBy;
use clap::{Args as ClapArgs, ValueEnum};

use crate::{
    commands::tracing::{BufferArgs, FilterArgs, TracingArgs, duration, number},
    kernel::trace::counts,
    launcher::Command,
    output::{OutputOptions, RowFormat},
};

/// Show capability checks as they happen
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Also show checks that are not audited
    #[arg(short = 'v', long)]
    pub verbose: bool,

    /// Print the kernel stack under each row
    #[arg(short = 'K', long)]
    pub kernel_stack: bool,

    /// Print the user stack under each row
    #[arg(short = 'U', long)]
    pub user_stack: bool,

    /// Number of frames of each stack, at most 127
    #[arg(long, hide_short_help = true, value_name = "FRAMES", default_value_t = 64, allow_negative_numbers = true, value_parser = number::<u32>(1..=127, 64))]
    pub stack_depth: u32,

    /// Which checks to show.
    #[command(flatten)]
    pub filter: FilterArgs,

    /// Show each distinct check once
    ///
    /// Checks are the same if their process, capability and result are. A cgroup, name or kernel
    /// stack can take the place of the process.
    #[arg(long, help_heading = "Filters", value_name = "BY", num_args = 0..=1, require_equals = true, default_missing_value = "process", value_enum)]
    pub unique: Option<Unique>,

    /// After the rows, or only, print how many checks each program and each process made, by capability
    /// and result
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "after", value_enum, conflicts_with = "unique")]
    pub summary: Option<SummaryWhen>,

    /// With --summary: number of rows in the kernel's table of counts
    #[arg(long, hide_short_help = true, requires = "summary", value_name = "ROWS", default_value_t = counts::ENTRIES, allow_negative_numbers = true, value_parser = number::<u32>(1..=1 << 20, 65536))]
    pub table_size: u32,

    /// When to stop.
    #[command(flatten)]
    pub bounds: BoundArgs,

    /// The format of the rows.
    #[command(flatten)]
    pub output: OutputOptions,

    /// How to trace.
    #[command(flatten)]
    pub tracing: TracingArgs,

    /// The buffer for records.
    #[command(flatten)]
    pub buffer: BufferArgs,

    /// Run this command and trace it and its descendants only
    ///
    /// The trace ends when the command does, with its exit status.
    #[arg(help_heading = None::<&'static str>, last = true, value_name = "COMMAND", conflicts_with_all = ["pids", "tids", "children"])]
    pub command: Vec<OsString>,

    /// bcc's maps of cgroups, which are not needed here.
    #[arg(long, value_name = "MAP", hide = true)]
    pub cgroupmap: Option<String>,

    /// bcc's maps of mount namespaces, which are not needed here.
    #[arg(long, value_name = "MAP", hide = true)]
    pub mntnsmap: Option<String>,
}

/// When to stop.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Bounds")]
pub struct BoundArgs {
    /// Stop after this many rows
    #[arg(short = 'n', long, value_name = "ROWS", allow_negative_numbers = true, value_parser = number::<u64>(1..=u64::MAX, 10))]
    pub count: Option<u64>,

    /// Stop after this time: 30s, 5m, 1.5h, 2d
    #[arg(short = 'd', long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    pub duration: Option<Duration>,

    /// Like --duration, but exit with 124, as timeout(1) does
    #[arg(long, hide_short_help = true, value_name = "TIME", allow_negative_numbers = true, value_parser = duration, conflicts_with = "duration")]
    pub timeout: Option<Duration>,
}

impl BoundArgs {
    /// For how long to trace at most.
    pub(super) fn longest(&self) -> Option<Duration> {
        self.duration.or(self.timeout)
    }
}

/// When sums are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SummaryWhen {
    /// After the rows
    After,
    /// Without any rows
    Only,
}

/// What makes two checks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unique {
    /// Process, capability and result
    Process,
    /// Cgroup, capability and result
    Cgroup,
    /// Name, capability and result
    Comm,
    /// Kernel stack, capability and result
    Stack,
}

impl Args {
    /// Whether only sums are printed.
    ///
    /// # Errors
    ///
    /// They are, and something else was asked for that only rows have.
    pub(super) fn only_sums(&self) -> Result<bool, &'static str> {
        if self.summary != Some(SummaryWhen::Only) {
            return Ok(false);
        }
        if self.bounds.count.is_some() || self.kernel_stack || self.user_stack {
            return Err(
                "--summary=only prints no rows, which -n, -K and -U are about: use --summary",
            );
        }
        match self.output.format() {
            RowFormat::Table | RowFormat::Wide | RowFormat::Json => Ok(true),
            RowFormat::Csv | RowFormat::CsvRaw | RowFormat::Folded => {
                Err("--summary=only prints a table or, with -o json, JSON")
            }
        }
    }

    /// The command to trace, if one was given.
    pub(super) fn command(&self) -> Option<Command> {
        let (name, arguments) = self.command.split_first()?;
        Some(Command::new(name).args(arguments))
    }
}

impl Unique {
    /// As the kernel side takes it.
    pub(super) fn by(self) -> UniqueBy {
        match self {
            Self::Process => UniqueBy::Process,
            Self::Cgroup => UniqueBy::Cgroup,
            Self::Comm => UniqueBy::Comm,
            Self::Stack => UniqueBy::Stack,
        }
    }
}
