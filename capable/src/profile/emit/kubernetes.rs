//! A container's `securityContext` (Kubernetes API v1, SecurityContext).

use super::{
    Emitter, ProgramNeeds, RunsAs, as_root_note, bare_names, comment, may_set_no_new_privs,
    needs_file_capabilities, no_new_privs_note,
};
use crate::capability::{Capability, CapabilitySet};
use crate::profile::words::harmless;

/// Writes the context.
pub(super) struct Kubernetes;

/// The capabilities that the Pod Security Standards let a pod add at the level `baseline`.
const BASELINE: [Capability; 13] = [
    Capability::AUDIT_WRITE,
    Capability::CHOWN,
    Capability::DAC_OVERRIDE,
    Capability::FOWNER,
    Capability::FSETID,
    Capability::KILL,
    Capability::MKNOD,
    Capability::NET_BIND_SERVICE,
    Capability::SETFCAP,
    Capability::SETGID,
    Capability::SETPCAP,
    Capability::SETUID,
    Capability::SYS_CHROOT,
];

impl Emitter for Kubernetes {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "securityContext");
        comment(
            out,
            "Put it under spec.containers[]. The set covers only what was profiled: an entry point \
             in the image may need more.",
        );
        if let Some(note) = as_root_note(needs, "a container that runs as root") {
            comment(out, &note);
        }
        admission(out, needs.set);
        let from_file = needs_file_capabilities(needs);
        let sys_admin = needs.set.contains(Capability::SYS_ADMIN);
        if from_file {
            comment(
                out,
                "It runs as a user other than root, which gets only those of the added \
                 capabilities that the program's file in the image has too (--emit setcap). \
                 allowPrivilegeEscalation: false would undo that, so it is left out.",
            );
        } else if sys_admin {
            comment(
                out,
                "With SYS_ADMIN allowPrivilegeEscalation is always true, so it is left out.",
            );
        } else if let Some(note) = no_new_privs_note(needs, "allowPrivilegeEscalation: false") {
            comment(out, &note);
        }
        out.push_str("securityContext:\n");
        if may_set_no_new_privs(needs) && !from_file && !sys_admin {
            out.push_str("  allowPrivilegeEscalation: false\n");
        }
        if let RunsAs::User(user) = &needs.runs_as {
            out.push_str("  runAsNonRoot: true\n");
            match user.parse::<u32>() {
                Ok(uid) => out.push_str(&format!("  runAsUser: {uid}\n")),
                Err(_) => out.push_str(&format!(
                    "  # runAsUser: the number of {} in the image\n",
                    harmless(user)
                )),
            }
        }
        out.push_str("  capabilities:\n    drop:\n      - ALL\n");
        let names = bare_names(needs.set);
        if !names.is_empty() {
            out.push_str("    add:\n");
            for name in names {
                out.push_str(&format!("      - {name}\n"));
            }
        }
    }
}

/// Names the lowest Pod Security level whose limit on capabilities the set meets.
fn admission(out: &mut String, set: CapabilitySet) {
    let baseline: CapabilitySet = BASELINE.into_iter().collect();
    let beyond = set.difference(baseline);
    let above_restricted = set.difference(Capability::NET_BIND_SERVICE.into());
    let sentence = if !beyond.is_empty() {
        format!(
            "Pod Security level privileged: baseline refuses {}.",
            bare_names(beyond).join(", ")
        )
    } else if !above_restricted.is_empty() {
        format!(
            "Pod Security level baseline: restricted refuses {}.",
            bare_names(above_restricted).join(", ")
        )
    } else {
        "Pod Security level restricted, as far as capabilities go: it also wants runAsNonRoot, \
         allowPrivilegeEscalation: false and a seccomp profile."
            .to_owned()
    };
    comment(out, &sentence);
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{lines, needs};
    use super::*;

    #[test]
    fn the_context_drops_everything_and_adds_names_without_their_prefix() {
        assert_eq!(
            lines(Consumer::Kubernetes, &needs("net_bind_service")).join("\n"),
            "securityContext:\n  allowPrivilegeEscalation: false\n  capabilities:\n    drop:\n      \
             - ALL\n    add:\n      - NET_BIND_SERVICE"
        );
    }

    #[test]
    fn sys_admin_and_no_escalation_are_not_written_together() {
        let text = lines(Consumer::Kubernetes, &needs("sys_admin")).join("\n");
        assert!(!text.contains("allowPrivilegeEscalation"), "{text}");
    }

    #[test]
    fn a_user_is_written_by_number_and_a_name_is_asked_for() {
        let mut needs = needs("none");
        needs.runs_as = RunsAs::User("1000".to_owned());
        let text = Consumer::Kubernetes.emit(&needs);
        assert!(
            text.contains("  runAsNonRoot: true\n  runAsUser: 1000\n"),
            "{text}"
        );
        needs.runs_as = RunsAs::User("www-data".to_owned());
        let text = Consumer::Kubernetes.emit(&needs);
        assert!(
            text.contains("# runAsUser: the number of www-data"),
            "{text}"
        );
    }

    #[test]
    fn the_pod_security_level_that_the_set_meets_is_named() {
        for (set, level) in [
            ("none", "level restricted"),
            ("net_bind_service", "level restricted"),
            (
                "net_bind_service,chown",
                "level baseline: restricted refuses CHOWN.",
            ),
            (
                "chown,net_raw",
                "level privileged: baseline refuses NET_RAW.",
            ),
        ] {
            let text = Consumer::Kubernetes.emit(&needs(set));
            assert!(text.contains(&format!("# Pod Security {level}")), "{text}");
        }
    }
}
