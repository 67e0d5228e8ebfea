//! Settings of a container of systemd-nspawn (systemd.nspawn(5)).

use super::{
    Emitter, ProgramNeeds, RunsAs, as_root_note, comment, may_set_no_new_privs, named,
    no_new_privs_note,
};
use crate::capability::{Capability, CapabilitySet};
use crate::profile::words::harmless;

/// Writes the section `[Exec]`.
///
/// `Capability=` adds to what systemd-nspawn gives each container, and `DropCapability=` takes from
/// both (`merge_settings`, src/nspawn/nspawn.c), so what is not needed has to be named.
pub(super) struct Nspawn;

/// What a container holds if nothing is set (systemd-nspawn(1), `--capability=`): the last one with
/// a private network.
const GIVEN: [Capability; 27] = [
    Capability::AUDIT_CONTROL,
    Capability::AUDIT_WRITE,
    Capability::CHOWN,
    Capability::DAC_OVERRIDE,
    Capability::DAC_READ_SEARCH,
    Capability::FOWNER,
    Capability::FSETID,
    Capability::IPC_OWNER,
    Capability::KILL,
    Capability::LEASE,
    Capability::LINUX_IMMUTABLE,
    Capability::MKNOD,
    Capability::NET_BIND_SERVICE,
    Capability::NET_BROADCAST,
    Capability::NET_RAW,
    Capability::SETFCAP,
    Capability::SETGID,
    Capability::SETPCAP,
    Capability::SETUID,
    Capability::SYS_ADMIN,
    Capability::SYS_BOOT,
    Capability::SYS_CHROOT,
    Capability::SYS_NICE,
    Capability::SYS_PTRACE,
    Capability::SYS_RESOURCE,
    Capability::SYS_TTY_CONFIG,
    Capability::NET_ADMIN,
];

impl Emitter for Nspawn {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "Settings of systemd-nspawn");
        comment(
            out,
            "Put them into /etc/systemd/nspawn/MACHINE.nspawn: beside the image, Capability= is \
             not trusted. They are for a container that runs this program alone, not for one that \
             boots an init.",
        );
        if let Some(note) = as_root_note(needs, "a container that runs as root") {
            comment(out, &note);
        }
        let words = |set: CapabilitySet| {
            let names: Vec<_> = named(set).map(|each| each.to_string()).collect();
            names.join(" ")
        };
        let given: CapabilitySet = GIVEN.into_iter().collect();
        out.push_str("[Exec]\n");
        let mut setting = |name: &str, set: CapabilitySet| {
            if !set.is_empty() {
                out.push_str(&format!("{name}={}\n", words(set)));
            }
        };
        setting("Capability", needs.set);
        setting("DropCapability", given.difference(needs.set));
        if let RunsAs::User(user) = &needs.runs_as {
            setting("AmbientCapability", needs.set);
            comment(out, &format!("It ran as {}: see User=.", harmless(user)));
        }
        if let Some(note) = no_new_privs_note(needs, "NoNewPrivileges=yes") {
            comment(out, &note);
        }
        if may_set_no_new_privs(needs) {
            out.push_str("NoNewPrivileges=yes\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lines, needs};
    use super::super::{Consumer, RunsAs};

    #[test]
    fn what_is_needed_is_added_and_the_rest_of_what_a_container_gets_is_dropped() {
        let lines = lines(Consumer::Nspawn, &needs("net_raw,sys_time"));
        let [section, added, dropped, no_new_privs] = &lines[..] else {
            panic!("{lines:?}");
        };
        assert_eq!(section, "[Exec]");
        assert_eq!(added, "Capability=CAP_NET_RAW CAP_SYS_TIME");
        let dropped = dropped.strip_prefix("DropCapability=").unwrap();
        assert_eq!(dropped.split(' ').count(), 26);
        assert!(!dropped.contains("CAP_NET_RAW"), "{dropped}");
        assert!(dropped.contains("CAP_SYS_ADMIN"), "{dropped}");
        assert_eq!(no_new_privs, "NoNewPrivileges=yes");
    }

    #[test]
    fn another_user_keeps_the_set_as_its_ambient_one() {
        let mut needs = needs("net_raw");
        needs.runs_as = RunsAs::User("nobody".to_owned());
        let lines = lines(Consumer::Nspawn, &needs);
        assert!(
            lines.contains(&"AmbientCapability=CAP_NET_RAW".to_owned()),
            "{lines:?}"
        );
    }
}
