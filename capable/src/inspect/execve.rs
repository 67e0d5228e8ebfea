//! How execve changes credentials: the kernel's rule, without side effects.
//!
//! The rule is `cap_bprm_creds_from_file` with `get_file_caps` and `handle_privileged_root`
//! (security/commoncap.c) and `bprm_fill_uid` (fs/exec.c), read in Linux 5.10, 6.1, 6.12 and 7.3. It
//! leaves out set-group-ID, which only affects the ambient set, and a root directory that is shared
//! with another process (CLONE_FS), which nothing shows.

use std::fs;

use super::credentials::Sets;
use crate::capability::{Capability, CapabilitySet};

/// The process that calls execve.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The five capability sets.
    pub sets: Sets,
    /// The real user id.
    pub uid: u32,
    /// The effective user id.
    pub euid: u32,
    /// The real group id.
    pub gid: u32,
    /// The effective group id.
    pub egid: u32,
    /// The user that is root in the caller's user namespace; `None` if there is none.
    pub root: Option<u32>,
    /// The secure bit noroot is set.
    pub noroot: bool,
    /// `no_new_privs` is set.
    pub no_new_privs: bool,
    /// It is traced by a process that lacks CAP_SYS_PTRACE.
    pub traced: bool,
    /// How the kernel sees that an id changed.
    pub compared: Compared,
}

/// Which of the caller's ids the new effective ones are compared with, to see whether an id changed.
/// If one did, the ambient set is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The real ones, by `__is_setuid` and `__is_setgid` up to 6.15: a process whose ids differ loses
    /// its ambient set at each execve.
    Real,
    /// The effective ones, since 6.16.
    Effective,
}

impl Compared {
    /// As the running kernel does.
    pub fn here() -> Self {
        Self::by(&fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default())
    }

    /// As a release such as `6.1.0-57-amd64` does; one that cannot be read counts as new.
    fn by(release: &str) -> Self {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        let mut number = || numbers.next()?.parse::<u32>().ok();
        match (number(), number()) {
            (Some(major), Some(minor)) if (major, minor) < (6, 16) => Self::Real,
            _ => Self::Effective,
        }
    }
}

/// What the file adds. On a nosuid mount it adds nothing: leave it empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Program {
    /// The owner, if the set-user-ID bit is set.
    pub set_user_id: Option<u32>,
    /// The capabilities, if it has some that apply in the caller's user namespace.
    pub capabilities: Option<Attached>,
}

/// The capabilities of a file.
#[derive(Clone, Copy, Debug)]
pub struct Attached {
    /// The permitted set, which the caller's bounding set limits.
    pub permitted: CapabilitySet,
    /// The inheritable set, which the caller's inheritable set limits.
    pub inheritable: CapabilitySet,
    /// The effective bit: whether the new permitted set is effective from the start.
    pub effective: bool,
}

/// What the program holds afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The effective user id.
    pub euid: u32,
    /// The effective set.
    pub effective: CapabilitySet,
    /// The permitted set.
    pub permitted: CapabilitySet,
    /// The ambient set.
    pub ambient: CapabilitySet,
}

