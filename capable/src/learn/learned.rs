//! What was learned.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{
    Account,
    collect::{Collector, Ends},
    files::is_linked,
};
use crate::{
    context::accounts::Accounts,
    escape::text_of,
    event::is_named,
    inspect::{interpreter_of, names_origin},
    launcher::Command,
    profile::{
        Exit, Observation, Report, Run,
        emit::{ProgramNeeds, RunsAs},
    },
};

/// What was learned about a command or a workload.
#[derive(Clone, Debug)]
pub struct Learned {
    /// What each capability means to it, and why.
    pub report: Report,
    /// The input of the emitters: the needed set, and what else is known about the program.
    pub needs: ProgramNeeds,
}

impl Learned {
    /// From what was collected until `end`.
    pub(super) fn new(
        command: &Command,
        program: ProgramNeeds,
        mut collector: Collector,
        ends: Ends,
        account: Account,
        end: (Option<Exit>, u64),
    ) -> Self {
        let words = [&command.name].into_iter().chain(&command.arguments);
        collector.gains.settle(words.map(|word| word.as_os_str()));
        let gains = collector.gains.any(collector.tree.executions());
        let files = std::mem::take(&mut collector.gains.files);
        let executing = collector.tree.executing();
        let report = report(command, collector, ends, account, end);
        let mut needs = ProgramNeeds {
            runs_as: program.runs_as,
            gains_privileges: gains,
            interpreter: program.interpreter,
            executable: program.executable,
            secure_execution: program.secure_execution,
            ..ProgramNeeds::from_report(&report)
        };
        for program in &mut needs.programs {
            program.executes = Some(executing.contains(&*program.name));
            if let Some(file) = files.of(&program.name) {
                (program.file, program.interpreter) = file_and_interpreter(file, &program.name);
            }
        }
        Self { report, needs }
    }
}

/// The file that a program of this name was executed from, if it is known, and what executed it if it
/// is a script: then that is what the process ran.
fn file_and_interpreter(file: &Path, name: &str) -> (Option<PathBuf>, Option<PathBuf>) {
    if let Ok(Some(interpreter)) = interpreter_of(file) {
        return (Some(file.to_owned()), Some(interpreter));
    }
    // Otherwise it executed a script of that name, which is not known.
    match is_named(file, name.as_bytes()) || is_linked(file, name.as_bytes()) {
        true => (Some(file.to_owned()), None),
        false => (None, Some(file.to_owned())),
    }
}

/// What was seen until `end`, classified.
fn report(
    command: &Command,
    mut collector: Collector,
    ends: Ends,
    mut account: Account,
    (exit, end): (Option<Exit>, u64),
) -> Report {
    let living: Vec<String> = collector
        .tree
        .living()
        .map(|(pid, program)| format!("{program} ({pid})"))
        .collect();
    let still_running = living.len() as u64;
    if let Some(sentence) = left_behind(&living) {
        account.note(sentence);
    }
    if let Some(sentence) = collector.tree.programs_left_out() {
        account.note(sentence);
    }
    if let Some(sentence) = collector
        .gains
        .ignored()
        .filter(|_| command.cage.no_new_privs)
    {
        account.note(sentence);
    }
    let started = collector.tree.started().unwrap_or(end);
    let settled = !collector.tree.is_starting(end);
    let run = Run {
        command: [&command.name]
            .into_iter()
            .chain(&command.arguments)
            .map(|word| text_of(word.as_bytes()).into_owned())
            .collect(),
        duration: end.saturating_sub(started),
        settled,
        processes: Some(1 + collector.tree.forks()),
        still_running: Some(still_running),
        exit,
        ..account.into_run()
    };
    let (observations, refusals) = collector.finish(ends);
    let observations = observations.into_iter().map(|observation| Observation {
        first: observation.first.saturating_sub(started),
        ..observation
    });
    let mut report = Report::new(run, observations);
    let (refusals, more) = refusals.explained(started);
    report.refusals = refusals;
    report.more_refusals = more;
    report
}

/// The sentence about descendants that are still running.
fn left_behind(living: &[String]) -> Option<String> {
    /// How many are named.
    const NAMED: usize = 5;
    let (what, they) = match living.len() {
        0 => return None,
        1 => ("1 process of the command is".to_owned(), "it asks"),
        count => (format!("{count} processes of the command are"), "they ask"),
    };
    let more = if living.len() > NAMED { ", ..." } else { "" };
    let named = living[..living.len().min(NAMED)].join(", ");
    Some(format!(
        "{what} still running: {named}{more}; what {they} for from now on is not in this report"
    ))
}

/// What the emitters need to know of a command's program. Looked up when it was started: later this
/// process may not be able to.
pub(super) fn program(command: &Command, file: &Path) -> ProgramNeeds {
    let executable = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    ProgramNeeds {
        runs_as: runs_as(command),
        interpreter: interpreter_of(&executable).unwrap_or(None),
        secure_execution: ignored_by_secure_execution(&executable),
        executable: Some(executable),
        ..ProgramNeeds::default()
    }
}

/// What the command uses and would not have if its file gave it privileges: the loader ignores these
/// variables (sysdeps/generic/unsecvars.h, glibc 2.36) and the place of the file.
fn ignored_by_secure_execution(file: &Path) -> Vec<String> {
    const IGNORED: [&str; 13] = [
        "GCONV_PATH",
        "GETCONF_DIR",
        "GLIBC_TUNABLES",
        "HOSTALIASES",
        "LD_AUDIT",
        "LD_DEBUG",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "LOCPATH",
        "NLSPATH",
        "RES_OPTIONS",
        "TMPDIR",
        "TZDIR",
    ];
    let set = IGNORED
        .into_iter()
        .filter(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let origin = names_origin(file).unwrap_or(false).then_some("$ORIGIN");
    set.chain(origin).map(str::to_owned).collect()
}

fn runs_as(command: &Command) -> RunsAs {
    let identity = command.cage.identity.as_ref();
    let user = identity
        .and_then(|identity| identity.user)
        .unwrap_or_else(|| rustix::process::geteuid().as_raw());
    if user == 0 {
        return RunsAs::Root;
    }
    RunsAs::User(match Accounts::users().name(user) {
        Some(name) => name.to_owned(),
        None => user.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_still_runs_is_named() {
        let living = |count: usize| vec!["sleep (7)".to_owned(); count];
        assert_eq!(left_behind(&living(0)), None);
        assert_eq!(
            left_behind(&living(1)).unwrap(),
            "1 process of the command is still running: sleep (7); what it asks for from now on is \
             not in this report"
        );
        let many = left_behind(&living(6)).unwrap();
        assert!(many.starts_with("6 processes of the command are"), "{many}");
        assert!(many.contains(", ...; what they ask for"), "{many}");
    }
}
