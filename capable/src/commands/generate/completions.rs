//! Completions: the command line, with the values that a shell can offer.

use std::{fs, io, path::Path};

use clap::{Command, CommandFactory as _, ValueHint, builder::PossibleValuesParser};
use clap_complete::{Generator as _, Shell};

use crate::{capability::Capability, cli::Cli, output::columns::COLUMNS, profile::emit};

/// Shells that get completions.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Writes a script for each shell.
pub(super) fn write(folder: &Path) -> io::Result<()> {
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
            "emit" => return argument.value_parser(clap::value_parser!(emit::Consumer)),
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

#[cfg(test)]
mod tests {
    use super::*;

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
