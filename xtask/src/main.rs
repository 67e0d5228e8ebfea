//! What a developer of `capable` does.

#[macro_use]
mod print;

mod api;
mod apt;
mod arch;
mod atlas;
mod bench;
mod binaries;
mod build_ebpf;
mod consumers;
#[path = "../../capable/build/digest.rs"]
mod digest;
mod fuzz;
mod guest;
mod guest_root;
mod header;
mod initramfs;
mod kernels;
mod modules;
mod packages;
mod places;
mod process;
mod qemu;
mod recipes;
mod run;
mod setup;
mod sites;
mod system;
mod tally;
mod test;
mod toolchain;
mod vm;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The variable that forbids loading programs of the kernel side as they were built, as a fallback,
/// if they cannot be specialised: all tests that trace set it, so that none passes by a fallback that
/// nobody saw. In guests, `init.sh` does.
const SPECIALISE: &str = "CAPABLE_SPECIALISE";

/// What a developer of capable does.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what the other commands need and is missing
    Setup,
    /// Make the committed eBPF objects from their sources, or check them
    BuildEbpf(build_ebpf::Options),
    /// Build capable and run it, with sudo where needed
    Run(run::Options),
    /// Run all tests: unit tests, this machine's kernel, and kernels in QEMU
    Test(test::Options),
    /// Boot a kernel of the table and run the tests, a command or a shell in it
    Vm(vm::Options),
    /// Measure what tracing costs, for capable and its peers, in QEMU
    Bench(bench::Options),
    /// Compare the public API of the library with its list, capable/api.txt
    Api(api::Options),
    /// Fuzz the parsers of what other users control
    Fuzz(fuzz::Options),
    /// Compare the atlas of capability checks with the kernels' sources
    Sites(sites::Options),
    /// Run the recipes of the manual, as root
    #[command(hide = true)]
    Recipes {
        /// The program
        capable: PathBuf,
        /// Only recipes whose names contain one of these
        only: Vec<String>,
    },
    /// What runs in a guest
    #[command(hide = true, disable_help_flag = true)]
    Guest {
        /// Passed on as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Task::Setup => setup::run(),
        Task::BuildEbpf(options) => build_ebpf::run(&options),
        Task::Run(options) => run::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Vm(options) => vm::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Api(options) => api::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Sites(options) => sites::run(&options),
        Task::Recipes { capable, only } => {
            Ok(recipes::run(&recipes::manual(), &capable, &only)?.finish())
        }
        Task::Guest { arguments } => guest::run(&arguments),
    }
}
