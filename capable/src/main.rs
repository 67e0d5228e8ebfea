//! The program `capable`.

use std::process::ExitCode;

use capable::{
    cli::{Cli, Command},
    commands::{Usage, doctor, explain, generate, inspect, list, profile, run, top, trace},
};
use clap::Parser as _;

/// A usage error, as clap has it.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    env_logger::init();
    run(cli).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        if error.is::<Usage>() {
            eprintln!("\nFor more information, try '--help'.");
            ExitCode::from(USAGE)
        } else {
            ExitCode::FAILURE
        }
    })
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => trace::run(&cli.trace),
        Some(Command::Trace(args)) => trace::run(&args),
        Some(Command::Top(args)) => top::run(&args),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Profile(args)) => profile::run(&args),
        Some(Command::List(args)) => list::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Inspect(args)) => inspect::run(args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Generate(args)) => generate::run(&args),
    }
}
