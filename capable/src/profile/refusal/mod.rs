//! Why system calls were refused, whether or not a capability was asked for.
//!
//! Pure, as the rest of this room: a [`Refusal`] holds what was observed of a call and what was
//! looked up afterwards, and [`Refusal::explain`] finds the one reason, or says that it found none.

mod causes;
mod denied;
mod explained;
mod files;
mod object;
mod permission;
#[cfg(feature = "cli")]
mod text;
mod words;

use std::sync::Arc;

pub use explained::{Explained, RefusalKind};
#[cfg(feature = "cli")]
pub use text::refusals_text;

use crate::{
    capability::Capability,
    event::{FileFacts, HeldCredentials, Surroundings},
    profile::Observation,
};

/// A refused system call: alike ones are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The program that made it.
    pub program: Arc<str>,
    /// The process; that of the first one, if there were several.
    pub pid: u32,
    /// How often.
    pub count: u64,
    /// When it was refused first, in nanoseconds since the program started.
    pub first: u64,
    /// What was asked for.
    pub call: RefusedCall,
    /// With which credentials, if they are known.
    pub held: Option<Held>,
    /// The checks that were denied in it.
    pub denied: Vec<Observation>,
    /// The capabilities that were granted in it.
    pub granted: Vec<Capability>,
    /// What lies around the file that it was about; or why that is not known.
    pub surroundings: Option<Result<Surroundings, String>>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefusedCall {
    /// The name of the system call.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// The errno that it failed with; `None` if it returned success, and the refusal is told
    /// elsewhere.
    pub errno: Option<i32>,
    /// The first text that its arguments point to: a path, or the address of a socket.
    pub text: Option<Vec<u8>>,
    /// The second.
    pub second: Option<Vec<u8>>,
    /// The path of its descriptor's file, or of the directory that the path is relative to.
    pub path: Option<Vec<u8>>,
    /// What is known of that file.
    pub file: Option<FileFacts>,
    /// The process that it was about.
    pub target: Option<RefusedProcess>,
}

/// A process that a call was about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefusedProcess {
    /// Its number.
    pub pid: u32,
    /// Its name; empty if it is not known.
    pub name: String,
    /// Its real user, if that is known.
    pub uid: Option<u32>,
}

/// What a task held and what confined it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// Its credentials.
    pub credentials: HeldCredentials,
    /// Its supplementary groups, if they are known.
    pub groups: Option<Vec<u32>>,
    /// Whether no_new_privs was set.
    pub no_new_privileges: Option<bool>,
    /// Whether a seccomp filter was in force.
    pub seccomp: Option<bool>,
    /// Whether Landlock restricted it.
    pub landlock: Option<bool>,
}

/// What is the same for all refusals of a run: names, and the settings of the system.
pub trait System {
    /// The name of a user, or its number.
    fn user(&self, uid: u32) -> String;
    /// The name of a group, or its number.
    fn group(&self, gid: u32) -> String;
    /// A setting: what `/proc/sys` says, by its name with dots.
    fn setting(&self, name: &str) -> Option<String>;
    /// The AppArmor or SELinux label that the command began with, if it is confined.
    fn label(&self) -> Option<String>;
}

impl Refusal {
    /// Why it was refused.
    pub fn explain(&self, system: &dyn System) -> Explained {
        let (verdict, sentences) = denied::explain(self, system)
            .or_else(|| causes::explain(self, system))
            .unwrap_or_else(|| causes::nothing_found(self, system));
        Explained {
            program: self.program.to_string(),
            pid: self.pid,
            count: self.count,
            first_ns: self.first,
            call: self.call.name.to_owned(),
            object: object::of(&self.call),
            errno: self.call.errno.map(words::errno),
            capability: verdict.capability(),
            verdict: verdict.kind(),
            sentences,
        }
    }

    /// The path of the file that it is about, if that may have to do with it.
    pub fn file(&self) -> Option<Vec<u8>> {
        let path = object::path_of(&self.call)?;
        path.starts_with(b"/").then_some(path)
    }

    /// Whether the call follows a symbolic link at the end of its path.
    pub fn follows_last_link(&self) -> bool {
        /// `AT_SYMLINK_NOFOLLOW` (include/uapi/linux/fcntl.h).
        const NO_FOLLOW: i32 = 0x100;
        match self.call.name {
            "lchown" | "lstat" | "unlink" | "unlinkat" | "rename" | "renameat" | "renameat2"
            | "rmdir" | "mkdir" | "mkdirat" | "symlink" | "symlinkat" | "link" | "linkat"
            | "lsetxattr" | "lgetxattr" | "llistxattr" | "lremovexattr" | "readlink"
            | "readlinkat" | "mknod" | "mknodat" => false,
            "newfstatat" => self.number(3) & NO_FOLLOW == 0,
            "fchownat" => self.number(4) & NO_FOLLOW == 0,
            "open" => self.number(1) & libc::O_NOFOLLOW == 0,
            "openat" => self.number(2) & libc::O_NOFOLLOW == 0,
            _ => true,
        }
    }

    fn fails_with(&self, errno: i32) -> bool {
        self.call.errno == Some(errno)
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.call.name)
    }

    fn around(&self) -> Option<&Surroundings> {
        self.surroundings.as_ref()?.as_ref().ok()
    }

    /// An argument as a number of C's type `int`.
    fn number(&self, argument: usize) -> i32 {
        self.call.arguments[argument] as i32
    }
}

#[cfg(test)]
mod tests;
