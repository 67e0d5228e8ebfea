//! What `run` and `profile` share: the options of the report, its destination, and the gate.

mod destination;
mod keeper;

use std::{fs::File, io, os::fd::AsFd as _, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, ValueEnum};
pub use destination::Destination;
use destination::Target;
use keeper::Keeper;

use super::{Usage, print::say};
use crate::{
    capability::CapabilitySet,
    profile::{
        Evidence, Report,
        emit::{self, ProgramNeeds},
        gate,
    },
};

/// The exit code if the gate fails the run.
const SHUT: u8 = 3;

/// The report and the gate.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// Format of the report
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub format: ReportFormat,

    /// Write the report to this file; '-' is stdout
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Also write the needed set in this format, alone on stdout or to FILE: systemd, docker, compose,
    /// podman, kubernetes, setcap, capsh, apparmor, oci, nspawn, lxc, json
    #[arg(long, value_name = "NAME[=FILE]", value_parser = emission)]
    pub emit: Vec<Emission>,

    /// Exit with 3 if a capability was needed or used that is not in this list, or in the list in
    /// this file
    #[arg(long, value_name = "LIST|FILE")]
    pub allow: Option<String>,

    /// Exit with 3 if a capability was needed or used that this earlier JSON report does not have
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

impl ReportArgs {
    /// Whether the needed set is written for a consumer.
    pub fn emits(&self) -> bool {
        !self.emit.is_empty()
    }
}

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a terminal
    #[default]
    Text,
    /// For a program, and for --baseline
    Json,
    /// For an issue or a wiki
    Markdown,
}

/// The set for one consumer, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// The consumer.
    pub consumer: emit::Consumer,
    /// The file; `None` means stdout.
    pub file: Option<PathBuf>,
}

/// Parses `NAME` or `NAME=FILE`.
fn emission(typed: &str) -> Result<Emission, String> {
    let (name, file) = match typed.split_once('=') {
        Some((_, "")) => return Err("a file name must follow =".to_owned()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (typed, None),
    };
    let consumer = emit::Consumer::from_str(name, true).map_err(|_| {
        let names: Vec<String> = emit::Consumer::value_variants()
            .iter()
            .filter_map(|consumer| Some(consumer.to_possible_value()?.get_name().to_owned()))
            .collect();
        format!(
            "there is no format {name:?}; the formats are {}",
            names.join(", ")
        )
    })?;
    Ok(Emission { consumer, file })
}

/// Where the report goes, opened before anything is traced, and what is allowed.
pub struct Reporter {
    format: ReportFormat,
    report: Destination,
    emissions: Vec<(emit::Consumer, Destination)>,
    allowed: Option<Allowed>,
    /// Writes the files, if there are any: the report first, if it is one, then the emissions.
    keeper: Option<Keeper>,
}

/// What the gate lets pass, and the options that say so.
struct Allowed {
    set: CapabilitySet,
    options: &'static str,
}

impl Reporter {
    /// Reads the arguments of the gate and opens the files, so that errors show up before the
    /// command runs. To be called while this process has one thread. `usual` is where a report as
    /// text goes; JSON is for a program, so it goes to stdout. What is emitted to stdout is alone
    /// there, unless a file was named for the report that is stdout too.
    ///
    /// # Errors
    ///
    /// [`Usage`]: a list or a file that cannot be read, or a file that cannot be written.
    pub fn new(args: &ReportArgs, usual: Destination) -> Result<Self> {
        let takes_stdout = args.emit.iter().any(|emission| emission.file.is_none());
        if takes_stdout && args.format == ReportFormat::Json && args.report.is_none() {
            return Err(Usage::message(
                "-o json and --emit would both write to stdout: name a file for one of them, as in \
                 --report FILE or --emit systemd=FILE",
            ));
        }
        let listed = args.allow.as_deref().map(gate::allowed).transpose();
        let before = args.baseline.as_deref().map(gate::baseline).transpose();
        let allowed = match (listed.map_err(Usage::wrap)?, before.map_err(Usage::wrap)?) {
            (None, None) => None,
            (Some(set), None) => Some((set, "--allow")),
            (None, Some(set)) => Some((set, "--baseline")),
            (Some(set), Some(more)) => Some((set.union(more), "--allow or --baseline")),
        };
        let report = match &args.report {
            Some(file) => Destination::open(file).map_err(Usage::wrap)?,
            None if args.format == ReportFormat::Json => Destination::Stdout,
            None if takes_stdout => Destination::Stderr,
            None => usual,
        };
        let emissions = args
            .emit
            .iter()
            .map(|emission| {
                let file = emission.file.as_deref();
                let opened = file.map_or(Ok(Destination::Stdout), Destination::open)?;
                Ok((emission.consumer, opened))
            })
            .collect::<Result<Vec<_>, destination::DestinationError>>()
            .map_err(Usage::wrap)?;
        let files = emissions.iter().map(|(_, file)| file);
        let files = [&report].into_iter().chain(files);
        let targets: Vec<Target> = files.filter_map(Destination::target).collect();
        let keeper = match targets.is_empty() {
            true => None,
            false => Some(Keeper::fork(&targets).context("cannot start another process")?),
        };
        Ok(Self {
            format: args.format,
            report,
            emissions,
            keeper,
            allowed: allowed.map(|(set, options)| Allowed { set, options }),
        })
    }

    /// Keeps stdout for what is written there: a command that is started from now on writes to stderr
    /// instead, so that a pipe reads nothing but that. Without effect if nothing is written there.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub fn keep_stdout(&mut self) -> io::Result<()> {
        let emissions = self.emissions.iter_mut().map(|(_, file)| file);
        let all: Vec<_> = [&mut self.report]
            .into_iter()
            .chain(emissions)
            .filter(|each| each.is_stdout())
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        for each in all {
            *each = Destination::Stream(stdout.try_clone()?, "stdout".into());
        }
        Ok(rustix::stdio::dup2_stdout(io::stderr())?)
    }

    /// Writes the report and the emitters' output; returns the exit code if the gate fails the run.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn deliver(mut self, report: &Report, needs: &ProgramNeeds) -> Result<Option<ExitCode>> {
        let text = match self.format {
            ReportFormat::Text => report.text(),
            ReportFormat::Markdown => report.markdown(),
            ReportFormat::Json => report.json().context("cannot write the report as JSON")?,
        };
        let emitted = self.emissions.iter_mut();
        let emitted = emitted.map(|(consumer, file)| (consumer.emit(needs), file));
        let mut number = 0;
        for (text, place) in [(text, &mut self.report)].into_iter().chain(emitted) {
            let is_file = place.target().is_some();
            let keeper = self.keeper.as_mut().map(|keeper| (keeper, number));
            place.write(&text, keeper)?;
            number += usize::from(is_file);
        }
        if report.incomplete.is_some() && !self.report.is_stderr() {
            say(format_args!(
                "capable: the report is INCOMPLETE, because something was lost: see its first \
                 lines\n"
            ));
        }
        Ok(self
            .allowed
            .is_some_and(|allowed| is_shut(report, &allowed))
            .then(|| ExitCode::from(SHUT)))
    }
}

