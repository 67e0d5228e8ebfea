//! File capabilities with setcap(8).

use std::path::Path;

use super::{Emitter, ProgramNeeds, RunsAs, comment, libcap_names, line_comment, shell};
use crate::capability::CapabilitySet;
use crate::profile::words::harmless;

/// Writes the command for the file that needs them.
///
/// `+ep` makes them permitted and, for programs that know nothing about capabilities, effective
/// from the start. Inheritable is left out: it gives nothing to a program whose caller has no
/// inheritable set (capabilities(7), "Transformation of capabilities during execve()").
pub(super) struct Setcap;

impl Emitter for Setcap {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "File capabilities");
        if let Some(interpreter) = &needs.interpreter {
            script(out, needs, interpreter);
            return;
        }
        if let Some(name) = needs.executable.as_deref().and_then(interpreter_name) {
            runs_what_it_is_told(out, needs, &name);
            return;
        }
        let Some(set) = own_set(out, needs) else {
            return;
        };
        let file = match needs.executable.as_deref().map(Path::to_str) {
            Some(Some(file)) => shell::quoted(file),
            Some(None) => {
                comment(
                    out,
                    "The file's path is not UTF-8: put it in place of FILE.",
                );
                "FILE".to_owned()
            }
            None => {
                comment(out, "The file is not known: put its path in place of FILE.");
                "FILE".to_owned()
            }
        };
        let names = libcap_names(set);
        if names.is_empty() {
            comment(
                out,
                "It needs none: this removes the capabilities of the file, if it has any.",
            );
            out.push_str(&format!("setcap -r {file}\n"));
            return;
        }
        if needs.runs_as == RunsAs::Root {
            comment(out, "It ran as root, which needs no file capabilities.");
        }
        comment(
            out,
            "Every user that may execute the file gets them, except on nosuid mounts and under \
             no_new_privs. Programs that it executes do not get them.",
        );
        let value = format!("{}+ep", names.join(","));
        out.push_str(&format!("setcap {value} {file}\n"));
        comment(out, "Check with:");
        line_comment(out, &format!("setcap -v {value} {file}"));
    }
}

/// The kernel reads the capabilities of the file that is finally executed, which is the interpreter
/// (`bprm_creds_from_file`, fs/exec.c, Linux 5.8 and later).
fn script(out: &mut String, needs: &ProgramNeeds, interpreter: &Path) {
    let interpreter = interpreter.display();
    comment(
        out,
        &format!(
            "It is a script: the kernel ignores capabilities of scripts, and {interpreter} would \
             give them to every script. Use --emit systemd or capsh, or a compiled program."
        ),
    );
    line_comment(
        out,
        &format!("Needed: {}", libcap_names(needs.set).join(",")),
    );
}

/// No command for a file that runs what it is told: with capabilities on a shell, each user has them.
fn runs_what_it_is_told(out: &mut String, needs: &ProgramNeeds, name: &str) {
    if needs.set.is_empty() {
        comment(out, "It needs none.");
        return;
    }
    comment(
        out,
        &format!(
            "{name} is an interpreter: with capabilities on it, every user that may execute it could \
             run anything with them. So there is no command for it. Use --emit systemd or \
             --emit capsh, or give the capabilities to the files of the programs that need them:"
        ),
    );
    let whole = [(name.to_owned(), needs.set)];
    let each = if needs.by_program.is_empty() {
        &whole[..]
    } else {
        &needs.by_program
    };
    for (program, set) in each {
        comment(out, &format!("{program}: {}", libcap_names(*set).join(",")));
    }
}

/// The name of the file if it is known to run other people's programs.
fn interpreter_name(file: &Path) -> Option<String> {
    const NAMES: [&str; 14] = [
        "ash", "awk", "bash", "busybox", "dash", "java", "lua", "node", "perl", "php", "python",
        "ruby", "sh", "zsh",
    ];
    let name = file.file_name()?.to_str()?;
    // python3.11, perl5.36.0
    let plain = name.trim_end_matches(|each: char| each.is_ascii_digit() || each == '.');
    NAMES.contains(&plain).then(|| harmless(name))
}

