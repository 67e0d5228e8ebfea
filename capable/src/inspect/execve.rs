//! How execve changes credentials: the kernel's rule, without side effects.
//!
//! The rule is `cap_bprm_creds_from_file` with `get_file_caps` and `handle_privileged_root`
//! (security/commoncap.c) and `bprm_fill_uid` (fs/exec.c), read in Linux 6.16. It leaves out
//! tracing of the caller, and the group ids, which only affect the ambient set.

use super::credentials::Sets;
use crate::capability::CapabilitySet;

/// The process that calls execve.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The five capability sets.
    pub sets: Sets,
    /// The real user id.
    pub uid: u32,
    /// The effective user id.
    pub euid: u32,
    /// The user that is root in the caller's user namespace; `None` if there is none.
    pub root: Option<u32>,
    /// The secure bit noroot is set.
    pub noroot: bool,
    /// `no_new_privs` is set.
    pub no_new_privs: bool,
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

        let changed = euid != self.euid;
        if self.no_new_privs && !old.permitted.contains_all(permitted) {
            euid = self.uid;
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
    use crate::capability::Capability;

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
            root: Some(0),
            noroot: false,
            no_new_privs: false,
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

    #[test]
    fn noroot_makes_root_an_ordinary_user() {
        let mut caller = root();
        caller.noroot = true;
        assert_eq!(caller.execve(&Program::default()).unwrap().permitted, NONE);
    }
}
