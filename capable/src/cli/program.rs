//! The program: a command line to an exit code.

use std::{env, io, process::ExitCode};

use clap::{CommandFactory as _, error::ErrorKind};

use super::{Cli, Command};
use crate::{
    commands::{
        Usage, doctor, explain, generate, inspect, list,
        print::{say, say_error},
        profile, run, top, trace, why,
    },
    context::user_symbols::serve_if_reader,
};

/// A usage error, as clap has it.
const USAGE: u8 = 2;

/// Runs the program `capable`, with the arguments and the streams of this process.
pub fn main() -> ExitCode {
    if let Some(ended) = serve_if_reader() {
        return ended;
    }
    let cli = match Cli::from_words(env::args_os()) {
        Ok(cli) => cli,
        Err(answer) => return answered(&answer),
    };
    env_logger::init();
    run(cli).unwrap_or_else(|error| {
        say_error(&error);
        if error.is::<Usage>() {
            ExitCode::from(USAGE)
        } else {
            ExitCode::FAILURE
        }
    })
}

/// Prints the help, the version or the usage error that clap has in place of a command line.
fn answered(answer: &clap::Error) -> ExitCode {
    if matches!(
        answer.kind(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue
    ) {
        say(format_args!("capable: {}", without_hint(answer)));
        return ExitCode::from(USAGE);
    }
    if answer.use_stderr() {
        say(format_args!("capable: "));
    }
    match answer.print() {
        _ if answer.use_stderr() => ExitCode::from(USAGE),
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say_error(&anyhow::Error::new(error).context("cannot write to stdout"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// The error of a value, which says what would work, without the advice to read the help.
fn without_hint(answer: &clap::Error) -> String {
    let mut text = answer.render().to_string();
    if let Some(hint) = text.find("\nFor more information") {
        text.truncate(hint);
    }
    text
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => trace::run(&cli.trace),
        Some(Command::Trace(args)) => trace::run(&args),
        Some(Command::Top(args)) => top::run(&args),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Why(args)) => why::run(&args),
        Some(Command::Profile(args)) => profile::run(&args),
        Some(Command::List(args)) => list::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Inspect(args)) => inspect::run(args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Generate(args)) => generate::run(&args, Cli::command()),
    }
}
