//! A drop-in for a systemd unit.

use super::{
    Emitter, ProgramNeeds, RunsAs, as_root_note, comment, line_comment, may_set_no_new_privs,
    named, no_new_privs_note,
};
use crate::profile::words::harmless;

/// Writes a drop-in.
///
/// Assignments to the same setting add up, so each set is cleared first; an empty set needs nothing
/// more (systemd.exec(5), `CapabilityBoundingSet=`).
pub(super) struct Systemd;

impl Emitter for Systemd {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "Drop-in");
        let unit = needs.unit.as_deref().map(harmless);
        match &unit {
            Some(unit) => comment(
                out,
                &format!("Paste this with `systemctl edit {unit}`, then restart the unit."),
            ),
            None => comment(
                out,
                "The unit is not known: paste this with `systemctl edit UNIT`, then restart it.",
            ),
        }
        if let Some(note) = as_root_note(needs, "a unit without User=") {
            comment(out, &note);
        }
        let names: Vec<_> = named(needs.set).map(|each| each.to_string()).collect();
        let names = names.join(" ");
        out.push_str(&format!("[{}]\n", section(unit.as_deref())));
        setting(out, "CapabilityBoundingSet", &names);
        match &needs.runs_as {
            RunsAs::Root => {}
            RunsAs::User(user) => {
                let user = harmless(user);
                comment(
                    out,
                    &format!("It ran as {user}: the ambient set is for a unit with User={user}."),
                );
                setting(out, "AmbientCapabilities", &names);
            }
            RunsAs::Unknown if names.is_empty() => {}
            RunsAs::Unknown => {
                comment(
                    out,
                    "The user that it runs as is not known. If User= is not root, add:",
                );
                line_comment(out, &format!("AmbientCapabilities={names}"));
            }
        }
        if let Some(note) = no_new_privs_note(needs, "NoNewPrivileges=yes") {
            comment(out, &note);
        }
        if may_set_no_new_privs(needs) {
            out.push_str("NoNewPrivileges=yes\n");
        }
    }
}

fn setting(out: &mut String, name: &str, names: &str) {
    out.push_str(&format!("{name}=\n"));
    if !names.is_empty() {
        out.push_str(&format!("{name}={names}\n"));
    }
}

/// The section in which this kind of unit takes the settings of systemd.exec(5).
fn section(unit: Option<&str>) -> &'static str {
    match unit.and_then(|unit| unit.rsplit_once('.')) {
        Some((_, "socket")) => "Socket",
        Some((_, "mount")) => "Mount",
        Some((_, "swap")) => "Swap",
        _ => "Service",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{lines, needs};
    use super::*;

    #[test]
    fn root_gets_a_bounding_set_that_replaces_the_units_own() {
        assert_eq!(
            lines(Consumer::Systemd, &needs("net_raw,sys_admin")),
            [
                "[Service]",
                "CapabilityBoundingSet=",
                "CapabilityBoundingSet=CAP_NET_RAW CAP_SYS_ADMIN",
                "NoNewPrivileges=yes",
            ]
        );
    }

    #[test]
    fn another_user_gets_ambient_capabilities_too() {
        let mut needs = needs("net_raw");
        needs.runs_as = RunsAs::User("nobody".to_owned());
        assert_eq!(
            lines(Consumer::Systemd, &needs),
            [
                "[Service]",
                "CapabilityBoundingSet=",
                "CapabilityBoundingSet=CAP_NET_RAW",
                "AmbientCapabilities=",
                "AmbientCapabilities=CAP_NET_RAW",
                "NoNewPrivileges=yes",
            ]
        );
    }

    #[test]
    fn an_empty_set_empties_the_bounding_set() {
        assert_eq!(
            lines(Consumer::Systemd, &needs("none")),
            ["[Service]", "CapabilityBoundingSet=", "NoNewPrivileges=yes"]
        );
    }

    #[test]
    fn no_new_privs_is_left_out_where_it_would_take_something_away() {
        let mut needs = needs("net_raw");
        needs.gains_privileges = Some(true);
        let text = Consumer::Systemd.emit(&needs);
        assert!(!text.contains("NoNewPrivileges=yes"), "{text}");
        assert!(text.contains("set-user-ID"), "{text}");
        needs.gains_privileges = None;
        let text = Consumer::Systemd.emit(&needs).replace("\n# ", " ");
        assert!(text.contains("not known"), "{text}");
        assert!(text.contains("add: NoNewPrivileges=yes"), "{text}");
        assert!(!lines(Consumer::Systemd, &needs).contains(&"NoNewPrivileges=yes".to_owned()));
    }

    #[test]
    fn a_socket_units_settings_go_to_its_own_section() {
        let mut needs = needs("net_raw");
        needs.unit = Some("ssh.socket".to_owned());
        assert_eq!(lines(Consumer::Systemd, &needs)[0], "[Socket]");
    }
}
