//! `cargo xtask test`: everything, from the unit tests to the guests.
//!
//! The tests come in parts. Each part knows the names of its tests without running them, so that
//! `--only` can say what it will run, and treat a name that matches nothing as an error.

mod cargo;
mod guests;
mod host;
mod library;
mod near;
mod oldest;
mod package;
mod summary;

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::kernels::{self, Kernel, Rows};
use crate::tally::Tally;
use crate::{build_ebpf, setup, sites};
use guests::{Guests, Kind};
use summary::Summary;

/// Options of `cargo xtask test`: without any, all parts but the slow ones.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The unit tests, and the checks of the committed eBPF objects, the oldest Rust and the library
    #[arg(long)]
    unit: bool,
    /// The tests on this machine's kernel
    #[arg(long)]
    host: bool,
    /// The tests on this kernel: 5.10, 6.1, 6.12, newest, or all of them (repeatable)
    #[arg(long = "kernel", value_name = "NAME", value_parser = kernels::rows)]
    kernels: Vec<Rows>,
    /// Everything, with what takes longer than CI has: the packages, the atlas and a long trace
    #[arg(long, conflicts_with_all = ["unit", "host", "kernels"])]
    all: bool,
    /// Only tests whose names contain this (repeatable)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Print the names of the tests and run none
    #[arg(long)]
    list: bool,
}

/// The tests to run in a part: those whose names contain one of these, or all if there are none.
#[derive(Clone, Copy, Debug)]
pub struct Only<'a>(&'a [String]);

impl Only<'_> {
    /// Whether a test with this name runs.
    fn wants(self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|part| name.contains(part.as_str()))
    }
}

/// When a part runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// With `--unit`.
    Unit,
    /// With `--host`.
    Host,
    /// With `--all`.
    Slow,
}

/// A part that needs no guest.
struct Part {
    name: &'static str,
    group: Group,
    names: fn() -> Result<Vec<String>>,
    run: fn(Only<'_>) -> Result<Tally>,
}

const PARTS: [Part; 11] = [
    Part {
        name: "unit tests",
        group: Group::Unit,
        names: cargo::unit_names,
        run: cargo::unit,
    },
    Part {
        name: "eBPF objects",
        group: Group::Unit,
        names: || Ok(vec![OBJECTS.into()]),
        run: |_| one(OBJECTS, build_ebpf::check_committed()),
    },
    Part {
        name: "the oldest Rust",
        group: Group::Unit,
        names: oldest::names,
        run: oldest::run,
    },
    Part {
        name: "the library",
        group: Group::Unit,
        names: library::names,
        run: library::run,
    },
    Part {
        name: "this machine's kernel",
        group: Group::Host,
        names: host::names,
        run: host::run,
    },
    Part {
        name: "this machine's kernel, Debian's programs",
        group: Group::Host,
        names: host::program_names,
        run: host::programs,
    },
    Part {
        name: "this machine's kernel, the manual's recipes",
        group: Group::Host,
        names: host::recipe_names,
        run: host::recipes,
    },
    Part {
        name: "this machine's kernel, live",
        group: Group::Host,
        names: cargo::live_names,
        run: cargo::live,
    },
    Part {
        name: "packages",
        group: Group::Slow,
        names: package::names,
        run: package::run,
    },
    Part {
        name: "the atlas",
        group: Group::Slow,
        names: || Ok(vec![ATLAS.into()]),
        run: |_| one(ATLAS, sites::test()),
    },
    Part {
        name: "a long trace",
        group: Group::Slow,
        names: || Ok(vec![SOAK.into()]),
        run: |_| one(SOAK, host::soak(SOAK_MINUTES)),
    },
];

const OBJECTS: &str = "the_ebpf_objects_are_those_of_their_sources";
const ATLAS: &str = "the_atlas_is_that_of_the_kernels_sources";
const SOAK: &str = "a_trace_at_the_highest_rate_keeps_its_memory_and_accounts_for_every_check";
const SOAK_MINUTES: u64 = 5;

/// Runs the subcommand.
pub fn run(options: &Options) -> Result<ExitCode> {
    setup::install()?;
    let only = Only(&options.only);
    let (parts, guests) = options.chosen();
    let (parts, guests) = match select(parts, guests, only, options.list)? {
        Selection::Nothing(message) => {
            eprintln!("error: {message}");
            return Ok(ExitCode::from(2));
        }
        _ if options.list => return Ok(ExitCode::SUCCESS),
        Selection::Some(parts, guests) => (parts, guests),
    };

    let mut summary = Summary::default();
    for part in parts {
        println!("--- {}", part.name);
        summary.time(part.name, || (part.run)(only));
    }
    if !guests.is_empty() {
        println!("--- kernels");
        guests::run(&guests, only, &mut summary);
    }
    Ok(summary.finish())
}

impl Options {
    /// The parts and the guests that these options name.
    fn chosen(&self) -> (Vec<&'static Part>, Vec<Guests>) {
        let every = !self.unit && !self.host && self.kernels.is_empty();
        let part = |part: &&Part| match part.group {
            Group::Unit => every || self.unit,
            Group::Host => every || self.host,
            // Anyone who names a test has time for it.
            Group::Slow => self.all || (every && !self.only.is_empty()),
        };
        let kernel =
            |kernel: &&Kernel| every || self.kernels.iter().any(|rows| rows.0.contains(kernel));
        let guests = Kind::ALL.map(|kind| {
            let kernels = kernels::TABLE.iter().filter(kernel);
            let kernels = kernels.filter(|kernel| kind.runs_on(kernel));
            (kind, kernels.collect::<Vec<_>>())
        });
        let guests = guests
            .into_iter()
            .filter(|(_, kernels)| !kernels.is_empty());
        (PARTS.iter().filter(part).collect(), guests.collect())
    }
}

/// The remaining parts and guests if tests are chosen by name.
enum Selection {
    Some(Vec<&'static Part>, Vec<Guests>),
    Nothing(String),
}

/// Leaves out parts and guests without a wanted test, and prints which tests are wanted if names are
/// given or a list is requested.
fn select(
    parts: Vec<&'static Part>,
    mut guests: Vec<Guests>,
    only: Only<'_>,
    list: bool,
) -> Result<Selection> {
    if only.0.is_empty() && !list {
        return Ok(Selection::Some(parts, guests));
    }
    let mut all = Vec::new();
    let mut chosen = Vec::new();
    let mut show = |heading: &str, names: Vec<String>| {
        let wanted: Vec<&String> = names.iter().filter(|name| only.wants(name)).collect();
        let some = !wanted.is_empty();
        if some {
            println!("{heading}:");
        }
        for name in wanted {
            println!("    {name}");
        }
        all.extend(names);
        some
    };
    for part in parts {
        let names = (part.names)().with_context(|| format!("cannot list the {}", part.name))?;
        if show(part.name, names) {
            chosen.push(part);
        }
    }
    guests.retain(|(kind, kernels)| show(&kind.heading(kernels), kind.names()));
    if chosen.is_empty() && guests.is_empty() {
        return Ok(Selection::Nothing(near::message(only.0, &all)));
    }
    Ok(Selection::Some(chosen, guests))
}

/// A part that consists of a single test.
fn one(name: &str, outcome: Result<()>) -> Result<Tally> {
    let mut tally = Tally::default();
    tally.record(name, outcome);
    Ok(tally)
}
