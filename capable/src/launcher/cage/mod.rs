//! The cage: the user and the capabilities with which a command runs.

use thiserror::Error;

use super::{Step, typing};
use crate::{
    capability::{Capability, CapabilitySet},
    inspect::{
        Error as InspectError, credentials::Sets, process::Process, secure_bits::SecureBits,
        universe,
    },
};

/// The user and groups that a command runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user; `None` leaves it unchanged.
    pub user: Option<libc::uid_t>,
    /// The group.
    pub group: libc::gid_t,
    /// The supplementary groups.
    pub groups: Vec<libc::gid_t>,
}

/// The capabilities that a command may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holding {
    /// Those that the kernel leaves it.
    #[default]
    AsIs,
    /// Exactly these, in the permitted, effective, inheritable, ambient and bounding set.
    Exactly(CapabilitySet),
    /// Those that it would hold anyway, without these.
    Without(CapabilitySet),
}

/// What is changed before the command is executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cage {
    /// The user and groups; `None` leaves them unchanged.
    pub identity: Option<Identity>,
    /// The capabilities that it may hold.
    pub holding: Holding,
    /// The securebits; `None` leaves them unchanged.
    pub secure_bits: Option<SecureBits>,
    /// Whether no_new_privs is set.
    pub no_new_privs: bool,
}

/// A cage cannot be built.
#[derive(Debug, Error)]
pub enum CageError {
    /// The capabilities of this process could not be read.
    #[error("cannot tell which capabilities capable itself holds: {0}")]
    Own(#[from] InspectError),
    /// This process does not hold the capability, so it cannot give it.
    #[error(
        "cannot give the command {0}: capable does not hold it itself; run capable as root, \
         outside of containers"
    )]
    NotHeld(CapabilitySet),
    /// The bounding set lacks it.
    #[error(
        "cannot give the command {0}: it is not in the bounding set that capable was started \
     with"
    )]
    NotInBounding(CapabilitySet),
    /// Reducing the bounding set needs CAP_SETPCAP.
    #[error(
        "cannot reduce the bounding set: this needs CAP_SETPCAP, which capable does not hold; \
     run capable as root"
    )]
    NoSetpcap,
    /// Refusing TIOCSTI needs CAP_SYS_ADMIN, or no_new_privs.
    #[error(
        "cannot keep the command from typing into this terminal (TIOCSTI): this needs \
         CAP_SYS_ADMIN, which capable does not hold, or no_new_privs for the command; or start \
         capable with setsid and without the terminal"
    )]
    SharedTerminal,
}

impl Cage {
    /// The system calls that build the cage in a child of this process.
    ///
    /// # Errors
    ///
    /// If this process lacks the capabilities to build it.
    pub(crate) fn steps(&self) -> Result<Vec<Step>, CageError> {
        if *self == Self::default() {
            return Ok(Vec::new());
        }
        let own = Process::read(std::process::id())?;
        let sets = own.credentials.sets;
        let mut steps = self.steps_from(&sets, universe())?;
        if typing::is_shared() {
            self.refuse_typing(&sets, &mut steps)?;
        }
        Ok(steps)
    }

    /// A command that holds less than the user must not get the rest by typing into the terminal.
    /// A filter needs CAP_SYS_ADMIN, which is dropped later, or no_new_privs, which comes last.
    fn refuse_typing(&self, own: &Sets, steps: &mut Vec<Step>) -> Result<(), CageError> {
        if own.effective.contains(Capability::SYS_ADMIN) {
            steps.insert(0, Step::RefuseTyping);
        } else if self.no_new_privs {
            steps.push(Step::RefuseTyping);
        } else {
            return Err(CageError::SharedTerminal);
        }
        Ok(())
    }

