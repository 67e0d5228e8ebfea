//! The command line: one definition for the program, its man pages and its completions.

use clap::{Parser, Subcommand};

use crate::commands::{doctor, explain, generate, inspect, list, profile, run, top, trace};

/// The end of the program's long help.
const NOTES: &str = "\
Without a command, capable traces: it is `capable trace` and takes its options.

Examples:
  capable                         audited checks, live
  capable -v -K -p 1234           all checks of a process, with stacks
  capable --unit nginx --denied   what nginx was denied
  capable -o json | jq .          one object per check
  capable explain net_raw         what a capability allows
  capable doctor                  whether tracing works here

Exit status: 0, 1 for a failure, 2 for wrong usage.";

/// The end of the long help of `capable trace`.
const TRACE_NOTES: &str = "\
All filters act in the kernel. If one is given several times, any of its values
may match; different filters must all match. Rows go to standard output,
everything else to standard error.

Examples:
  capable -v -p 1                 all checks of process 1
  capable -p 4711 --children      a process, its children, and theirs
  capable -C net_raw,net_admin    two capabilities; '!sys_admin' all but it
  capable --denied -u www-data    what a user was denied
  capable -K -U -c 'nginx*'       with kernel and user stacks
  capable --unique -o wide        each distinct check once, in detail
  capable -o json -d 1m > rows    one minute, one object per line
  capable --folded -d 10s         stacks for a flame graph
  capable --columns help          the list of columns

Environment: NO_COLOR turns colour off, RUST_LOG=debug prints more details, and
TZ is the time zone of times.

Exit status: 0 when stopped by a signal, -n or -d; 124 when stopped by
--timeout; 1 for a failure, 2 for wrong usage.";

/// Trace Linux capability checks, and find out which capabilities a program needs
#[derive(Debug, Parser)]
#[command(
    name = "capable",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = NOTES,
    max_term_width = 100,
    subcommand_value_name = "COMMAND",
    override_usage = "capable [OPTIONS]\n       capable COMMAND ...",
)]
pub struct Cli {
    /// The command; tracing if none is given.
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
    #[command(after_long_help = TRACE_NOTES)]
    Trace(Box<trace::Args>),
    /// Show which processes make the most capability checks
    Top(Box<top::Args>),
    /// Run a command and report which capabilities it needs
    Run(Box<run::Args>),
    /// Report which capabilities a running process, unit or container needs
    Profile(Box<profile::Args>),
    /// List every capability
    List(list::Args),
    /// Explain what a capability allows, what asks for it, and what is narrower
    Explain(explain::Args),
    /// Show the capabilities of processes, files and units
    Inspect(inspect::Args),
    /// Check whether tracing works here, how, and what is missing
    Doctor(doctor::Args),
    /// Write man pages or completions
    #[command(hide = true)]
    Generate(generate::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn tracing_is_what_is_done_without_a_command() {
        for line in [
            "capable -v -p 1 --children",
            "capable trace -v -p 1 --children",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let args = match cli.command {
                Some(Command::Trace(args)) => *args,
                Some(other) => panic!("{other:?}"),
                None => cli.trace,
            };
            assert!(args.verbose && args.filter.children);
            assert_eq!(args.filter.pids, [1]);
        }
    }

    #[test]
    fn options_of_bcc_are_understood_as_its_users_type_them() {
        for line in [
            "capable -v",
            "capable -p 181",
            "capable -K",
            "capable -U",
            "capable -x",
            "capable --unique",
            "capable --unique -v",
            "capable -KUvx -p181",
            "capable --cgroupmap /sys/fs/bpf/test01",
            "capable --mntnsmap mappath",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }

    #[test]
    fn help_fits_80_columns() {
        let mut whole = Cli::command().term_width(80);
        whole.build();
        let commands = whole
            .get_subcommands()
            .map(|command| command.get_name().to_owned());
        let mut names: Vec<Option<String>> = commands.map(Some).collect();
        names.push(None);
        for name in names {
            let command = match &name {
                Some(name) => whole.find_subcommand_mut(name).unwrap(),
                None => &mut whole,
            };
            let command = command.clone().term_width(80);
            for help in [
                command.clone().render_help(),
                command.clone().render_long_help(),
            ] {
                for line in help.to_string().lines() {
                    assert!(line.chars().count() <= 80, "{name:?}: {line}");
                }
            }
        }
    }
}
