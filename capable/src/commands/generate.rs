//! `capable generate`: man pages and completions, from the definition of the command line.
//!
//! It is for packagers. Its output is committed in `docs/`, and a test compares the two.

mod completions;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::{Command, ValueEnum};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::Usage;

/// Write man pages or completions
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to write
    #[arg(value_enum)]
    what: What,

    /// The directory to write to; created if it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// A man page for the program and one for each of its commands
    Man,
    /// Completions for bash, zsh and fish
    Completions,
}

/// Writes the files of a command line.
///
/// # Errors
///
/// If the directory or a file in it cannot be written.
pub fn run(args: &Args, whole: Command) -> Result<ExitCode> {
    let folder = &args.folder;
    if folder.as_os_str() == "-" {
        return Err(Usage::message(
            "'-' would be standard output, which cannot take several files: give a directory, \
             such as ./man",
        ));
    }
    let write = || {
        fs::create_dir_all(folder)?;
        match args.what {
            What::Man => man_pages(whole, folder),
            What::Completions => completions::write(&whole, folder),
        }
    };
    write().with_context(|| format!("cannot write to {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn man_pages(whole: Command, folder: &Path) -> io::Result<()> {
    let mut whole = whole.disable_help_subcommand(true);
    whole.build();
    page(&whole, "capable", folder)?;
    for command in whole.get_subcommands().filter(|each| !each.is_hide_set()) {
        page(command, &format!("capable-{}", command.get_name()), folder)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str, folder: &Path) -> io::Result<()> {
    let notes = command
        .get_after_long_help()
        .or(command.get_after_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    // clap_mangen leaves out the help of arguments that the short help hides.
    let mut command = command
        .clone()
        .subcommand_help_heading("COMMANDS")
        .mut_args(|argument| argument.hide_short_help(false));
    let usage = command.render_usage().to_string();
    let man = Man::new(command.clone());
    let mut file = File::create(folder.join(format!("{name}.1")))?;
    // The date is left empty, so that the same command line gives the same page every day.
    writeln!(
        file,
        r#".TH {} 1 "" "capable {}" "User Commands""#,
        name.to_uppercase(),
        env!("CARGO_PKG_VERSION")
    )?;
    man.render_name_section(&mut file)?;
    let usage: Vec<String> = usage
        .trim_start_matches("Usage:")
        .lines()
        .map(|line| format!("  {}", line.trim()))
        .collect();
    section("SYNOPSIS", &usage, &mut file)?;
    man.render_description_section(&mut file)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(&mut file)?;
    }
    if command.get_subcommands().any(|each| !each.is_hide_set()) {
        man.render_subcommands_section(&mut file)?;
    }
    for (title, lines) in sections(&notes) {
        section(&title, &lines, &mut file)?;
    }
    if name != "capable" {
        let mut see = Roff::new();
        see.control("SH", ["SEE ALSO"]);
        see.text([
            bold("capable"),
            roman("(1), "),
            bold("capabilities"),
            roman("(7)"),
        ]);
        see.to_writer(&mut file)?;
    }
    file.flush()
}

/// Splits the text after the options into sections. A line that ends in a colon is a heading, and
/// so is the known word before the colon at the beginning of a paragraph.
fn sections(notes: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for paragraph in notes.split("\n\n").filter(|text| !text.trim().is_empty()) {
        let mut lines: Vec<String> = paragraph.lines().map(str::to_owned).collect();
        let title = match lines[0].split_once(':') {
            Some((title, "")) if !title.starts_with(' ') => {
                let title = title.to_uppercase();
                lines.remove(0);
                title
            }
            Some((title, rest)) if HEADINGS.contains(&title) => {
                let title = title.to_uppercase();
                lines[0] = rest.trim_start().to_owned();
                title
            }
            _ => "NOTES".to_owned(),
        };
        match found.last_mut() {
            Some((last, before)) if *last == title => {
                before.push(String::new());
                before.append(&mut lines);
            }
            _ => found.push((title, lines)),
        }
    }
    found
}

/// The headings that may begin a paragraph.
const HEADINGS: [&str; 2] = ["Exit status", "Environment"];

/// Writes a section. Indented lines are kept as they are, others are filled.
fn section(title: &str, lines: &[String], out: &mut impl Write) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    let verbatim = lines.iter().any(|line| line.starts_with("  "));
    if verbatim {
        roff.control("nf", []);
    }
    for line in lines {
        match (line.is_empty(), verbatim) {
            (true, true) => roff.control("sp", []),
            (true, false) => roff.control("PP", []),
            _ => roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]),
        };
    }
    if verbatim {
        roff.control("fi", []);
    }
    roff.to_writer(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_options_becomes_sections_of_its_own() {
        let notes =
            "Some words.\n\nExamples:\n  capable -v  all\n\nExit status: 0, or\n1 where not.";
        let expected = [
            ("NOTES", vec!["Some words."]),
            ("EXAMPLES", vec!["  capable -v  all"]),
            ("EXIT STATUS", vec!["0, or", "1 where not."]),
        ];
        let found = sections(notes);
        assert_eq!(found.len(), expected.len());
        for ((title, lines), (expected, wanted)) in found.iter().zip(&expected) {
            assert_eq!(
                (title.as_str(), lines),
                (*expected, &wanted.iter().map(ToString::to_string).collect())
            );
        }
    }
}