impl Caller {
    /// What the program holds after execve. `None` if the kernel refuses with EPERM, because the
    /// file has the effective bit and the bounding set lacks one of its capabilities.
    pub fn execve(&self, program: &Program) -> Option<Held> {
        let old = &self.sets;
        let is_root = |uid: u32| self.root == Some(uid);
        let mut euid = match program.set_user_id {
            Some(owner) if !self.no_new_privs => owner,
            _ => self.euid,
        };

        let mut permitted = CapabilitySet::EMPTY;
        let mut effective = false;
        if let Some(file) = program.capabilities {
            permitted = old
                .bounding
                .intersection(file.permitted)
                .union(old.inheritable.intersection(file.inheritable));
            if file.effective && !permitted.contains_all(file.permitted) {
                return None;
            }
            effective = file.effective;
        }

        let has_capabilities = program.capabilities.is_some();
        // To other users, a set-user-ID root file with capabilities gives only those.
        let just_those = has_capabilities && is_root(euid) && !is_root(self.uid);
        if !self.noroot && !just_those {
            if is_root(euid) || is_root(self.uid) {
                permitted = old.bounding.union(old.inheritable);
            }
            effective |= is_root(euid);
        }

        let changed = match self.compared {
            Compared::Real => euid != self.uid || self.egid != self.gid,
            Compared::Effective => euid != self.euid,
        };
        let gained = !old.permitted.contains_all(permitted);
        if (changed || gained) && (self.no_new_privs || self.traced) {
            if self.no_new_privs || !old.effective.contains(Capability::SETUID) {
                euid = self.uid;
            }
            permitted = permitted.intersection(old.permitted);
        }
        let ambient = if has_capabilities || changed {
            CapabilitySet::EMPTY
        } else {
            old.ambient
        };
        permitted = permitted.union(ambient);
        Some(Held {
            euid,
            effective: if effective { permitted } else { ambient },
            permitted,
            ambient,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: CapabilitySet = CapabilitySet::EMPTY;
    const ALL: CapabilitySet = CapabilitySet::ALL_NAMED;

    fn set(text: &str) -> CapabilitySet {
        text.parse().unwrap()
    }

    fn user() -> Caller {
        Caller {
            sets: Sets {
                effective: NONE,
                permitted: NONE,
                inheritable: NONE,
                bounding: ALL,
                ambient: NONE,
            },
            uid: 1000,
            euid: 1000,
            gid: 1000,
            egid: 1000,
            root: Some(0),
            noroot: false,
            no_new_privs: false,
            traced: false,
            compared: Compared::Effective,
        }
    }

    fn root() -> Caller {
        let mut root = user();
        (root.uid, root.euid) = (0, 0);
        (root.sets.effective, root.sets.permitted) = (ALL, ALL);
        root
    }

    fn ping() -> Program {
        Program {
            set_user_id: None,
            capabilities: Some(Attached {
                permitted: set("net_raw"),
                inheritable: NONE,
                effective: true,
            }),
        }
    }

    fn sudo() -> Program {
        Program {
            set_user_id: Some(0),
            capabilities: None,
        }
    }

    #[test]
    fn a_user_gains_by_file_capabilities_and_by_set_user_id_root() {
        let held = user().execve(&ping()).unwrap();
        assert_eq!((held.effective, held.euid), (set("net_raw"), 1000));
        let held = user().execve(&sudo()).unwrap();
        assert_eq!((held.effective, held.permitted, held.euid), (ALL, ALL, 0));
        let held = user().execve(&Program::default()).unwrap();
        assert_eq!((held.effective, held.permitted), (NONE, NONE));
    }

    #[test]
    fn set_user_id_root_with_file_capabilities_gives_a_user_just_those() {
        let both = Program {
            set_user_id: Some(0),
            ..ping()
        };
        let held = user().execve(&both).unwrap();
        assert_eq!((held.effective, held.euid), (set("net_raw"), 0));
        assert_eq!(root().execve(&both).unwrap().effective, ALL);
    }

    #[test]
    fn set_user_id_to_another_leaves_root_with_permitted_only() {
        let program = Program {
            set_user_id: Some(1000),
            capabilities: None,
        };
        let held = root().execve(&program).unwrap();
        assert_eq!((held.permitted, held.effective), (ALL, NONE));
    }

    #[test]
    fn no_new_privs_takes_every_gain_away() {
        let mut confined = user();
        confined.no_new_privs = true;
        for program in [ping(), sudo()] {
            let held = confined.execve(&program).unwrap();
            assert_eq!(
                (held.effective, held.permitted, held.euid),
                (NONE, NONE, 1000)
            );
        }
        let mut dropped = root();
        dropped.no_new_privs = true;
        dropped.sets.permitted = set("kill");
        let held = dropped.execve(&Program::default()).unwrap();
        assert_eq!(held.permitted, set("kill"));
    }

    #[test]
    fn the_bounding_set_refuses_what_the_file_insists_on() {
        let mut bounded = user();
        bounded.sets.bounding = set("kill");
        assert_eq!(bounded.execve(&ping()), None);
        let mut lax = ping();
        lax.capabilities.as_mut().unwrap().effective = false;
        assert_eq!(bounded.execve(&lax).unwrap().permitted, NONE);
    }

    #[test]
    fn ambient_survives_an_ordinary_file_and_nothing_else() {
        let mut caller = user();
        let kill = CapabilitySet::from(Capability::KILL);
        (caller.sets.inheritable, caller.sets.ambient) = (kill, kill);
        let held = caller.execve(&Program::default()).unwrap();
        assert_eq!((held.effective, held.ambient), (kill, kill));
        assert_eq!(caller.execve(&ping()).unwrap().ambient, NONE);
        assert_eq!(caller.execve(&sudo()).unwrap().ambient, NONE);
    }

    /// ../shared/errata.md: run on 6.1 and 6.12, where the ambient set was lost, and on 6.18, where not.
    #[test]
    fn up_to_6_15_a_process_whose_ids_differ_loses_its_ambient_set() {
        let mut caller = user();
        let raw = CapabilitySet::from(Capability::NET_RAW);
        (caller.sets.inheritable, caller.sets.ambient) = (raw, raw);
        caller.sets.permitted = raw;
        caller.euid = 1001;
        let ambient = |caller: &Caller| caller.execve(&Program::default()).unwrap().ambient;
        assert_eq!(ambient(&caller), raw);
        caller.compared = Compared::Real;
        assert_eq!(ambient(&caller), NONE);
        (caller.euid, caller.egid) = (1000, 1001);
        assert_eq!(ambient(&caller), NONE);
        caller.egid = 1000;
        assert_eq!(ambient(&caller), raw);
        for (release, compared) in [
            ("5.10.0-35-amd64", Compared::Real),
            ("6.15.9", Compared::Real),
            ("6.16-rc1", Compared::Effective),
            ("7.3.1", Compared::Effective),
            ("next", Compared::Effective),
        ] {
            assert_eq!(Compared::by(release), compared, "{release}");
        }
    }

    #[test]
    fn a_tracer_without_the_capability_keeps_a_program_from_gaining() {
        let mut caller = user();
        caller.traced = true;
        let held = caller.execve(&ping()).unwrap();
        assert_eq!((held.effective, held.permitted), (NONE, NONE));
        let held = caller.execve(&sudo()).unwrap();
        assert_eq!((held.permitted, held.euid), (NONE, 1000));
        caller.sets.effective = set("setuid");
        caller.sets.permitted = set("setuid");
        let held = caller.execve(&sudo()).unwrap();
        assert_eq!((held.permitted, held.euid), (set("setuid"), 0));
    }

    #[test]
    fn noroot_makes_root_an_ordinary_user() {
        let mut caller = root();
        caller.noroot = true;
        assert_eq!(caller.execve(&Program::default()).unwrap().permitted, NONE);
    }
}
