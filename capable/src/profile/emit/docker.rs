//! Options for `docker run` and `podman run`, which share their syntax.

use super::{
    Emitter, ProgramNeeds, RunsAs, as_root_note, bare_names, comment, may_set_no_new_privs,
    needs_file_capabilities, no_new_privs_note, shell,
};

/// Writes a command line. The two engines differ in what they give to a user other than root.
pub(super) enum Engine {
    /// Docker adds to the bounding set only: docs.docker.com, "Runtime privilege and Linux
    /// capabilities"; moby's oci/caps.
    Docker,
    /// Podman makes what `--cap-add` names ambient for another user (containers/podman,
    /// pkg/specgen/generate/security_linux.go).
    Podman,
}

impl Emitter for Engine {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        let program = match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        };
        super::preamble(out, needs, &format!("Options of {program} run"));
        comment(
            out,
            "The set covers only what was profiled: an entry point in the image may need more.",
        );
        if let Some(note) = as_root_note(needs, "a container that runs as root") {
            comment(out, &note);
        }
        let from_file = matches!(self, Self::Docker) && needs_file_capabilities(needs);
        if from_file {
            comment(out, FROM_FILE);
        } else if let Some(note) = no_new_privs_note(needs, "--security-opt=no-new-privileges") {
            comment(out, &note);
        }
        let mut words = vec![
            program.to_owned(),
            "run".to_owned(),
            "--cap-drop=ALL".to_owned(),
        ];
        words.extend(
            bare_names(needs.set)
                .iter()
                .map(|name| format!("--cap-add={name}")),
        );
        if may_set_no_new_privs(needs) && !from_file {
            words.push("--security-opt=no-new-privileges".to_owned());
        }
        if let RunsAs::User(user) = &needs.runs_as {
            words.push(format!("--user={user}"));
        }
        if needs.image.is_none() {
            comment(out, "The image is not known: put it in place of IMAGE.");
        }
        words.push(needs.image.clone().unwrap_or_else(|| "IMAGE".to_owned()));
        out.push_str(&shell::command(&words));
        out.push('\n');
    }
}

/// Why a user other than root gets none of the added capabilities, and what helps.
pub(super) const FROM_FILE: &str = "It runs as a user other than root, which gets only those of \
 the added capabilities that the program's file in the image has too (--emit setcap). \
 no-new-privileges would undo that, so it is left out.";

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{lines, needs};
    use super::*;

    #[test]
    fn everything_is_dropped_and_the_needs_are_added_without_their_prefix() {
        let mut needs = needs("net_raw,net_bind_service");
        needs.image = Some("debian:12".to_owned());
        assert_eq!(
            lines(Consumer::Docker, &needs),
            [
                "docker run --cap-drop=ALL --cap-add=NET_BIND_SERVICE --cap-add=NET_RAW \
              --security-opt=no-new-privileges debian:12"
            ]
        );
        assert_eq!(
            lines(Consumer::Podman, &needs),
            [
                "podman run --cap-drop=ALL --cap-add=NET_BIND_SERVICE --cap-add=NET_RAW \
              --security-opt=no-new-privileges debian:12"
            ]
        );
    }

    #[test]
    fn a_program_that_needs_nothing_is_given_nothing() {
        assert_eq!(
            lines(Consumer::Docker, &needs("none")),
            ["docker run --cap-drop=ALL --security-opt=no-new-privileges IMAGE"]
        );
    }

    #[test]
    fn a_user_in_docker_gets_capabilities_only_from_the_file_and_is_told_so() {
        let mut needs = needs("net_raw");
        needs.runs_as = RunsAs::User("nobody".to_owned());
        let docker = Consumer::Docker.emit(&needs);
        assert!(docker.contains("--emit setcap"), "{docker}");
        assert!(!docker.contains("--security-opt"), "{docker}");
        assert!(docker.contains("--user=nobody"), "{docker}");
        let podman = Consumer::Podman.emit(&needs);
        assert!(
            podman.contains("--security-opt=no-new-privileges"),
            "{podman}"
        );
    }
}
