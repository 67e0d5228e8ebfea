//! What runs inside a virtual machine: known capability checks made on purpose, and tests that
//! compare the output of `capable` with them.
//!
//! Reached by the hidden subcommand `xtask guest`; the virtual machine's init calls it.

mod asks;
mod capabilities;
mod compare;
mod exceptions;
mod folder;
mod fork;
mod hooks;
mod identity;
mod kernel;
mod processors;
mod proofs;
mod random;
mod rows;
mod runner;
mod scene;
mod syscall;
mod system;
mod tests;
mod tracer;
mod trigger;
mod triggers;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::bench::{load, measure};
use identity::Identity;
pub use tests::Scope;

/// The arguments after `xtask guest`.
#[derive(Debug, Parser)]
#[command(name = "xtask guest", no_binary_name = true)]
struct Arguments {
    #[command(subcommand)]
    command: GuestCommand,
}

#[derive(Debug, Subcommand)]
enum GuestCommand {
    /// Make capability checks that are known, and print one JSON line for each run
    Trigger {
        /// Names of triggers, or `all`, or `list`
        #[arg(required = true)]
        names: Vec<String>,
        /// Run them as one identity only, not as each
        #[arg(long = "as", value_enum)]
        identity: Option<Identity>,
        /// Print the own pid and wait for a line on stdin before the first trigger
        #[arg(long)]
        hold_start: bool,
    },
    /// Compare what `capable` prints with checks that are known
    #[command(visible_alias = "host-tests")]
    Tests {
        /// Only tests whose name contains this (repeatable)
        #[arg(long)]
        only: Vec<String>,
    },
    /// Test what an installed system with systemd has and a bare guest has not
    SystemTests {
        /// Only tests whose name contains this (repeatable)
        #[arg(long)]
        only: Vec<String>,
    },
    /// Test what each engine of containers makes, in a system that has them
    ContainerTests {
        /// Only tests whose name contains this (repeatable)
        #[arg(long)]
        only: Vec<String>,
    },
    /// Try what the atlas says on this kernel, and say how each line went
    Proofs {
        /// Parts of the names of sites; all without any
        names: Vec<String>,
    },
    /// Compare verdicts with what the kernel did, for random users, sets and namespaces
    RandomVerdicts {
        /// How many checks to make with the kprobe; a tenth with every other hook
        #[arg(long, default_value_t = 100_000)]
        count: usize,
        /// The seed of the random numbers
        #[arg(long, default_value_t = tests::RANDOM_SEED)]
        seed: u64,
    },
    /// Make checks as fast as they come, and say what they cost
    Load(load::Options),
    /// Measure the tracers of this guest
    Bench(measure::Options),
    /// Prove what Debian's programs need without changing this machine: in a root that is made of
    /// archives, or, without any, where it is
    Programs {
        /// An archive of a guest's root
        #[arg(long = "unpack")]
        archives: Vec<PathBuf>,
        /// Only tests whose name contains this (repeatable)
        #[arg(long)]
        only: Vec<String>,
    },
    /// Be a program that makes one system call
    #[command(hide = true)]
    Asks {
        /// Which
        what: asks::Asks,
    },
    /// What a program executed by a trigger does
    #[command(hide = true)]
    AfterExec {
        /// The trigger
        name: String,
        /// The file descriptor that takes the outcome
        report: i32,
    },
}

/// Runs `xtask guest` with the arguments that follow these words.
///
/// # Errors
/// If the scenario cannot be set up; an error that a trigger's own system call returns is not one.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            error.print().context("cannot print the usage")?;
            return Ok(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)));
        }
    };
    match arguments.command {
        GuestCommand::Trigger {
            names,
            identity,
            hold_start,
        } => runner::command(&names, identity, hold_start),
        GuestCommand::Tests { only } => tests::command(&only),
        GuestCommand::SystemTests { only } => system::command(&only),
        GuestCommand::ContainerTests { only } => system::containers::command(&only),
        GuestCommand::Proofs { names } => proofs::command(&names),
        GuestCommand::RandomVerdicts { count, seed } => random::command(count, seed),
        GuestCommand::Load(options) => load::run(options).map(|()| ExitCode::SUCCESS),
        GuestCommand::Bench(options) => measure::run(&options).map(|()| ExitCode::SUCCESS),
        GuestCommand::Programs { archives, only } => {
            tests::programs::root::command(&archives, &only)
        }
        GuestCommand::Asks { what } => what.run(),
        GuestCommand::AfterExec { name, report } => runner::after_exec(&name, report),
    }
}

/// The names of the tests that run in guests, or on this machine too, without those of Debian's
/// programs.
pub fn test_names(scope: Scope) -> Vec<String> {
    tests::names(scope)
}

/// The names of the tests of Debian's programs.
pub fn program_names() -> Vec<String> {
    tests::programs::test_names()
}

/// The names of the tests that run in guests with an installed system.
pub fn system_names() -> Vec<String> {
    system::names()
}

/// The names of the tests that run in guests with engines of containers.
pub fn container_names() -> Vec<String> {
    system::containers::names()
}

/// The hooks and transports that this kernel must offer, as the command line names them.
///
/// # Errors
/// When the kernel does not say its version.
pub fn ways() -> Result<Vec<(&'static str, &'static str)>> {
    let ways = hooks::ways(kernel::Version::running()?);
    Ok(ways.iter().map(|way| (way.hook, way.transport)).collect())
}
