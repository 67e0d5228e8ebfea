//! The system calls that build a cage.

use std::{fmt, io, ptr};

use super::typing;
use crate::capability::{Capability, CapabilitySet};

/// `_LINUX_CAPABILITY_VERSION_3` (include/uapi/linux/capability.h).
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// One system call on the way into the cage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Refuse TIOCSTI and TIOCLINUX by a seccomp filter, so that the command cannot type into the
    /// terminal.
    RefuseTyping,
    /// Drop a capability from the bounding set: `PR_CAPBSET_DROP`.
    DropBounding(Capability),
    /// Keep the permitted set when the user changes: `PR_SET_KEEPCAPS`.
    KeepPermitted,
    /// setgroups(2).
    SetGroups(Vec<libc::gid_t>),
    /// setresgid(2), for all three ids.
    SetGroup(libc::gid_t),
    /// setresuid(2), for all three ids.
    SetUser(libc::uid_t),
    /// capset(2).
    SetSets {
        /// The effective set.
        effective: CapabilitySet,
        /// The permitted set.
        permitted: CapabilitySet,
        /// The inheritable set.
        inheritable: CapabilitySet,
    },
    /// Clear the ambient set: `PR_CAP_AMBIENT_CLEAR_ALL`.
    ClearAmbient,
    /// Add a capability to the ambient set: `PR_CAP_AMBIENT_RAISE`.
    RaiseAmbient(Capability),
    /// `PR_SET_SECUREBITS`.
    SetSecureBits(u32),
    /// `PR_SET_NO_NEW_PRIVS`.
    SetNoNewPrivs,
}

/// The header of capset(2) (include/uapi/linux/capability.h).
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// One of the two halves of capset(2)'s data.
#[repr(C)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

impl Step {
    /// Makes the system call. This is safe between fork and exec: it neither allocates nor locks.
    ///
    /// # Errors
    ///
    /// What the kernel answered.
    pub(super) fn apply(&self) -> io::Result<()> {
        let number = |capability: &Capability| capability.number() as libc::c_ulong;
        match self {
            Self::RefuseTyping => typing::refuse(),
            Self::DropBounding(capability) => prctl(libc::PR_CAPBSET_DROP, number(capability), 0),
            Self::KeepPermitted => prctl(libc::PR_SET_KEEPCAPS, 1, 0),
            Self::SetGroups(groups) => {
                // SAFETY: the list is as long as is said.
                let result =
                    unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
                check(result)
            }
            Self::SetGroup(group) => {
                // SAFETY: the call takes numbers only. It changes this thread, the only one.
                check(unsafe { libc::syscall(libc::SYS_setresgid, *group, *group, *group) })
            }
            Self::SetUser(user) => {
                // SAFETY: as above.
                check(unsafe { libc::syscall(libc::SYS_setresuid, *user, *user, *user) })
            }
            Self::SetSets {
                effective,
                permitted,
                inheritable,
            } => set_sets(*effective, *permitted, *inheritable),
            Self::ClearAmbient => prctl(
                libc::PR_CAP_AMBIENT,
                libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
                0,
            ),
            Self::RaiseAmbient(capability) => prctl(
                libc::PR_CAP_AMBIENT,
                libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong,
                number(capability),
            ),
            Self::SetSecureBits(bits) => prctl(libc::PR_SET_SECUREBITS, (*bits).into(), 0),
            Self::SetNoNewPrivs => prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0),
        }
    }

    /// The most likely reason for this errno.
    pub(super) fn hint(&self, error: &io::Error) -> &'static str {
        match (error.raw_os_error(), self) {
            (Some(libc::EINVAL), Self::RefuseTyping) => {
                "; this kernel has no seccomp filters: start capable with `setsid`"
            }
            (Some(libc::EPERM), Self::DropBounding(_)) => "; it needs CAP_SETPCAP",
            (Some(libc::EPERM), Self::SetSecureBits(_)) => {
                "; it needs CAP_SETPCAP, and a locked bit cannot be changed"
            }
            (Some(libc::EPERM), Self::KeepPermitted) => "; the secure bit keep-caps is locked",
            (Some(libc::EPERM), Self::SetGroups(_) | Self::SetGroup(_)) => {
                "; it needs CAP_SETGID and, in a user namespace, setgroups must be allowed \
                 (/proc/self/setgroups)"
            }
            (Some(libc::EPERM), Self::SetUser(_)) => "; it needs CAP_SETUID",
            (Some(libc::EINVAL), Self::SetUser(_) | Self::SetGroup(_)) => {
                "; this user namespace does not map this id"
            }
            (Some(libc::EAGAIN), Self::SetUser(_)) => {
                "; the user has reached its limit of \
             processes (RLIMIT_NPROC)"
            }
            (Some(libc::EPERM), Self::RaiseAmbient(_)) => {
                "; the secure bit no-cap-ambient-raise is set and forbids it"
            }
            (Some(libc::EINVAL), Self::DropBounding(_) | Self::RaiseAmbient(_)) => {
                "; this kernel does not support it"
            }
            _ => "",
        }
    }
}

impl fmt::Display for Step {
    /// The step as a phrase that follows "cannot".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RefuseTyping => f.write_str("keep the command from typing into this terminal"),
            Self::DropBounding(capability) => {
                write!(f, "drop {capability} from the bounding set")
            }
            Self::KeepPermitted => f.write_str("keep the capabilities across the change of user"),
            Self::SetGroups(groups) => {
                let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
                write!(f, "set the supplementary groups [{}]", groups.join(", "))
            }
            Self::SetGroup(group) => write!(f, "change to group {group}"),
            Self::SetUser(user) => write!(f, "change to user {user}"),
            Self::SetSets { permitted, .. } => {
                write!(f, "set the capabilities to {permitted:#}")
            }
            Self::ClearAmbient => f.write_str("clear the ambient set"),
            Self::RaiseAmbient(capability) => write!(f, "make {capability} ambient"),
            Self::SetSecureBits(bits) => write!(f, "set the securebits to {bits:#x}"),
            Self::SetNoNewPrivs => f.write_str("set no_new_privs"),
        }
    }
}

fn prctl(option: libc::c_int, first: libc::c_ulong, second: libc::c_ulong) -> io::Result<()> {
    let zero: libc::c_ulong = 0;
    // SAFETY: the options used here take numbers only; unused arguments must be 0.
    check(unsafe { libc::prctl(option, first, second, zero, zero) }.into())
}

fn set_sets(
    effective: CapabilitySet,
    permitted: CapabilitySet,
    inheritable: CapabilitySet,
) -> io::Result<()> {
    let header = Header {
        version: CAPABILITY_VERSION,
        pid: 0,
    };
    let half = |shift: u32| Half {
        effective: (effective.bits() >> shift) as u32,
        permitted: (permitted.bits() >> shift) as u32,
        inheritable: (inheritable.bits() >> shift) as u32,
    };
    let halves = [half(0), half(32)];
    // SAFETY: version 3 takes a header and two halves, and only reads them.
    check(unsafe { libc::syscall(libc::SYS_capset, ptr::from_ref(&header), halves.as_ptr()) })
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
