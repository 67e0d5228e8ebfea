//! File capabilities with setcap(8).

use std::path::Path;

use super::{
    Emitter, NeedyProgram, ProgramNeeds, RunsAs, comment, libcap_names, line_comment, shell,
    told::does_what_it_is_told,
};
use crate::{event::is_named, profile::words::harmless};

/// Writes a command for each file that asked, unless the capabilities would be everybody's.
///
/// `+ep` makes them permitted and, for programs that know nothing about capabilities, effective
/// from the start. Inheritable is left out: it gives nothing to a program whose caller has no
/// inheritable set (capabilities(7), "Transformation of capabilities during execve()").
pub(super) struct Setcap;

impl Emitter for Setcap {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "File capabilities");
        if needs.runs_as == RunsAs::Root {
            comment(
                out,
                "It ran as root, which needs no file capabilities, and may open what belongs to \
                 root without any. As another user it may need more, or less: find it out with \
                 `capable run --user NAME --caps all`.",
            );
        }
        if needs.set.is_empty() {
            nothing(out, needs);
            return;
        }
        let mut written = Vec::new();
        for program in asking(needs) {
            let value = format!("{}+ep", libcap_names(program.set).join(","));
            match file(&program) {
                Ok(file) => written.push(format!("{value} {}", shell::quoted(file))),
                Err(reason) => {
                    let name = harmless(&program.name);
                    comment(out, &format!("No setcap {value} for {name}: {reason}."));
                }
            }
        }
        if written.is_empty() {
            comment(
                out,
                "To start it with what it needs, use --emit systemd or --emit capsh.",
            );
            return;
        }
        comment(
            out,
            "Every user that may execute the file gets them, except on nosuid mounts and under \
             no_new_privs. Programs that it executes do not get them.",
        );
        secure_execution(out, needs);
        for words in &written {
            out.push_str(&format!("setcap {words}\n"));
        }
        comment(out, "Check with:");
        for words in &written {
            line_comment(out, &format!("setcap -v {words}"));
        }
    }
}

/// Nothing is taken from a file for what was found as root: another user may use what it has.
fn nothing(out: &mut String, needs: &ProgramNeeds) {
    let file = match (
        &needs.runs_as,
        needs.executable.as_deref().map(Path::to_str),
    ) {
        (RunsAs::User(_), Some(Some(file))) => shell::quoted(file),
        _ => {
            comment(
                out,
                "It needed none, and capabilities that the file has are left as they are.",
            );
            return;
        }
    };
    comment(
        out,
        "It needs none: this removes the capabilities of the file, if it has any.",
    );
    out.push_str(&format!("setcap -r {file}\n"));
}

/// The programs that need something, with what is known of the command's own file.
fn asking(needs: &ProgramNeeds) -> impl Iterator<Item = NeedyProgram> {
    let own = |program: &NeedyProgram| {
        let named = |file: &&Path| {
            is_named(file, program.name.as_bytes()) || *file == Path::new(&program.name)
        };
        needs.executable.as_deref().filter(named).is_some()
    };
    needs.programs.iter().cloned().map(move |mut program| {
        if own(&program) {
            program.file = needs.executable.clone();
            program.interpreter = needs.interpreter.clone();
        }
        program
    })
}

/// The file of a program, or why it must not have what the program needs.
fn file(program: &NeedyProgram) -> Result<&str, String> {
    // The kernel reads the capabilities of the file that is finally executed, which is the
    // interpreter (`bprm_creds_from_file`, fs/exec.c, Linux 5.8 and later).
    if let Some(interpreter) = &program.interpreter {
        return Err(format!(
            "it is a script, whose own capabilities the kernel ignores, and {} would give them to \
             every script",
            interpreter.display()
        ));
    }
    let Some(file) = &program.file else {
        return Err("its file is not known".to_owned());
    };
    if let Some(what) = does_what_it_is_told(file) {
        return Err(format!(
            "{} {what}, so every user that may execute it would have them",
            file.display()
        ));
    }
    if program.executes == Some(true) {
        return Err(format!(
            "{} executed other programs, and a user who can choose which, or what they do, would \
             have them; if nobody can, it is the line for it",
            file.display()
        ));
    }
    file.to_str()
        .ok_or_else(|| "the path of its file is not UTF-8".to_owned())
}

