//! Emitters: write the set in the syntax of whatever runs the program, ready to paste.
//!
//! One file per consumer. Each states in comments what it could not know; docs/emitters.md
//! documents the syntax that each one writes and how its output is checked.

mod apparmor;
mod capsh;
mod compose;
mod docker;
mod json;
mod kubernetes;
mod lxc;
mod needs;
mod nspawn;
mod oci;
mod setcap;
mod shell;
mod systemd;
mod told;

#[cfg(test)]
#[cfg(feature = "cli")]
use clap::ValueEnum;

use super::words;
use crate::capability::{Capability, CapabilitySet};

pub use needs::{NeedyProgram, ProgramNeeds, RunsAs};
pub(super) use shell::command as shell_command;

/// Writes the set for one consumer.
trait Emitter {
    /// Appends lines that end in a newline.
    fn emit(&self, needs: &ProgramNeeds, out: &mut String);
}

/// The consumers, as `--emit` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Consumer {
    /// A drop-in for a systemd unit
    Systemd,
    /// Options for docker run
    Docker,
    /// A service in a compose file
    Compose,
    /// Options for podman run
    Podman,
    /// A container's securityContext
    Kubernetes,
    /// File capabilities
    Setcap,
    /// A command that runs the program with exactly this set
    Capsh,
    /// Rules for an AppArmor profile
    Apparmor,
    /// What to put over the config.json of an OCI bundle
    Oci,
    /// Settings of a container of systemd-nspawn
    Nspawn,
    /// Configuration of a container of LXC
    Lxc,
    /// The set and what is known of it, for a program
    Json,
}

impl Consumer {
    /// The emitter for this consumer.
    fn emitter(self) -> &'static dyn Emitter {
        match self {
            Self::Systemd => &systemd::Systemd,
            Self::Docker => &docker::Engine::Docker,
            Self::Compose => &compose::Compose,
            Self::Podman => &docker::Engine::Podman,
            Self::Kubernetes => &kubernetes::Kubernetes,
            Self::Setcap => &setcap::Setcap,
            Self::Capsh => &capsh::Capsh,
            Self::Apparmor => &apparmor::Apparmor,
            Self::Oci => &oci::Oci,
            Self::Nspawn => &nspawn::Nspawn,
            Self::Lxc => &lxc::Lxc,
            Self::Json => &json::Json,
        }
    }

    /// Whether it reads JSON, which has no comments: its emitter then says itself that nothing was
    /// observed.
    fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Oci)
    }

    /// The lines for this consumer. If nothing was observed they are comments only: settings would
    /// look as if an empty set had been found to be enough.
    pub fn emit(self, needs: &ProgramNeeds) -> String {
        let mut out = String::new();
        if needs.nothing_observed && !self.is_json() {
            preamble(&mut out, needs, "No settings");
        } else {
            self.emitter().emit(needs, &mut out);
        }
        out
    }
}

/// Appends a comment: wrapped, `# ` before each line, with nothing in it that could end the
/// comment.
fn comment(out: &mut String, text: &str) {
    words::wrap(out, "# ", "# ", 78, &words::harmless(text));
}

/// Appends, as a comment, a line that is meant to be copied: it is not wrapped, however long.
fn line_comment(out: &mut String, line: &str) {
    out.push_str(&format!("# {}\n", words::harmless(line)));
}

/// The comments that every consumer gets: what the output is for, and what could not be known.
fn preamble(out: &mut String, needs: &ProgramNeeds, what: &str) {
    let title = words::shortened(&needs.title);
    comment(out, &format!("{what} for {title}, by capable."));
    for note in needs.notes() {
        comment(out, &note);
    }
}

/// The capabilities that have a name: a consumer can read no others.
fn named(set: CapabilitySet) -> impl Iterator<Item = Capability> {
    set.iter().filter(|capability| capability.name().is_some())
}

/// Names without `CAP_`, as container engines write them.
fn bare_names(set: CapabilitySet) -> Vec<String> {
    named(set)
        .map(|capability| capability.short_name().to_string().to_ascii_uppercase())
        .collect()
}

/// Names in lower case with `cap_`, as libcap writes them.
fn libcap_names(set: CapabilitySet) -> Vec<String> {
    named(set)
        .map(|capability| capability.to_string().to_ascii_lowercase())
        .collect()
}

/// True if container engines cannot give the set directly: a user other than root gets added
/// capabilities only by executing a file that has them, and no_new_privs makes the kernel ignore
/// file capabilities (`mnt_may_suid` and `cap_bprm_creds_from_file`, security/commoncap.c).
fn needs_file_capabilities(needs: &ProgramNeeds) -> bool {
    matches!(needs.runs_as, RunsAs::User(_)) && !needs.set.is_empty()
}

/// Whether no_new_privs can be set without taking anything away from the program.
fn may_set_no_new_privs(needs: &ProgramNeeds) -> bool {
    needs.gains_privileges == Some(false)
}

/// The comment for a set that was found for root: owners, and what root may do to its own files,
/// differ for another user.
fn as_root_note(needs: &ProgramNeeds, applies: &str) -> Option<String> {
    (needs.runs_as == RunsAs::Root).then(|| {
        format!(
            "This set was found while the program ran as root (uid 0), and is for {applies}. As \
             another user it may need other capabilities: find them while it runs as that user."
        )
    })
}

