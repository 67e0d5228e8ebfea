//! The command line: one definition for the program, its man pages and its completions.

mod program;

use std::ffi::OsString;

use clap::{
    CommandFactory as _, Error, Parser, Subcommand,
    builder::StyledStr,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    commands::{doctor, explain, generate, inspect, list, profile, run, top, trace, why},
    context::nearest::nearest,
};

pub use program::main;

/// The end of the program's long help.
const NOTES: &str = "\
Without a command, capable traces: it is `capable trace` and takes its options.

Examples:
  capable                         audited checks, live
  capable -v -K -p 1234           all checks of a process, with stacks
  capable --unit nginx --denied   what nginx was denied
  capable -- make install         the checks of a command
  capable -o json | jq .          one object per check
  capable explain net_raw         what a capability allows
  capable doctor                  whether tracing works here

Exit status: 0, 1 for a failure, 2 for wrong usage; with -- COMMAND, that of the
command.";

/// The end of the long help of `capable trace`.
const TRACE_NOTES: &str = "\
All filters act in the kernel. If one is given several times, any of its values
may match; different filters must all match. Rows go to standard output,
everything else to standard error.

With -- COMMAND, only the command and its descendants are traced, from their
first check to the end of the command. Signals sent to capable reach the
command. After -n or -d the command runs on, untraced; --timeout ends it. The
command writes to the same standard output as the rows: to keep them apart, send
its output elsewhere, as in: capable -o json -- sh -c 'exec make >&2' > rows

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
  capable -o wide -- ping ::1     the checks of a command

Environment: NO_COLOR turns colour off, RUST_LOG=debug prints more details, and
TZ is the time zone of times.

Exit status: 0 when stopped by a signal, -n or -d; 124 when stopped by
--timeout; 1 for a failure, 2 for wrong usage. With -- COMMAND, that of the
command, or 128 plus the number of the signal that ended it; 127 if it was not
found, 126 if it cannot be executed; 125 if capable itself failed; 124 when
ended by --timeout.";

/// Trace Linux capability checks, and find out which capabilities a program needs
#[derive(Debug, Parser)]
#[command(
    name = "capable",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = NOTES,
    max_term_width = 100,
    subcommand_value_name = "SUBCOMMAND",
    override_usage = "capable [OPTIONS] [-- COMMAND [ARGUMENT]...]\n       capable SUBCOMMAND ...",
)]
pub(crate) struct Cli {
    /// The command; tracing if none is given.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The options of `capable trace`.
    #[command(flatten)]
    pub trace: trace::Args,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show capability checks as they happen (the default)
    #[command(
        after_long_help = TRACE_NOTES,
        override_usage = "capable trace [OPTIONS] [-- COMMAND [ARGUMENT]...]"
    )]
    Trace(Box<trace::Args>),
    /// Show which processes make the most capability checks
    Top(Box<top::Args>),
    /// Run a command and report which capabilities it needs
    Run(Box<run::Args>),
    /// Run a command and say why it was refused what it was refused
    Why(Box<why::Args>),
    /// Report which capabilities a running process, unit or container needs
    Profile(Box<profile::Args>),
    /// List every capability: explain without arguments
    List(list::Args),
    /// Explain what a capability allows, what asks for it, and what is narrower; or list all
    Explain(explain::Args),
    /// Show the capabilities of processes, files and units; or who holds any
    Inspect(inspect::Args),
    /// Check whether tracing works here, how, and what is missing
    Doctor(doctor::Args),
    /// Write man pages or completions
    #[command(hide = true)]
    Generate(generate::Args),
}

impl Cli {
    /// Parses a command line, which begins with the program's own name.
    ///
    /// # Errors
    ///
    /// What to print instead: an error, the help, or the version.
    pub fn from_words(words: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let words: Vec<OsString> = words.into_iter().collect();
        Self::try_parse_from(&words).map_err(|error| with_tip(error, words.get(1)))
    }
}

/// The error with a tip, if a word stands where only `--` and a command to trace may follow.
fn with_tip(error: Error, first: Option<&OsString>) -> Error {
    let word = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::UnknownArgument => word,
        _ => return error,
    };
    let mut whole = Cli::command();
    let first = first.and_then(|first| first.to_str()).unwrap_or_default();
    let of_another = first != "trace" && whole.find_subcommand(first).is_some();
    if word.starts_with('-') {
        // That it could be the name of a command, after `--`, is not what anyone means.
        let mut error = error;
        error.remove(ContextKind::Suggested);
        return error;
    }
    if of_another {
        return error;
    }
    let mut told = if word == first {
        let mut told = Error::new(ErrorKind::InvalidSubcommand).with_cmd(&whole);
        told.insert(
            ContextKind::Usage,
            ContextValue::StyledStr(whole.render_usage()),
        );
        told.insert(
            ContextKind::InvalidSubcommand,
            ContextValue::String(word.clone()),
        );
        let visible = whole.get_subcommands().filter(|each| !each.is_hide_set());
        if let Some(similar) = nearest(word, visible.map(clap::Command::get_name)) {
            let similar = ContextValue::Strings(vec![similar.to_owned()]);
            told.insert(ContextKind::SuggestedSubcommand, similar);
            return told;
        }
        told
    } else {
        error
    };
    let tip = StyledStr::from("a command to trace comes after '--': capable -- COMMAND");
    told.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        Cli::from_words(line.split(' ').map(Into::into))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_word_that_is_no_subcommand_is_answered_with_what_may_be_meant() {
        let answer = refused("capable tracr -p 1");
        assert!(
            answer.contains("unrecognized subcommand 'tracr'"),
            "{answer}"
        );
        assert!(
            answer.contains("similar subcommand exists: 'trace'"),
            "{answer}"
        );
        assert!(!answer.contains("comes after"), "{answer}");
        let answer = refused("capable ls");
        assert!(answer.contains("unrecognized subcommand 'ls'"), "{answer}");
        for line in [
            "capable ls",
            "capable -v ls",
            "capable trace ls",
            "capable trace -v ls",
        ] {
            let answer = refused(line);
            assert!(answer.contains("comes after '--'"), "{line}: {answer}");
        }
        for line in [
            "capable doctor ls",
            "capable --vebose",
            "capable trace --vebose",
        ] {
            let answer = refused(line);
            assert!(!answer.contains("comes after"), "{line}: {answer}");
        }
    }

    #[test]
    fn an_option_that_is_not_there_is_not_offered_as_a_command() {
        for line in ["capable --nosuch", "capable trace --nosuch -v"] {
            let answer = refused(line);
            assert!(
                answer.contains("unexpected argument '--nosuch'"),
                "{answer}"
            );
            assert!(!answer.contains("as a value"), "{answer}");
        }
        let answer = refused("capable --verbos");
        assert!(answer.contains("'--verbose'"), "{answer}");
    }

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