/// Whether the run fails, with the reasons on stderr. An incomplete report fails too: an offending
/// check may have been lost.
fn is_shut(report: &Report, allowed: &Allowed) -> bool {
    let offences = gate::offences(report, allowed.set);
    for offence in &offences {
        for evidence in offence.evidence() {
            let sentence = sentence(offence, evidence, allowed.options);
            say(format_args!("capable: {sentence}\n"));
        }
    }
    if report.incomplete.is_some() {
        say(format_args!(
            "capable: the report is incomplete: what was lost may not be in {}, so the run fails\n",
            allowed.options
        ));
    }
    !offences.is_empty() || report.incomplete.is_some()
}

/// The capability, how often it was asked for and by which program, what lacks it, and where it was
/// asked for.
fn sentence(offence: &gate::Offence<'_>, evidence: &Evidence, options: &str) -> String {
    let asked = match evidence.checks {
        0 => "by".to_owned(),
        1 => "1 check by".to_owned(),
        count => format!("{count} checks by"),
    };
    let reason = match offence.reason {
        gate::Reason::Needed => "was needed",
        gate::Reason::Used => "was used",
        gate::Reason::CouldNotTell => "may have been needed",
    };
    format!(
        "{} {reason} ({asked} {}), but is not in {options}: {}",
        offence.report.capability,
        evidence.programs.join(", "),
        evidence.why
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emission_names_its_consumer_and_perhaps_a_file() {
        assert_eq!(
            emission("systemd").unwrap(),
            Emission {
                consumer: emit::Consumer::Systemd,
                file: None
            }
        );
        assert_eq!(
            emission("setcap=a=b").unwrap(),
            Emission {
                consumer: emit::Consumer::Setcap,
                file: Some("a=b".into())
            }
        );
        assert!(emission("systemd=").is_err());
        let error = emission("sytemd").unwrap_err();
        assert!(error.contains("systemd, docker"), "{error}");
    }

    #[test]
    fn json_and_what_is_emitted_do_not_share_a_place() {
        let args = ReportArgs {
            format: ReportFormat::Json,
            emit: vec![emission("docker").unwrap()],
            ..ReportArgs::default()
        };
        let error = Reporter::new(&args, Destination::Stderr).err().unwrap();
        assert!(error.is::<Usage>());
        assert!(error.to_string().contains("--emit systemd=FILE"), "{error}");
    }

    #[test]
    fn stdout_has_json_or_what_is_emitted_alone() {
        let stdout = |format, emit: &[&str]| {
            let args = ReportArgs {
                format,
                emit: emit.iter().map(|typed| emission(typed).unwrap()).collect(),
                ..ReportArgs::default()
            };
            let reporter = Reporter::new(&args, Destination::Stdout).unwrap();
            let emitted = reporter
                .emissions
                .iter()
                .filter(|(_, file)| file.is_stdout());
            (reporter.report.is_stdout(), emitted.count())
        };
        assert_eq!(stdout(ReportFormat::Text, &[]), (true, 0));
        assert_eq!(stdout(ReportFormat::Text, &["docker"]), (false, 1));
        assert_eq!(stdout(ReportFormat::Text, &["docker=/dev/null"]), (true, 0));
        assert_eq!(stdout(ReportFormat::Json, &["docker=/dev/null"]), (true, 0));
    }
}
