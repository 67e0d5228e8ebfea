//! Compares the atlas of the kernel's capability checks with the kernels' sources.
//!
//! Every call that makes a check is found in the source of each kernel in the table ([`scan`]), and
//! must have a line in `capable/atlas` that says what the kernel does with the answer
//! ([`crate::atlas::line`]). Plain cases are determined by the program ([`form`], [`reach`]);
//! everything else is read by a person. Some are proved on running kernels (`guest/proofs/`).

mod answers;
mod asked;
mod atlas;
mod between;
mod callers;
mod calls;
mod entries;
mod errno;
mod find;
mod flow;
mod form;
mod helpers;
mod hooks;
mod index;
mod inlined;
mod items;
mod lock;
mod makers;
mod pages;
mod ranges;
mod reach;
mod report;
mod scan;
mod source;
mod stacks;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod unit;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::atlas::{kernels, line};
use crate::kernels::TABLE;
use atlas::{Atlas, Scanned};
#[cfg(test)]
pub use lock::versions;
use scan::Scan;
use source::Source;
use stacks::Stacks;

/// What is to be done with the atlas.
#[derive(Debug, Default, Args)]
pub struct Options {
    /// Print what a person has to read of a subsystem (`fs`, `drivers/net`), or of all
    #[arg(long, value_name = "SUBSYSTEM", num_args = 0..=1, default_missing_value = "")]
    todo: Option<String>,
    /// Print what is read and unread of each subsystem
    #[arg(long, conflicts_with = "todo")]
    subsystems: bool,
    /// Fail where a site has no line, or a line no site
    #[arg(long, conflicts_with = "todo")]
    check: bool,
    /// Write lines for the sites that have none, and all files anew
    #[arg(long, conflicts_with_all = ["todo", "check"])]
    write: bool,
    /// Fetch the sources anew
    #[arg(long)]
    fetch: bool,
}

/// The test that the atlas matches the kernels' sources, and that Debian has no newer ones.
pub fn test() -> Result<()> {
    for kernel in &TABLE {
        lock::check_offered(kernel.name, &source::offered(kernel)?)?;
    }
    run(&Options {
        check: true,
        ..Options::default()
    })?;
    Ok(())
}

/// The message about a kernel, given by its release, that is newer than all kernels of the atlas.
pub fn newer(release: &str) -> Result<Option<String>> {
    lock::newer(release)
}

/// Compares the atlas with the sources.
pub fn run(options: &Options) -> Result<ExitCode> {
    if options.subsystems {
        report::subsystems(&Atlas::load()?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut sources = Vec::new();
    let mut kernels = Vec::new();
    let mut stacks = Stacks::default();
    for kernel in &TABLE {
        let source = Source::fetch(kernel, options.fetch)?;
        let Scan { sites, helpers } = scan::scan(&source)?;
        stacks.add(&sites, helpers);
        stacks.add_hooks(&sites, &source)?;
        kernels.push(Scanned {
            version: source.version()?,
            sites,
        });
        sources.push(source);
    }
    let mut atlas = Atlas::load()?;
    if options.write || options.check {
        let versions: Vec<_> = kernels.iter().map(|kernel| kernel.version).collect();
        stacks.add_ways(&atlas, &versions, &sources)?;
    }
    if options.write {
        let new = atlas.missing(&kernels);
        println!("{} lines are new", new.len());
        atlas.renew(&kernels);
        atlas.lines.extend(new);
        atlas.save()?;
        stacks.save()?;
        pages::save(&atlas)?;
        lock::write(&sources)?;
    } else if options.check {
        lock::check(&sources)?;
        stacks.check()?;
        pages::check(&atlas)?;
        let versions = kernels.iter().map(|kernel| kernel.version);
        let pairs: Vec<_> = versions.zip(&sources).collect();
        let unknown = callers::unknown(&atlas, &pairs)?;
        for (line, version) in &unknown {
            println!("no such caller in {version}, {}: {line}", line.key.file);
        }
        if !report::differences(&atlas, &kernels) || !unknown.is_empty() {
            bail!("the atlas is not that of these kernels: cargo xtask sites --write");
        }
    } else if let Some(subsystem) = &options.todo {
        report::todo(&atlas, &kernels, &sources, subsystem);
        return Ok(ExitCode::SUCCESS);
    }
    report::summary(&atlas, &kernels);
    Ok(ExitCode::SUCCESS)
}