/// The set of the program that this file is for. The sets of other programs in the tree are written
/// as comments, because they belong on other files. `None` if only others need any.
fn own_set(out: &mut String, needs: &ProgramNeeds) -> Option<CapabilitySet> {
    /// A task's name is 15 bytes (`TASK_COMM_LEN`, include/linux/sched.h).
    const COMM: usize = 15;
    let file = needs.executable.as_deref();
    let own = |program: &str| {
        let name = file
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy());
        file.is_some_and(|file| file == Path::new(program))
            || name.is_some_and(|name| {
                name == program || (program.len() == COMM && name.starts_with(program))
            })
    };
    let (mine, others): (Vec<_>, Vec<_>) = needs
        .by_program
        .iter()
        .partition(|(program, _)| own(program));
    if others.is_empty() {
        return Some(needs.set);
    }
    if mine.is_empty() {
        comment(
            out,
            "The file itself needs none. These are other programs, whose files need their own:",
        );
        for (program, set) in &needs.by_program {
            comment(out, &format!("{program}: {}", libcap_names(*set).join(",")));
        }
        return None;
    }
    for (program, set) in others {
        let names = libcap_names(*set).join(",");
        comment(
            out,
            &format!("Not included: {program} is another file and needs {names}."),
        );
    }
    let own = mine
        .iter()
        .fold(CapabilitySet::EMPTY, |all, (_, set)| all.union(*set));
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{lines, needs};
    use crate::capability::Capability;

    #[test]
    fn the_file_gets_them_permitted_and_effective() {
        let mut needs = needs("net_raw,net_admin");
        needs.executable = Some("/usr/bin/my ping".into());
        assert_eq!(
            lines(Consumer::Setcap, &needs),
            ["setcap cap_net_admin,cap_net_raw+ep '/usr/bin/my ping'"]
        );
    }

    #[test]
    fn an_empty_set_removes_what_the_file_has() {
        assert_eq!(
            lines(Consumer::Setcap, &needs("none")),
            ["setcap -r /usr/bin/prog"]
        );
    }

    #[test]
    fn a_script_gets_no_command_and_the_reason() {
        let mut needs = needs("net_raw");
        needs.interpreter = Some("/bin/sh".into());
        assert_eq!(lines(Consumer::Setcap, &needs), Vec::<String>::new());
        let text = Consumer::Setcap.emit(&needs);
        assert!(text.contains("/bin/sh"), "{text}");
        assert!(text.contains("Needed: cap_net_raw"), "{text}");
    }

    #[test]
    fn an_interpreter_gets_no_command_and_the_reason() {
        for (file, is_one) in [
            ("/usr/bin/python3.11", true),
            ("/bin/sh", true),
            ("/usr/bin/ping", false),
        ] {
            let mut needs = needs("net_raw");
            needs.executable = Some(file.into());
            let text = Consumer::Setcap.emit(&needs);
            assert_eq!(text.contains("is an interpreter"), is_one, "{text}");
            assert_eq!(lines(Consumer::Setcap, &needs).is_empty(), is_one, "{text}");
            assert_eq!(text.contains(": cap_net_raw"), is_one, "{text}");
        }
    }

    #[test]
    fn a_program_whose_children_need_all_gets_no_command() {
        let mut needs = needs("sys_nice");
        needs.by_program = vec![("nice".to_owned(), Capability::SYS_NICE.into())];
        assert_eq!(lines(Consumer::Setcap, &needs), Vec::<String>::new());
        let text = Consumer::Setcap.emit(&needs);
        assert!(text.contains("nice: cap_sys_nice"), "{text}");
    }

    #[test]
    fn each_file_of_the_tree_gets_only_its_own() {
        let mut needs = needs("net_raw,sys_admin");
        needs.by_program = vec![
            ("prog".to_owned(), Capability::NET_RAW.into()),
            ("mount".to_owned(), Capability::SYS_ADMIN.into()),
        ];
        assert_eq!(
            lines(Consumer::Setcap, &needs),
            ["setcap cap_net_raw+ep /usr/bin/prog"]
        );
        let text = Consumer::Setcap.emit(&needs);
        assert!(
            text.contains("mount is another file and needs cap_sys_admin"),
            "{text}"
        );
    }

    #[test]
    fn a_long_name_is_recognised_by_what_the_kernel_keeps_of_it() {
        let mut needs = needs("net_raw,chown");
        needs.executable = Some("/usr/sbin/a-very-long-program".into());
        needs.by_program = vec![
            ("a-very-long-pro".to_owned(), Capability::NET_RAW.into()),
            ("sh".to_owned(), Capability::CHOWN.into()),
        ];
        assert_eq!(
            lines(Consumer::Setcap, &needs),
            ["setcap cap_net_raw+ep /usr/sbin/a-very-long-program"]
        );
    }
}
