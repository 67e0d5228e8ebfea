//! The tests in the guests of each kernel: a bare one, and those with an installed system.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::Only;
use super::summary::Summary;
use crate::initramfs::Archive;
use crate::kernels::{self, Installed, Kernel};
use crate::qemu::VirtualMachine;
use crate::system::{self, BOOKWORM, Role};
use crate::tally::{Lines, Tally};
use crate::{binaries, guest, guest_root, packages, sites, vm};

/// How long the tests in one guest may take: several times as long as on two CPUs.
const LIMIT: Duration = Duration::from_secs(1500);

/// What is in a guest besides the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A shell as the first process, and Debian's programs.
    Bare,
    /// Debian as installed, with systemd.
    System,
    /// The same, with the engines of containers.
    Containers,
}

impl Kind {
    /// All kinds. Those that take longer begin.
    pub const ALL: [Self; 3] = [Self::Bare, Self::Containers, Self::System];

    /// Whether there is such a guest with this kernel.
    pub fn runs_on(self, kernel: &Kernel) -> bool {
        match self {
            Self::Bare | Self::System => true,
            // Engines of other suites were not tried, and CI has no time for more.
            Self::Containers => kernel.installed == &BOOKWORM,
        }
    }

    /// What its system is for, if one is installed.
    fn role(self) -> Option<Role> {
        match self {
            Self::Bare => None,
            Self::System => Some(Role::Server),
            Self::Containers => Some(Role::Containers),
        }
    }

    /// The names of the tests of each such guest.
    pub fn names(self) -> Vec<String> {
        match self {
            Self::Bare => {
                let mut names = guest::test_names(guest::Scope::Guests);
                names.extend(guest::program_names());
                names
            }
            Self::System => guest::system_names(),
            Self::Containers => guest::container_names(),
        }
    }

    /// What guests with these kernels are called together.
    pub fn heading(self, kernels: &[&Kernel]) -> String {
        let names = kernels.iter().map(|kernel| match self {
            Self::Bare => kernel.name.to_owned(),
            Self::System | Self::Containers => {
                format!("{} ({})", kernel.name, kernel.installed.name)
            }
        });
        let names = names.collect::<Vec<_>>().join(", ");
        match self {
            Self::Bare => format!("kernels {names}"),
            Self::System => format!("installed systems, kernels {names}"),
            Self::Containers => format!("containers, kernels {names}"),
        }
    }
}

/// The kernels of the guests of a kind.
pub type Guests = (Kind, Vec<&'static Kernel>);

/// Runs the tests in these guests, as many at a time as there are CPUs.
pub fn run(chosen: &[Guests], only: Only<'_>, summary: &mut Summary) {
    let start = Instant::now();
    match all(chosen, only) {
        Ok(mut guests) => {
            guests.sort_by_key(|guest| guest.number);
            for guest in guests {
                summary.add(&guest.name, guest.result, guest.took);
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
    number: usize,
    name: String,
    result: Result<Tally>,
    /// The lines that name failed tests, to be repeated at the end.
    failures: Vec<String>,
    took: Duration,
}

/// A guest to boot.
struct Guest<'a> {
    number: usize,
    kind: Kind,
    kernel: &'a Installed,
}

/// What the guests of a kind are made from.
struct Parts {
    kind: Kind,
    base: Archive,
    layers: Vec<PathBuf>,
}

impl Parts {
    fn of(kind: Kind, programs: &[PathBuf]) -> Result<Self> {
        let (base, layers) = match kind {
            Kind::Bare => {
                let debian = packages::root_filesystem(&packages::DEBIAN)?;
                (guest_root::base(programs)?, vec![debian])
            }
            Kind::System | Kind::Containers => (system::base(programs)?, Vec::new()),
        };
        Ok(Self { kind, base, layers })
    }
}

fn all(chosen: &[Guests], only: Only<'_>) -> Result<Vec<Tested>> {
    let programs = binaries::build()?;
    let parts: Vec<Parts> = chosen
        .iter()
        .map(|&(kind, _)| Parts::of(kind, &programs))
        .collect::<Result<_>>()?;
    let rows = kernels::TABLE.iter();
    let rows = rows.filter(|row| chosen.iter().any(|(_, kernels)| kernels.contains(row)));
    let installed = kernels::install_all(&rows.collect::<Vec<_>>(), false)?;
    for kernel in &installed {
        if let Some(newer) = sites::newer(&kernel.release)? {
            println!("warning: {newer}");
        }
    }

    let guests = chosen
        .iter()
        .flat_map(|(kind, kernels)| {
            let named = |kernel: &&Installed| kernels.iter().any(|row| row.name == kernel.name);
            installed.iter().filter(named).map(|kernel| (*kind, kernel))
        })
        .enumerate()
        .map(|(number, (kind, kernel))| Guest {
            number,
            kind,
            kernel,
        });
    let waiting = Mutex::new(guests.collect::<VecDeque<_>>());
    let tested = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(guest) = next(&waiting) {
                    let one = guest.test(&parts, only);
                    let mut tested = tested.lock().unwrap_or_else(PoisonError::into_inner);
                    tested.push(one);
                }
            });
        }
    });
    Ok(tested.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn next<'a>(waiting: &Mutex<VecDeque<Guest<'a>>>) -> Option<Guest<'a>> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.pop_front()
}

impl Guest<'_> {
    /// The guest's name in the summary, and before each of its lines.
    fn names(&self) -> (String, String) {
        let Installed {
            name,
            release,
            suite,
            ..
        } = self.kernel;
        match self.kind {
            Kind::Bare => (format!("kernel {name} ({release})"), (*name).to_owned()),
            Kind::System => (
                format!("installed {}, kernel {name} ({release})", suite.name),
                format!("{} {name}", suite.name),
            ),
            Kind::Containers => (
                format!("containers on {}, kernel {name} ({release})", suite.name),
                format!("containers {name}"),
            ),
        }
    }

    fn test(&self, parts: &[Parts], only: Only<'_>) -> Tested {
        let (name, prefix) = self.names();
        let mut tally = Tally::default();
        let mut failures = Vec::new();
        let mut take = |line: &str| {
            tally.read(line);
            println!("[{prefix}] {line}");
            if line.contains("FAILED") {
                failures.push(line.to_owned());
            }
        };
        let start = Instant::now();
        let outcome = self.run(parts, only, &mut take);
        Tested {
            number: self.number,
            name,
            result: outcome.map(|success| tally.with_exit(success)),
            failures,
            took: start.elapsed(),
        }
    }

    /// Boots it and returns whether its command succeeded.
    fn run(&self, parts: &[Parts], only: Only<'_>, mut take: impl FnMut(&str)) -> Result<bool> {
        let Parts { base, layers, .. } = parts
            .iter()
            .find(|parts| parts.kind == self.kind)
            .context("a guest of a kind that was not prepared")?;
        let role = self.kind.role();
        let disk = role
            .map(|role| system::image(self.kernel.suite, role, false))
            .transpose()?;
        let machine = VirtualMachine {
            kernel: self.kernel,
            base,
            layers,
            files: Archive::default(),
            append: "",
            processors: 2,
            memory: role.map_or(vm::MEMORY, Role::memory),
            disk: disk.as_deref(),
            count_instructions: false,
        };
        let mut script = role.map_or(vm::TESTS, Role::tests).to_owned();
        for name in only.0 {
            script += &format!(" --only {}", vm::quoted(name));
        }
        let mut lines = Lines::default();
        let outcome = machine.run(&script, LIMIT, |bytes| lines.push(bytes, &mut take));
        lines.finish(&mut take);
        Ok(outcome?.status == 0)
    }
}