/// Why no_new_privs is left out, and what would set it.
fn no_new_privs_note(needs: &ProgramNeeds, setting: &str) -> Option<String> {
    match needs.gains_privileges {
        Some(false) => None,
        Some(true) => Some(
            "It executed a set-user-ID program or one with file capabilities, so no_new_privs \
             is not set."
                .to_owned(),
        ),
        None => Some(format!(
            "Whether it executes set-user-ID programs or files with capabilities is not known; \
             under no_new_privs they would gain nothing. If it does not, add: {setting}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Report, Run};

    const ALL: [Consumer; 12] = [
        Consumer::Systemd,
        Consumer::Docker,
        Consumer::Compose,
        Consumer::Podman,
        Consumer::Kubernetes,
        Consumer::Setcap,
        Consumer::Capsh,
        Consumer::Apparmor,
        Consumer::Oci,
        Consumer::Nspawn,
        Consumer::Lxc,
        Consumer::Json,
    ];

    /// A program that needs these capabilities, of whose file nothing is known.
    pub(super) fn asks(name: &str, set: &str) -> NeedyProgram {
        NeedyProgram {
            name: name.to_owned(),
            set: set.parse().unwrap(),
            ..NeedyProgram::default()
        }
    }

    /// The needs of a program that needs these capabilities.
    pub(super) fn needs(set: &str) -> ProgramNeeds {
        ProgramNeeds {
            set: set.parse().unwrap(),
            programs: vec![asks("prog", set)],
            title: "prog".to_owned(),
            gains_privileges: Some(false),
            runs_as: RunsAs::Root,
            executable: Some("/usr/bin/prog".into()),
            ..ProgramNeeds::default()
        }
    }

    /// The lines that are not comments.
    pub(super) fn lines(consumer: Consumer, needs: &ProgramNeeds) -> Vec<String> {
        consumer
            .emit(needs)
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_names_of_emit_are_the_documented_ones() {
        let names: Vec<_> = Consumer::value_variants()
            .iter()
            .filter_map(|consumer| Some(consumer.to_possible_value()?.get_name().to_owned()))
            .collect();
        assert_eq!(
            names,
            [
                "systemd",
                "docker",
                "compose",
                "podman",
                "kubernetes",
                "setcap",
                "capsh",
                "apparmor",
                "oci",
                "nspawn",
                "lxc",
                "json"
            ]
        );
    }

    #[test]
    fn every_emitter_says_what_it_could_not_know() {
        let mut needs = needs("net_raw");
        needs.incomplete = true;
        needs.denied = "sys_nice".parse().unwrap();
        needs.could_not_tell = "chown".parse().unwrap();
        for consumer in ALL {
            let text = consumer.emit(&needs).replace("\n# ", " ");
            assert!(text.contains("CAP_SYS_NICE"), "{consumer:?}: {text}");
            assert!(text.contains("CAP_CHOWN"), "{consumer:?}: {text}");
            assert!(
                text.to_lowercase().contains("incomplete"),
                "{consumer:?}: {text}"
            );
        }
    }

    #[test]
    fn of_nothing_observed_no_settings_are_made() {
        let report = Report::new(
            Run {
                subject: Some("process 812 (nginx)".to_owned()),
                duration: 1_000_000_000,
                ..Run::default()
            },
            [],
        );
        let needs = ProgramNeeds::from_report(&report);
        for consumer in ALL {
            let text = consumer.emit(&needs).replace("\n# ", " ");
            assert!(
                text.contains("does not show that it needs no capability"),
                "{consumer:?}: {text}"
            );
            assert!(text.contains("Only the 1.0 s that were watched"), "{text}");
            match consumer {
                Consumer::Json => assert!(text.contains("\"nothing_observed\": true"), "{text}"),
                Consumer::Oci => assert!(!text.contains("process\":"), "{text}"),
                _ => assert_eq!(lines(consumer, &needs), Vec::<String>::new()),
            }
        }
    }

    #[test]
    fn a_set_that_was_found_for_root_is_said_to_be_for_root() {
        for consumer in [
            Consumer::Systemd,
            Consumer::Docker,
            Consumer::Podman,
            Consumer::Compose,
            Consumer::Kubernetes,
            Consumer::Oci,
            Consumer::Nspawn,
            Consumer::Lxc,
        ] {
            let mut needs = needs("net_raw");
            let text = consumer.emit(&needs).replace("\n# ", " ");
            assert!(
                text.contains("while the program ran as root (uid 0)"),
                "{text}"
            );
            needs.runs_as = RunsAs::User("nobody".to_owned());
            let text = consumer.emit(&needs).replace("\n# ", " ");
            assert!(!text.contains("uid 0"), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_name_is_no_part_of_the_line_but_is_said() {
        let needs = needs("net_raw,cap_41");
        for consumer in ALL {
            let text = consumer.emit(&needs);
            assert!(text.contains("CAP_41"), "{consumer:?}: {text}");
            if !consumer.is_json() {
                let lines = lines(consumer, &needs).join("\n").to_lowercase();
                assert!(!lines.contains("41"), "{consumer:?}: {lines}");
            }
        }
    }

    #[test]
    fn a_title_cannot_leave_its_comment() {
        let mut needs = needs("net_raw");
        needs.title = "x\nExecStartPre=/bin/evil\n\x1b[2J".to_owned();
        needs.unit = Some("x\n[Service]\nExecStart=/bin/evil".to_owned());
        needs.image = Some("img\nRUN evil".to_owned());
        for consumer in ALL {
            let text = consumer.emit(&needs);
            assert!(!text.contains('\x1b'), "{consumer:?}");
            for line in text.lines() {
                assert!(
                    !line.trim_start().starts_with("Exec"),
                    "{consumer:?}: {text}"
                );
                assert!(
                    !line.trim_start().starts_with("RUN"),
                    "{consumer:?}: {text}"
                );
            }
        }
    }
}