/// What changes for a program whose file gives it privileges, as far as it is known to matter.
fn secure_execution(out: &mut String, needs: &ProgramNeeds) {
    comment(
        out,
        "With them it leaves no core dump, and what is below its /proc/self belongs to root.",
    );
    let (origin, variables): (Vec<&str>, Vec<&str>) = needs
        .secure_execution
        .iter()
        .map(String::as_str)
        .partition(|word| *word == "$ORIGIN");
    if !variables.is_empty() {
        comment(
            out,
            &format!(
                "Its environment has {}, which is ignored in a file with capabilities (AT_SECURE, \
                 ld.so(8)).",
                variables.join(", ")
            ),
        );
    }
    if !origin.is_empty() {
        comment(
            out,
            "It looks for libraries beside itself ($ORIGIN), which is ignored in a file with \
             capabilities (AT_SECURE, ld.so(8)), except below the system's own directories.",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{asks, lines, needs};
    use super::*;

    /// What is emitted, with each comment on one line.
    fn text(needs: &ProgramNeeds) -> String {
        Consumer::Setcap.emit(needs).replace("\n# ", " ")
    }

    #[test]
    fn the_file_gets_them_permitted_and_effective() {
        let mut needs = needs("net_raw,net_admin");
        needs.executable = Some("/usr/bin/my prog".into());
        needs.programs = vec![asks("my prog", "net_raw,net_admin")];
        assert_eq!(
            lines(Consumer::Setcap, &needs),
            ["setcap cap_net_admin,cap_net_raw+ep '/usr/bin/my prog'"]
        );
    }

    #[test]
    fn an_empty_set_removes_what_the_file_has_unless_it_was_found_as_root() {
        let mut needs = needs("none");
        for runs_as in [RunsAs::Root, RunsAs::Unknown] {
            needs.runs_as = runs_as;
            assert_eq!(lines(Consumer::Setcap, &needs), Vec::<String>::new());
            assert!(
                text(&needs).contains("left as they are"),
                "{}",
                text(&needs)
            );
        }
        needs.runs_as = RunsAs::User("nobody".to_owned());
        assert_eq!(lines(Consumer::Setcap, &needs), ["setcap -r /usr/bin/prog"]);
    }

    #[test]
    fn a_set_that_was_found_as_root_says_what_root_owns() {
        let mut needs = needs("net_raw");
        assert!(text(&needs).contains("what belongs to root"));
        needs.runs_as = RunsAs::User("nobody".to_owned());
        assert!(!text(&needs).contains("what belongs to root"));
    }

    #[test]
    fn a_script_gets_no_command_and_the_reason() {
        let mut needs = needs("net_raw");
        needs.interpreter = Some("/bin/sh".into());
        assert_eq!(lines(Consumer::Setcap, &needs), Vec::<String>::new());
        assert!(
            text(&needs).contains("No setcap cap_net_raw+ep for prog: it is a script"),
            "{}",
            text(&needs)
        );
    }

    #[test]
    fn what_does_what_it_is_told_gets_no_command_and_the_reason() {
        for (file, reason) in [
            ("/usr/bin/python3.11", "is an interpreter"),
            ("/usr/bin/dash", "is an interpreter"),
            (
                "/usr/bin/nice",
                "executes the program that its arguments name",
            ),
            ("/usr/bin/chown", "does what its arguments say"),
            ("/usr/bin/busybox", "many programs"),
        ] {
            let mut needs = needs("net_raw");
            let name = file.rsplit('/').next().unwrap();
            needs.programs = vec![asks(name, "net_raw")];
            needs.executable = Some(file.into());
            let text = text(&needs);
            assert!(text.contains(reason), "{text}");
            assert!(text.contains("--emit systemd"), "{text}");
            assert_eq!(lines(Consumer::Setcap, &needs), Vec::<String>::new());
        }
    }

    #[test]
    fn what_executed_another_program_gets_no_command_and_the_reason() {
        let mut needs = needs("net_raw");
        needs.programs[0].executes = Some(true);
        assert_eq!(lines(Consumer::Setcap, &needs), Vec::<String>::new());
        assert!(text(&needs).contains("executed other programs"));
        needs.programs[0].executes = Some(false);
        assert_eq!(
            lines(Consumer::Setcap, &needs),
            ["setcap cap_net_raw+ep /usr/bin/prog"]
        );
    }

    /// `sh -c 'ping …; arping …; nice …; helper'`
    #[test]
    fn each_file_that_asked_gets_its_own_and_the_shell_gets_nothing() {
        let mut needs = needs("net_raw,net_admin,sys_nice,kill");
        needs.executable = Some("/usr/bin/dash".into());
        needs.programs = vec![
            NeedyProgram {
                file: Some("/usr/bin/ping".into()),
                ..asks("ping", "net_raw")
            },
            NeedyProgram {
                file: Some("/usr/sbin/arping".into()),
                ..asks("arping", "net_raw,net_admin")
            },
            NeedyProgram {
                file: Some("/usr/bin/nice".into()),
                ..asks("nice", "sys_nice")
            },
            asks("helper", "kill"),
        ];
        assert_eq!(
            lines(Consumer::Setcap, &needs),
            [
                "setcap cap_net_raw+ep /usr/bin/ping",
                "setcap cap_net_admin,cap_net_raw+ep /usr/sbin/arping",
            ]
        );
        let text = text(&needs);
        assert!(
            text.contains("No setcap cap_sys_nice+ep for nice: "),
            "{text}"
        );
        assert!(
            text.contains("No setcap cap_kill+ep for helper: its file is not known."),
            "{text}"
        );
        assert!(!text.contains("dash"), "{text}");
    }

    #[test]
    fn what_the_loader_will_ignore_is_said_where_the_program_uses_it() {
        let mut needs = needs("net_raw");
        assert!(!text(&needs).contains("AT_SECURE"));
        needs.secure_execution = vec!["LD_PRELOAD".to_owned(), "$ORIGIN".to_owned()];
        let text = text(&needs);
        assert!(
            text.contains("Its environment has LD_PRELOAD, which"),
            "{text}"
        );
        assert!(text.contains("beside itself ($ORIGIN)"), "{text}");
    }
}
