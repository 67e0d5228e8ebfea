//! The tests in a guest of each kernel.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Only;
use super::summary::Summary;
use crate::initramfs::Archive;
use crate::kernels::{self, Installed, Kernel};
use crate::qemu::VirtualMachine;
use crate::tally::{Lines, Tally};
use crate::{binaries, guest, guest_root, packages, sites, vm};

/// How long the tests in one guest may take: several times as long as on two CPUs.
const LIMIT: Duration = Duration::from_secs(900);

/// The names of the tests of each guest.
pub fn names() -> Vec<String> {
    let mut names = guest::test_names(guest::Scope::Guests);
    names.extend(guest::program_names());
    names
}

/// Runs the tests in a guest for each kernel, as many at a time as there are CPUs.
pub fn run(rows: &[&'static Kernel], only: Only<'_>, summary: &mut Summary) {
    let start = Instant::now();
    match all(rows, only) {
        Ok(mut guests) => {
            guests.sort_by_key(|guest| rows.iter().position(|row| row.name == guest.kernel));
            for guest in guests {
                let name = format!("kernel {} ({})", guest.kernel, guest.release);
                summary.add(&name, guest.result, guest.took);
                for failure in guest.failures {
                    println!("{failure}");
                }
            }
        }
        Err(error) => summary.add("kernels", Err(error), start.elapsed()),
    }
}

/// How the tests in a guest went.
struct Tested {
    kernel: &'static str,
    release: String,
    result: Result<Tally>,
    /// The lines that name failed tests, to be repeated at the end.
    failures: Vec<String>,
    took: Duration,
}

fn all(rows: &[&'static Kernel], only: Only<'_>) -> Result<Vec<Tested>> {
    let base = guest_root::base(&binaries::build()?)?;
    let layers = [packages::root_filesystem(&packages::DEBIAN)?];
    let installed = kernels::install_all(rows, false)?;
    for kernel in &installed {
        if let Some(newer) = sites::newer(&kernel.release)? {
            println!("warning: {newer}");
        }
    }

    let waiting = Mutex::new(installed.iter().collect::<VecDeque<_>>());
    let tested = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers.min(installed.len()) {
            scope.spawn(|| {
                while let Some(kernel) = next(&waiting) {
                    let one = one(kernel, &base, &layers, only);
                    let mut tested = tested.lock().unwrap_or_else(PoisonError::into_inner);
                    tested.push(one);
                }
            });
        }
    });
    Ok(tested.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn next<'a>(waiting: &Mutex<VecDeque<&'a Installed>>) -> Option<&'a Installed> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.pop_front()
}

fn one(kernel: &Installed, base: &Archive, layers: &[PathBuf], only: Only<'_>) -> Tested {
    let machine = VirtualMachine {
        kernel,
        base,
        layers,
        files: Archive::default(),
        append: "",
        processors: 2,
        memory: vm::MEMORY,
        count_instructions: false,
    };
    let mut script = vm::TESTS.to_owned();
    for name in only.0 {
        script += &format!(" --only {}", vm::quoted(name));
    }
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
    let start = Instant::now();
    let outcome = machine.run(&script, LIMIT, |bytes| lines.push(bytes, &mut take));
    lines.finish(&mut take);
    Tested {
        kernel: kernel.name,
        release: kernel.release.clone(),
        result: outcome.map(|outcome| tally.with_exit(outcome.status == 0)),
        failures,
        took: start.elapsed(),
    }
}
