//! `cargo xtask test`: everything, from the unit tests to the guests.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::build_ebpf;
use crate::initramfs::Archive;
use crate::kernels::{self, Installed, Kernel, Rows};
use crate::qemu::Machine;
use crate::tally::{Lines, Tally};
use crate::{binaries, consumers, guest_root, header, packages, places, process, setup, vm};

/// How long the tests in one guest may take: several times what they take on two processors.
const GUEST_LIMIT: Duration = Duration::from_secs(900);

/// Options of `cargo xtask test`: without any, all parts.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The unit tests, and the check of the committed eBPF objects
    #[arg(long)]
    unit: bool,
    /// The tests on this machine's kernel
    #[arg(long)]
    host: bool,
    /// The tests on this kernel: 5.10, 6.1, 6.12, newest, or all of them (repeatable)
    #[arg(long = "kernel", value_name = "NAME", value_parser = kernels::rows)]
    kernels: Vec<Rows>,
}

/// Runs the subcommand.
pub fn run(options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    let all = !options.unit && !options.host && options.kernels.is_empty();
    let named = |kernel: &&Kernel| options.kernels.iter().any(|rows| rows.0.contains(kernel));
    let rows: Vec<&Kernel> = kernels::TABLE
        .iter()
        .filter(|kernel| all || named(kernel))
        .collect();
    setup::install()?;

    let mut whole = Tally::default();
    if all || options.unit {
        whole += part("unit tests", unit_tests);
        whole += part("eBPF objects", check_objects);
    }
    if all || options.host {
        whole += part("this machine's kernel", host_tests);
        whole += part("this machine's kernel, live", live_tests);
    }
    if !rows.is_empty() {
        match guest_tests(&rows) {
            Ok(tally) => whole += tally,
            Err(error) => whole += failure("guests", error),
        }
    }
    println!("\nall parts: {:.0} s", start.elapsed().as_secs_f64());
    Ok(whole.finish())
}

/// Runs a part and says how it went; a part that cannot run counts as one failure.
fn part(name: &str, run: impl FnOnce() -> Result<Tally>) -> Tally {
    println!("--- {name}");
    let tally = run().unwrap_or_else(|error| failure(name, error));
    println!("--- {name}: {tally}");
    tally
}

fn failure(name: &str, error: anyhow::Error) -> Tally {
    let mut tally = Tally::default();
    tally.record(name, Err(error));
    tally
}

fn unit_tests() -> Result<Tally> {
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .args(["test", "--quiet", "--no-fail-fast", "--workspace"])
        // It is for the kernel and cannot be linked for the host.
        .args(["--exclude", "capable-ebpf"]);
    counted(&mut command)
}

/// The tests of `capable` that trace on this machine, or need root for what they prepare.
fn live_tests() -> Result<Tally> {
    let mut command = Command::new("cargo");
    command
        .current_dir(places::workspace())
        .args(["test", "--quiet", "--no-fail-fast"])
        .args(["--package", "capable", "--tests"]);
    if !places::is_root() {
        let sudo = format!("sudo --preserve-env={}", consumers::VARIABLE);
        command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", sudo);
    }
    command.env(consumers::VARIABLE, consumers::folder()?);
    counted(command.args(["--", "--ignored"]))
}

fn check_objects() -> Result<Tally> {
    let mut tally = Tally::default();
    tally.record(
        "the eBPF objects are those of their sources",
        build_ebpf::check_committed(),
    );
    Ok(tally)
}

/// The tests on this machine's kernel, with the programs where any user may run them: a clone is
/// often in a home that others cannot enter.
fn host_tests() -> Result<Tally> {
    let folder = env::temp_dir().join(format!("capable-host-tests.{}", std::process::id()));
    places::create(&folder)?;
    let result = host_tests_in(&folder);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

fn host_tests_in(folder: &Path) -> Result<Tally> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let programs = binaries::build()?;
    for program in &programs {
        let name = program.file_name().context("a program without a name")?;
        fs::copy(program, folder.join(name))
            .with_context(|| format!("cannot copy {}", program.display()))?;
    }
    let capable = folder.join("capable");
    let mut tally = counted(as_root(folder)?.args(["guest", "host-tests"]))?;
    tally += host_programs(folder, &programs)?;
    tally += counted(as_root(folder)?.arg("recipes").arg(&capable))?;
    tally += header::run(&capable);
    Ok(tally)
}

