//! What a trigger is, and which checks it is expected to make.

use std::io;

use super::capabilities::Capability;
use super::identity::Identity;
use super::kernel::Version;
use super::scene::Scene;
use super::syscall::Answer;

/// How a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Granted by the bit in the effective set.
    Granted,
    /// Granted because the credentials own the target namespace.
    Owned,
    /// Denied.
    Denied,
    /// The check is not made.
    Absent,
    /// The check may or may not be made, with any result.
    Any,
}

/// Whose credentials are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The task's own.
    Own,
    /// The task's, overridden for a while.
    Overridden,
    /// Those of another task.
    Foreign,
}

/// One check that a trigger makes.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// What is asked for.
    pub capability: Capability,
    /// A denial would be logged.
    pub audited: bool,
    /// The check is made by set*id.
    pub insetid: bool,
    /// How it ends as root, as a user, and as root of a child user namespace.
    pub verdicts: [Verdict; 3],
    /// The kernel functions, one of which asks: compilers inline some into others. Empty: any.
    pub callers: &'static [&'static str],
    /// Whose credentials are checked.
    pub whose: Whose,
    /// The effective user of these credentials, if it should be compared.
    pub euid: Option<u32>,
    /// Whether it is made over the initial user namespace or another, if that should be compared.
    pub initial: Option<bool>,
    /// The least number of times it is made.
    pub times: usize,
    /// The first kernel that makes it.
    pub since: Version,
    /// The first kernel that no longer makes it.
    pub until: Version,
}

/// An audited check with the verdicts as root, as a user and as root of a child namespace.
pub const fn check(
    capability: Capability,
    verdicts: [Verdict; 3],
    callers: &'static [&'static str],
) -> Expected {
    Expected {
        capability,
        audited: true,
        insetid: false,
        verdicts,
        callers,
        whose: Whose::Own,
        euid: None,
        initial: None,
        times: 1,
        since: Version::FIRST,
        until: Version::NEVER,
    }
}

impl Expected {
    /// A denial is not logged.
    pub const fn unaudited(mut self) -> Self {
        self.audited = false;
        self
    }

    /// Made by set*id.
    pub const fn insetid(mut self) -> Self {
        self.insetid = true;
        self
    }

    /// Made with these credentials.
    pub const fn with(mut self, whose: Whose) -> Self {
        self.whose = whose;
        self
    }

    /// Made with credentials of this effective user.
    pub const fn euid(mut self, euid: u32) -> Self {
        self.euid = Some(euid);
        self
    }

    /// Made over the initial user namespace, or over another.
    pub const fn over_initial(mut self, initial: bool) -> Self {
        self.initial = Some(initial);
        self
    }

    /// Made this often.
    pub const fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Made by this kernel and later ones.
    pub const fn since(mut self, major: u32, minor: u32) -> Self {
        self.since = Version(major, minor);
        self
    }

    /// Made by kernels before this one.
    pub const fn until(mut self, major: u32, minor: u32) -> Self {
        self.until = Version(major, minor);
        self
    }

    /// The verdict as this identity on this kernel.
    pub fn verdict(&self, identity: Identity, kernel: Version) -> Verdict {
        if kernel < self.since || kernel >= self.until {
            return Verdict::Absent;
        }
        match identity {
            Identity::Root => self.verdicts[0],
            Identity::User => self.verdicts[1],
            Identity::Userns => self.verdicts[2],
        }
    }
}

/// The input of a trigger's action.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Where it runs.
    pub scene: &'a Scene,
    /// What its stage prepared: a file descriptor or a pid; -1 without a stage.
    pub prepared: i32,
    /// The descriptor for reporting the outcome, for use by a program that it executes.
    pub report: i32,
}

/// Prepares a trigger in its own process, under another name; the result is passed to `act`.
pub type Stage = fn(&Scene) -> io::Result<i32>;

/// A known set of capability checks.
#[derive(Clone, Copy)]
pub struct Trigger {
    /// Its name, which is the comm of the process while it acts: at most 15 bytes.
    pub name: &'static str,
    /// What it does, for a reader.
    pub about: &'static str,
    /// What it does.
    pub act: fn(Given<'_>) -> Answer,
    /// What the program does that `act` executes, if it does.
    pub after_exec: Option<fn() -> Answer>,
    /// Prepares it before the process becomes the identity.
    pub stage_as_root: Option<Stage>,
    /// Prepares it after the process became the identity.
    pub stage: Option<Stage>,
    /// The identities for which it makes sense.
    pub identities: &'static [Identity],
    /// Its real user while it acts, if that is not the identity's.
    pub uid: Option<u32>,
    /// Its real group while it acts, if that is not the identity's.
    pub gid: Option<u32>,
    /// Whether it changes nothing outside of its process and the scene's directory.
    pub harmless: bool,
    /// What it shows.
    pub expected: &'static [Expected],
}

impl Trigger {
    /// A harmless trigger for all identities.
    pub const fn new(
        name: &'static str,
        about: &'static str,
        expected: &'static [Expected],
        act: fn(Given<'_>) -> Answer,
    ) -> Self {
        assert!(name.len() <= 15, "a comm has 15 bytes");
        Self {
            name,
            about,
            act,
            after_exec: None,
            stage_as_root: None,
            stage: None,
            identities: &Identity::ALL,
            uid: None,
            gid: None,
            harmless: true,
            expected,
        }
    }

    /// Runs in virtual machines only.
    pub const fn harmful(mut self) -> Self {
        self.harmless = false;
        self
    }

    /// Runs as these only.
    pub const fn only_as(mut self, identities: &'static [Identity]) -> Self {
        self.identities = identities;
        self
    }

    /// Prepared as root, before the process becomes the identity.
    pub const fn staged_as_root(mut self, stage: Stage) -> Self {
        self.stage_as_root = Some(stage);
        self
    }

    /// Prepared after the process became the identity.
    pub const fn staged(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    /// Acts as this real user.
    pub const fn real_user(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Acts as this real group.
    pub const fn real_group(mut self, gid: u32) -> Self {
        self.gid = Some(gid);
        self
    }

    /// Executes this program, which then does that.
    pub const fn then(mut self, act: fn() -> Answer) -> Self {
        self.after_exec = Some(act);
        self
    }
}
