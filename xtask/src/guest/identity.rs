//! The users that triggers run as.

use std::{fmt, fs, io};

use clap::ValueEnum;

use super::syscall::call;

/// The unprivileged user in the scenario.
pub const USER: u32 = 1000;
/// Another user: the owner of whatever triggers may not touch.
pub const OTHER: u32 = 1001;
/// A third user, for giving files away to.
pub const THIRD: u32 = 1002;

/// As whom a trigger runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Identity {
    /// Root of the initial user namespace, with every capability.
    Root,
    /// User 1000 without capabilities.
    User,
    /// User 1000 as root of a child user namespace that it owns.
    Userns,
}

impl Identity {
    /// All of them, in the order of the verdicts of an expectation.
    pub const ALL: [Self; 3] = [Self::Root, Self::User, Self::Userns];

    /// The real user id, as the initial user namespace numbers it.
    pub fn uid(self) -> u32 {
        match self {
            Self::Root => 0,
            Self::User | Self::Userns => USER,
        }
    }

    /// The real group id, as the initial user namespace numbers it.
    pub fn gid(self) -> u32 {
        self.uid()
    }

    /// Makes the calling process this identity. The process must be root.
    ///
    /// # Errors
    /// What the kernel answers to the first step that fails.
    pub fn assume(self) -> io::Result<()> {
        if self == Self::Root {
            return Ok(());
        }
        become_user(USER)?;
        if self == Self::Userns {
            enter_child_namespace()?;
        }
        Ok(())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::User => "user",
            Self::Userns => "userns",
        })
    }
}

/// Gives up root for good.
///
/// # Errors
/// What the kernel answers to the first step that fails.
pub fn become_user(uid: u32) -> io::Result<()> {
    let failed = io::Error::from_raw_os_error;
    call!(SYS_setgroups, 0, 0).map_err(failed)?;
    call!(SYS_setresgid, uid, uid, uid).map_err(failed)?;
    call!(SYS_setresuid, uid, uid, uid).map_err(failed)?;
    // A process that changed its ids is not dumpable, and its own /proc files belong to root
    // (kernel/cred.c, commit_creds): it could not write its id maps.
    call!(SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0).map_err(failed)?;
    Ok(())
}

/// Makes the calling process root of a new user namespace in which it is the only user.
///
/// # Errors
/// What the kernel answers to the first step that fails.
pub fn enter_child_namespace() -> io::Result<()> {
    // SAFETY: getuid and getgid take no arguments and cannot fail.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    call!(SYS_unshare, libc::CLONE_NEWUSER).map_err(io::Error::from_raw_os_error)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1\n"))?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1\n"))
}