    /// The system calls, in the order that the kernel demands:
    ///
    /// * The bounding set first: it needs CAP_SETPCAP, which is dropped later (`cap_prctl_drop`,
    ///   security/commoncap.c).
    /// * Then the groups, before the user: setgroups(2) and setgid(2) need CAP_SETGID, and the
    ///   change from root to another user clears the effective set and, without `PR_SET_KEEPCAPS`,
    ///   the permitted set (`cap_emulate_setxuid`).
    /// * The ambient set after the permitted and inheritable sets, of which it must be a subset
    ///   (`PR_CAP_AMBIENT_RAISE`, `cap_task_prctl`), and before the securebits, one of which
    ///   forbids raising it.
    /// * The securebits before CAP_SETPCAP is dropped, which they need.
    /// * no_new_privs last. It would restrict none of the steps above, but it applies to the execve
    ///   that follows.
    fn steps_from(&self, own: &Sets, known: CapabilitySet) -> Result<Vec<Step>, CageError> {
        let setpcap = CapabilitySet::from(Capability::SETPCAP);
        let becomes = self.identity.as_ref().and_then(|identity| identity.user);
        let leaves_root = becomes.is_some_and(|user| user != 0);
        let (wanted, removed) = match self.holding {
            Holding::Exactly(CapabilitySet::ALL_NAMED) => {
                (Some(CapabilitySet::ALL_NAMED.intersection(known)), None)
            }
            Holding::Exactly(wanted) => (Some(wanted), None),
            Holding::Without(removed) => (None, Some(removed)),
            Holding::AsIs => (None, None),
        };
        let given = wanted.unwrap_or_default();
        let lacking = given.difference(own.permitted);
        if !lacking.is_empty() {
            return Err(CageError::NotHeld(lacking));
        }
        let lacking = given.difference(own.bounding);
        if !lacking.is_empty() {
            return Err(CageError::NotInBounding(lacking));
        }
        let bounding = match (wanted, removed) {
            (Some(wanted), _) => own.bounding.intersection(wanted),
            (_, Some(removed)) => own.bounding.difference(removed),
            _ => own.bounding,
        };
        let mut steps: Vec<Step> = own
            .bounding
            .difference(bounding)
            .iter()
            .map(Step::DropBounding)
            .collect();
        if !steps.is_empty() && !own.effective.contains(Capability::SETPCAP) {
            return Err(CageError::NoSetpcap);
        }

        let keeps = !given.is_empty() || self.secure_bits.is_some();
        if becomes.is_some() && keeps {
            steps.push(Step::KeepPermitted);
        }
        if let Some(identity) = &self.identity {
            steps.push(Step::SetGroups(identity.groups.clone()));
            steps.push(Step::SetGroup(identity.group));
            steps.extend(identity.user.map(Step::SetUser));
        }

        // The capabilities to hold in the end; `None` if the kernel alone decides.
        let held = match (wanted, removed) {
            (Some(wanted), _) => Some((wanted, wanted)),
            (None, _) if leaves_root => Some((CapabilitySet::EMPTY, CapabilitySet::EMPTY)),
            (_, Some(removed)) => Some((
                own.permitted.difference(removed),
                own.inheritable.difference(removed),
            )),
            (None, None) => None,
        };
        let set = |permitted: CapabilitySet, inheritable| Step::SetSets {
            effective: permitted,
            permitted,
            inheritable,
        };
        let keeps_setpcap = self.secure_bits.is_some();
        if let Some((permitted, inheritable)) = held {
            let meanwhile = if keeps_setpcap {
                permitted.union(setpcap.intersection(own.permitted))
            } else {
                permitted
            };
            steps.push(set(meanwhile, inheritable));
        }
        if wanted.is_some() || leaves_root {
            steps.push(Step::ClearAmbient);
        }
        steps.extend(given.iter().map(Step::RaiseAmbient));
        if let Some(bits) = self.secure_bits {
            steps.push(Step::SetSecureBits(bits.bits()));
            if let Some((permitted, inheritable)) = held {
                steps.push(set(permitted, inheritable));
            }
        }
        if self.no_new_privs {
            steps.push(Step::SetNoNewPrivs);
        }
        Ok(steps)
    }
}

#[cfg(test)]
mod tests;