/// What Debian's programs need on this machine's kernel, in the root that guests have.
fn host_programs(folder: &Path, programs: &[PathBuf]) -> Result<Tally> {
    let base = folder.join("base.cpio");
    guest_root::base(programs)?.save(&base)?;
    let debian = packages::root_filesystem(&packages::DEBIAN)?;
    let mut command = as_root(folder)?;
    command.args(["guest", "programs", "--unpack"]).arg(base);
    counted(command.arg("--unpack").arg(debian))
}

/// The xtask program in a folder, as root, by sudo where we are not, with the folder first in the
/// `PATH`.
pub fn as_root(folder: &Path) -> Result<Command> {
    let mut path = vec![folder.to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut assignment = OsString::from("PATH=");
    assignment.push(env::join_paths(path)?);
    let mut command = match places::on_path("sudo") {
        Some(sudo) if !places::is_root() => {
            let mut command = Command::new(sudo);
            // sudo sets a PATH of its own, env sets ours again.
            command.args(["--", "env"]);
            command
        }
        _ => Command::new("env"),
    };
    command.arg(assignment).arg(folder.join("xtask"));
    Ok(command)
}

/// Runs a program whose output tells what passed and what failed.
fn counted(command: &mut Command) -> Result<Tally> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", process::line(command)))?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            tally.read(&line);
            println!("{line}");
        }
    }
    let status = child.wait()?;
    Ok(tally.with_exit(status.success()))
}

/// Runs the tests in a guest of each kernel, as many at a time as there are processors.
fn guest_tests(rows: &[&'static Kernel]) -> Result<Tally> {
    println!("--- kernels");
    let base = guest_root::base(&binaries::build()?)?;
    let layers = [packages::root_filesystem(&packages::DEBIAN)?];
    let installed = kernels::install_all(rows, false)?;

    let waiting = Mutex::new(installed.iter().collect::<VecDeque<_>>());
    let results = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers.min(installed.len()) {
            scope.spawn(|| {
                while let Some(kernel) = next(&waiting) {
                    let result = guest(kernel, &base, &layers);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.push((kernel, result));
                }
            });
        }
    });

    let mut whole = Tally::default();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(kernel, _)| rows.iter().position(|row| row.name == kernel.name));
    for (kernel, result) in results {
        let name = format!("kernel {} ({})", kernel.name, kernel.release);
        match result {
            Ok(guest) => {
                println!(
                    "--- {name}: {}, {:.0} s",
                    guest.tally,
                    guest.took.as_secs_f64()
                );
                for failure in guest.failures {
                    println!("{failure}");
                }
                whole += guest.tally;
            }
            Err(error) => whole += failure(&name, error),
        }
    }
    Ok(whole)
}

fn next<'a>(waiting: &Mutex<VecDeque<&'a Installed>>) -> Option<&'a Installed> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.pop_front()
}

/// How the tests in a guest went.
struct Guest {
    tally: Tally,
    /// The lines that name failed tests, to be said again at the end.
    failures: Vec<String>,
    took: Duration,
}

fn guest(kernel: &Installed, base: &Archive, layers: &[PathBuf]) -> Result<Guest> {
    let machine = Machine {
        kernel,
        base,
        layers,
        files: Archive::default(),
        append: "",
        processors: 2,
        memory: vm::MEMORY,
        count_instructions: false,
    };
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    let mut take = |line: &str| {
        tally.read(line);
        println!("[{}] {line}", kernel.name);
        if line.contains("FAILED") {
            failures.push(line.to_owned());
        }
    };
    let mut lines = Lines::default();
    let outcome = machine.run(vm::TESTS, GUEST_LIMIT, |bytes| lines.push(bytes, &mut take))?;
    lines.finish(&mut take);
    Ok(Guest {
        tally: tally.with_exit(outcome.status == 0),
        failures,
        took: outcome.total,
    })
}
