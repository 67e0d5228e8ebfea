//! How rows should look: what the user typed, and what it means.

use std::{ffi::OsString, io::IsTerminal};

use clap::{Args, ValueEnum};

use super::{
    Clock, ColorChoice, Csv, Folded, Formulas, Json, Sink, Table, TimeFormat,
    columns::{self, COLUMNS, Column, ColumnError, DEFAULT, EXTRA, WIDE},
    layout::lay_out,
};

/// The formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// A table of 80 columns
    #[default]
    Table,
    /// A table of every useful column, fitted to the terminal
    Wide,
    /// One JSON object per line
    Json,
    /// Comma-separated values (RFC 4180); no text is a formula for a spreadsheet
    Csv,
    /// The same with text as it is, which a spreadsheet may take for formulas
    CsvRaw,
    /// Stacks for flame graphs, counted, printed at the end
    Folded,
}

/// The options as typed.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// Format of the rows
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_enum)]
    pub output: Option<RowFormat>,

    /// Also show TID, PPID, INSETID, SYSCALL, CALLER, NAMESPACE and CRED
    #[arg(short = 'x', long)]
    pub extra: bool,

    /// Show these columns; '--columns help' lists them
    #[arg(
        long,
        value_name = "COLUMN,...",
        value_delimiter = ',',
        conflicts_with = "extra"
    )]
    pub columns: Vec<String>,

    /// Print stacks for flame graphs: the same as '-o folded'
    #[arg(long, hide_short_help = true, conflicts_with_all = ["output", "columns", "extra"])]
    pub folded: bool,

    /// How to write times; the default is 'clock' in tables, 'iso' elsewhere
    #[arg(long, hide_short_help = true, value_name = "STYLE", value_enum)]
    pub time: Option<TimeFormat>,

    /// Write times in UTC, not in the local time zone
    #[arg(long, hide_short_help = true)]
    pub utc: bool,

    /// When to use colour
    #[arg(
        long,
        hide_short_help = true,
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
    pub color: ColorChoice,
}

/// What standard output is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// It is a terminal.
    pub is_terminal: bool,
    /// Its width in columns, if it is a terminal that tells.
    pub width: Option<u16>,
    /// The environment's `NO_COLOR`.
    pub no_color: Option<OsString>,
}

impl Terminal {
    /// Looks at this process's standard output.
    pub fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        let size = is_terminal
            .then(|| terminal_size::terminal_size_of(&stdout))
            .flatten();
        Self {
            is_terminal,
            // A serial console reports 0.
            width: size
                .map(|(width, _)| width.0)
                .filter(|&columns| columns > 0),
            no_color: std::env::var_os("NO_COLOR"),
        }
    }
}

/// The options cannot be used as given: a usage error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// The list of columns is not valid.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// The format has no columns to choose from.
    #[error("-o folded has no columns: leave out --columns, or use -o table, wide, json or csv")]
    ColumnsOfFolded,
    /// The format has only one way to write times.
    #[error("JSON has one form of time, RFC 3339: leave out --time, or use -o table, wide or csv")]
    TimeOfJson,
}

/// The options as understood.
#[derive(Clone, Debug)]
pub struct OutputConfig {
    format: RowFormat,
    columns: Vec<&'static Column>,
    pub(super) time: TimeFormat,
    utc: bool,
    colour: bool,
    width: Option<u16>,
}

impl OutputOptions {
    /// What `--columns help` prints, if that was typed.
    pub fn columns_help(&self) -> Option<String> {
        let asked = self.columns.iter().any(|name| name.trim() == "help");
        asked.then(columns::help)
    }

    /// The format that was asked for.
    pub fn format(&self) -> RowFormat {
        match self.output {
            _ if self.folded => RowFormat::Folded,
            Some(format) => format,
            None => RowFormat::Table,
        }
    }

    /// Checks the options against each other and against the kind of standard output.
    pub fn validate(&self, terminal: &Terminal) -> Result<OutputConfig, OutputError> {
        let format = self.format();
        let columns = match format {
            RowFormat::Folded if !self.columns.is_empty() => {
                return Err(OutputError::ColumnsOfFolded);
            }
            RowFormat::Json if self.time.is_some_and(|time| time != TimeFormat::Iso) => {
                return Err(OutputError::TimeOfJson);
            }
            RowFormat::Folded => Vec::new(),
            _ if !self.columns.is_empty() => columns::choose(&self.columns)?,
            RowFormat::Json => COLUMNS.iter().collect(),
            RowFormat::Wide => columns::by_keys(WIDE),
            RowFormat::Table | RowFormat::Csv | RowFormat::CsvRaw if self.extra => {
                columns::by_keys(&[DEFAULT, EXTRA].concat())
            }
            RowFormat::Table | RowFormat::Csv | RowFormat::CsvRaw => columns::by_keys(DEFAULT),
        };
        let time = match format {
            RowFormat::Table | RowFormat::Wide => TimeFormat::Clock,
            RowFormat::Json | RowFormat::Csv | RowFormat::CsvRaw | RowFormat::Folded => {
                TimeFormat::Iso
            }
        };
        Ok(OutputConfig {
            format,
            columns,
            time: self.time.unwrap_or(time),
            utc: self.utc,
            colour: self
                .color
                .decide(terminal.is_terminal, terminal.no_color.as_deref()),
            width: terminal.width,
        })
    }
}

impl OutputConfig {
    /// The format.
    pub fn format(&self) -> RowFormat {
        self.format
    }

    /// Where the part of a row begins that is the same for repeated checks: after the time, if that is
    /// its first column. `None` if the rows are no table, or the time is in their middle.
    pub fn repeats_from(&self) -> Option<usize> {
        let is_time = |column: &&Column| column.key == "time";
        match self.format {
            RowFormat::Table | RowFormat::Wide => {}
            RowFormat::Json | RowFormat::Csv | RowFormat::CsvRaw | RowFormat::Folded => {
                return None;
            }
        }
        match self.columns.iter().position(is_time) {
            None => Some(0),
            Some(0) => Some(self.time.width().into()),
            Some(_) => None,
        }
    }

    /// Where the rows go. Relative times count from now.
    pub fn sink(&self) -> Box<dyn Sink> {
        self.sink_with(Clock::new(self.time, self.utc))
    }

    pub(super) fn sink_with(&self, clock: Clock) -> Box<dyn Sink> {
        match self.format {
            RowFormat::Table | RowFormat::Wide => Box::new(Table::new(
                lay_out(&self.columns, self.time, self.width),
                clock,
                self.colour,
            )),
            RowFormat::Json => Box::new(Json::new(&self.columns, clock)),
            RowFormat::Csv => Box::new(Csv::new(self.columns.clone(), clock, Formulas::Marked)),
            RowFormat::CsvRaw => Box::new(Csv::new(self.columns.clone(), clock, Formulas::Kept)),
            RowFormat::Folded => Box::new(Folded::default()),
        }
    }
}
