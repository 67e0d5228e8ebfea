//! Completions: the command line, with the values that a shell can suggest.

use std::{fs, io, path::Path};

use clap::{Command, ValueHint, builder::PossibleValuesParser};
use clap_complete::{Generator as _, Shell};

use crate::{capability::Capability, commands::explain, output::columns::COLUMNS, profile::emit};

/// Shells that get completions.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Writes a script for each shell.
pub(super) fn write(whole: &Command, folder: &Path) -> io::Result<()> {
    for shell in SHELLS {
        let mut command = with_values(visible(whole));
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, "capable", &mut script);
        if shell == Shell::Fish {
            script = for_fish(&String::from_utf8_lossy(&script)).into_bytes();
        }
        fs::write(folder.join(shell.file_name("capable")), script)?;
    }
    Ok(())
}

/// Adds what clap's script for fish lacks: it goes wrong after an option whose value is being
/// typed, and suggests no values if no option was typed.
fn for_fish(script: &str) -> String {
    const PARSED: &str = "    argparse -s (__fish_capable_global_optspecs) -- $cmd 2>/dev/null\n";
    let again = format!(
        "{PARSED}    or {}",
        PARSED.trim_start().replace("$cmd", "$cmd[1..-2]")
    );
    let names: Vec<String> = Capability::all()
        .map(|it| it.short_name().to_string())
        .chain(explain::topics().map(str::to_owned))
        .collect();
    format!(
        "{}complete -c capable -n \"__fish_capable_using_subcommand explain\" -f -a \"{}\"\n",
        script.replace(PARSED, &again),
        names.join(" ")
    )
}

/// The command line with the values that a shell can suggest. The program itself accepts more than
/// these: `!net_raw`, numbers, masks.
fn with_values(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let hint = match argument.get_id().as_str() {
            "capabilities" | "caps" | "drop" => {
                // clap needs them for as long as the program runs.
                let names = Capability::all().map(|it| &*it.short_name().to_string().leak());
                return argument.value_parser(PossibleValuesParser::new(names));
            }
            // What `explain` is asked about: the values of the other shells stand in their scripts.
            "subjects" => {
                let names = Capability::all().map(|it| &*it.short_name().to_string().leak());
                let names = names.chain(explain::topics());
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
            // File names would only get in the way.
            _ => ValueHint::Other,
        };
        argument.value_hint(hint)
    });
    command.mut_subcommands(with_values)
}

/// The command line without hidden arguments, which clap's shell generators would suggest.
fn visible(whole: &Command) -> Command {
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
    use clap::Arg;

    use super::*;

    /// A command line built like the program's.
    fn whole() -> Command {
        let trace = Command::new("trace")
            .arg(Arg::new("capabilities").long("capability"))
            .arg(Arg::new("columns").long("columns"))
            .arg(Arg::new("emit").long("emit"))
            .arg(Arg::new("users").long("user"))
            .arg(Arg::new("duration").long("duration"));
        Command::new("capable").subcommands([trace, Command::new("generate").hide(true)])
    }

    #[test]
    fn completions_do_not_offer_what_is_hidden() {
        let shown = visible(&whole());
        let names: Vec<&str> = shown.get_subcommands().map(Command::get_name).collect();
        assert_eq!(names, ["trace"]);
    }

    #[test]
    fn completions_offer_capabilities_columns_and_users() {
        let whole = with_values(visible(&whole()));
        let trace = whole.find_subcommand("trace").unwrap();
        let argument = |id: &str| trace.get_arguments().find(|it| it.get_id() == id).unwrap();
        let values = |id: &str| -> Vec<String> {
            let values = argument(id).get_possible_values();
            values.iter().map(|it| it.get_name().to_owned()).collect()
        };
        assert!(values("capabilities").contains(&"net_raw".to_owned()));
        assert!(values("columns").contains(&"syscall".to_owned()));
        assert!(values("emit").contains(&"systemd".to_owned()));
        assert_eq!(argument("users").get_value_hint(), ValueHint::Username);
        assert_eq!(argument("duration").get_value_hint(), ValueHint::Other);
    }

    #[test]
    fn the_script_for_fish_is_mended_where_clap_leaves_gaps() {
        let mut script = Vec::new();
        clap_complete::generate(Shell::Fish, &mut visible(&whole()), "capable", &mut script);
        let mended = for_fish(&String::from_utf8(script).unwrap());
        assert!(mended.contains("or argparse -s (__fish_capable_global_optspecs) -- $cmd[1..-2]"));
        assert!(mended.ends_with(" file-capabilities user-namespaces\"\n"));
    }
}
