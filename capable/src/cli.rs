//! The command line: one definition for the program, its man page and its completions.

use clap::{Parser, Subcommand};

use crate::commands::{doctor, explain, inspect, list, profile, run, top, trace};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  capable                        audited checks, live
  capable -v -K -p 1234          all checks of a process, with kernel stacks
  capable --unit nginx --denied  what nginx asked for and did not get
  capable -o json | jq .         one object per check

capable is capable trace: see `capable trace --help` for its options.";

/// Trace Linux capability checks, and find out which capabilities a program needs
#[derive(Debug, Parser)]
#[command(
    name = "capable",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = EXAMPLES,
    max_term_width = 100,
    subcommand_value_name = "COMMAND",
)]
pub struct Cli {
    /// What to do; tracing, where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The options of `capable trace`.
    #[command(flatten)]
    pub trace: trace::Args,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show capability checks as they happen (the default)
    Trace(Box<trace::Args>),
    /// Run a command and report which capabilities it needs
    Run(Box<run::Args>),
    /// Report which capabilities something needs that already runs
    Profile(Box<profile::Args>),
    /// Show who makes the most capability checks, counted in the kernel
    Top(Box<top::Args>),
    /// List every capability
    List(list::Args),
    /// Say what a capability allows, who asks for it, and what is narrower
    Explain(explain::Args),
    /// Show the capabilities of processes, files and units
    Inspect(inspect::Args),
    /// Say what this kernel and this user can do, and what is missing
    Doctor(doctor::Args),
}
