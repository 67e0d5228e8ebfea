//! `capable generate`: man pages and completions, from the definition of the command line.
//!
//! For those who package the program: what it writes is committed in `docs/`, and a test holds the
//! two together.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _, ValueEnum, ValueHint, builder::PossibleValuesParser};
use clap_complete::{Generator as _, Shell};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use crate::{capability::Capability, cli::Cli, output::columns::COLUMNS, profile::emit};

/// Write man pages or completions
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to write
    #[arg(value_enum)]
    what: What,

    /// The folder to write to; it is made where it is missing
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

/// Shells that get completions.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Writes the files.
///
/// # Errors
///
/// The folder or a file in it cannot be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let folder = &args.folder;
    let write = || {
        fs::create_dir_all(folder)?;
        match args.what {
            What::Man => man_pages(folder),
            What::Completions => completions(folder),
        }
    };
    write().with_context(|| format!("cannot write to {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn completions(folder: &Path) -> io::Result<()> {
    for shell in SHELLS {
        let mut command = with_values(visible());
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, "capable", &mut script);
        if shell == Shell::Fish {
            script = for_fish(&String::from_utf8_lossy(&script)).into_bytes();
        }
        fs::write(folder.join(shell.file_name("capable")), script)?;
    }
    Ok(())
}

/// What clap's script for fish lacks: it loses track behind an option whose value is being typed,
/// and offers no values where there is no option.
fn for_fish(script: &str) -> String {
    const PARSED: &str = "    argparse -s (__fish_capable_global_optspecs) -- $cmd 2>/dev/null\n";
    let again = format!(
        "{PARSED}    or {}",
        PARSED.trim_start().replace("$cmd", "$cmd[1..-2]")
    );
    let names: Vec<String> = Capability::all()
        .map(|it| it.short_name().to_string())
        .collect();
    format!(
        "{}complete -c capable -n \"__fish_capable_using_subcommand explain\" -f -a \"{}\"\n",
        script.replace(PARSED, &again),
        names.join(" ")
    )
}

/// The command line with the values that a shell can offer, where the program itself takes more
/// than these: `!net_raw`, numbers, masks.
fn with_values(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let hint = match argument.get_id().as_str() {
            "capabilities" | "caps" | "drop" => {
                // clap keeps them as long as the program runs.
                let names = Capability::all().map(|it| &*it.short_name().to_string().leak());
                return argument.value_parser(PossibleValuesParser::new(names));
            }
            "emit" => return argument.value_parser(clap::value_parser!(emit::Format)),
            "columns" => {
                let keys = COLUMNS.iter().map(|column| column.key);
                return argument.value_parser(PossibleValuesParser::new(keys.chain(["help"])));
            }
            "users" | "user" => ValueHint::Username,
            "cgroups" => ValueHint::DirPath,
            "targets" | "report" | "allow" | "baseline" => ValueHint::AnyPath,
            "command" => ValueHint::CommandWithArguments,
            _ if !argument.get_action().takes_values() => return argument,
            _ if !argument.get_possible_values().is_empty() => return argument,
            // Names of files would only be in the way.
            _ => ValueHint::Other,
        };
        argument.value_hint(hint)
    });
    command.mut_subcommands(with_values)
}

/// The command line without what is hidden: clap's generators for shells would offer it.
fn visible() -> Command {
    let whole = Cli::command();
    let shown: Vec<Command> = whole
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .cloned()
        .collect();
    let mut bare = Command::new("capable").args_conflicts_with_subcommands(true);
    for argument in whole.get_arguments() {
        bare = bare.arg(argument.clone());
    }
    for group in whole.get_groups() {
        bare = bare.group(group.clone());
    }
    bare.subcommands(shown)
        .version(env!("CARGO_PKG_VERSION"))
        .about(whole.get_about().cloned().unwrap_or_default())
}

fn man_pages(folder: &Path) -> io::Result<()> {
    let mut whole = Cli::command().disable_help_subcommand(true);
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
    // clap_mangen leaves out the help of what the short help hides.
    let mut command = command
        .clone()
        .subcommand_help_heading("Commands")
        .mut_args(|argument| argument.hide_short_help(false));
    let usage = command.render_usage().to_string();
    let man = Man::new(command.clone());
    let mut file = File::create(folder.join(format!("{name}.1")))?;
    // The date is left empty: the same command line gives the same page on every day.
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

/// Takes the text after the options apart: a line that ends in a colon is a heading, and so is
/// what stands before the colon in a paragraph that begins with one.
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

/// What may begin a paragraph as its heading.
const HEADINGS: [&str; 2] = ["Exit status", "Environment"];

/// Writes a section: lines that are indented stand as they are, others are filled.
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

    #[test]
    fn completions_do_not_offer_what_is_hidden() {
        let names: Vec<String> = visible()
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        assert!(names.contains(&"trace".to_owned()));
        assert!(!names.contains(&"generate".to_owned()));
    }

    #[test]
    fn completions_offer_capabilities_columns_and_files() {
        let whole = with_values(visible());
        let values = |command: &str, id: &str| -> Vec<String> {
            let command = whole.find_subcommand(command).unwrap();
            let mut arguments = command.get_arguments();
            let argument = arguments.find(|argument| argument.get_id() == id).unwrap();
            let values = argument.get_possible_values();
            values.iter().map(|it| it.get_name().to_owned()).collect()
        };
        for command in ["trace", "top", "explain"] {
            let offered = values(command, "capabilities");
            assert!(offered.contains(&"net_raw".to_owned()), "{command}");
        }
        assert!(values("trace", "columns").contains(&"syscall".to_owned()));
        assert!(values("run", "emit").contains(&"systemd".to_owned()));
    }

    #[test]
    fn the_script_for_fish_is_mended_where_clap_leaves_gaps() {
        let mut script = Vec::new();
        clap_complete::generate(Shell::Fish, &mut visible(), "capable", &mut script);
        let mended = for_fish(&String::from_utf8(script).unwrap());
        assert!(mended.contains("or argparse -s (__fish_capable_global_optspecs) -- $cmd[1..-2]"));
        assert!(mended.ends_with(" checkpoint_restore\"\n"));
    }
}
