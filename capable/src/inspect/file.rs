//! What a file grants when it is executed.

use std::fs;
use std::io;
use std::os::unix::{ffi::OsStringExt as _, fs::MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;
use serde::Serialize;

use super::credentials::Sets;
use super::execve::{Attached, Caller, Held, Program};
use super::file_capabilities::FileCapabilities;
use super::user_namespace::UserNamespace;
use super::{Error, interpreter_of, json};
use crate::{capability::CapabilitySet, files::name_of};

/// A regular file.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// Its path, with symbolic links resolved unless that names another file: a file below
    /// /proc/PID/root may have no other path here.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The permission bits, with set-user-ID and set-group-ID.
    #[serde(serialize_with = "json::octal")]
    pub mode: u32,
    /// Its owner, which it runs as if the set-user-ID bit is set.
    pub owner: u32,
    /// Its group, which it runs as if the set-group-ID bit is set.
    pub group: u32,
    /// Whether it runs as its owner.
    pub set_user_id: bool,
    /// Whether it runs as its group.
    pub set_group_id: bool,
    /// Its capabilities; `None` if it has none.
    pub capabilities: Option<FileCapabilities>,
    /// Whether it is on a mount with nosuid, which ignores set-user-ID, set-group-ID and
    /// capabilities; `None` if this cannot be determined.
    pub nosuid: Option<bool>,
    /// For a script, its interpreter; the script's own bits and capabilities are ignored.
    #[serde(serialize_with = "json::optional_bytes")]
    pub interpreter: Option<Vec<u8>>,
    /// What it holds when user 0 runs it; `None` if it cannot be executed.
    pub run_by_root: Option<HeldAtStart>,
    /// What it holds when an ordinary user runs it; `None` if it cannot be executed.
    pub run_by_user: Option<HeldAtStart>,
}

/// What a program holds when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldAtStart {
    /// The effective user id, if the file changes it.
    pub becomes_uid: Option<u32>,
    /// The effective set.
    #[serde(serialize_with = "json::names")]
    pub effective: CapabilitySet,
    /// The permitted set.
    #[serde(serialize_with = "json::names")]
    pub permitted: CapabilitySet,
}

impl File {
    /// Reads a file; `universe` is every capability that the running kernel knows.
    ///
    /// # Errors
    ///
    /// If it does not exist, is not a regular file, or its capabilities cannot be read.
    pub fn read(path: &Path, universe: CapabilitySet) -> Result<Self, Error> {
        let read_error = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => match fs::read_link(path) {
                Ok(target) => Error::DanglingLink {
                    path: path.to_owned(),
                    target,
                },
                Err(_) => Error::NoFile(path.to_owned()),
            },
            _ => Error::Read {
                path: path.to_owned(),
                error,
            },
        };
        let metadata = fs::metadata(path).map_err(read_error)?;
        if !metadata.is_file() {
            return Err(Error::NotAProgram {
                path: path.to_owned(),
                kind: name_of(metadata.file_type()),
            });
        }
        let mode = metadata.mode() & 0o7777;
        let mut file = Self {
            mode,
            owner: metadata.uid(),
            group: metadata.gid(),
            set_user_id: mode & 0o4000 != 0,
            // Without the group's execute bit, set-group-ID once meant mandatory locking, and
            // execve ignores it (`bprm_fill_uid`, fs/exec.c).
            set_group_id: mode & 0o2010 == 0o2010,
            capabilities: capabilities(path)?,
            nosuid: rustix::fs::statvfs(path)
                .ok()
                .map(|mount| mount.f_flag.contains(StatVfsMountFlags::NOSUID)),
            interpreter: interpreter_of(path)
                .ok()
                .flatten()
                .map(|path| path.into_os_string().into_vec()),
            run_by_root: None,
            run_by_user: None,
            path: resolved(path, &metadata),
        };
        if mode & 0o111 != 0 && file.interpreter.is_none() {
            file.run_by_root = file.run_by(0, universe, universe);
            file.run_by_user = file.run_by(ORDINARY_USER, CapabilitySet::EMPTY, universe);
        }
        Ok(file)
    }

    /// What the file holds when a user who holds this set runs it, in the reader's user namespace
    /// and with a full bounding set.
    fn run_by(
        &self,
        uid: u32,
        held: CapabilitySet,
        universe: CapabilitySet,
    ) -> Option<HeldAtStart> {
        let caller = Caller {
            sets: Sets {
                effective: held,
                permitted: held,
                inheritable: CapabilitySet::EMPTY,
                bounding: universe,
                ambient: CapabilitySet::EMPTY,
            },
            uid,
            euid: uid,
            root: Some(0),
            noroot: false,
            no_new_privs: false,
        };
        // The kernel ignores capabilities that it does not know (`get_vfs_caps_from_disk`,
        // security/commoncap.c).
        let program = if self.nosuid? {
            Program::default()
        } else {
            Program {
                set_user_id: Some(self.owner)
                    .filter(|_| self.set_user_id && !self.owner_is_unmapped()),
                capabilities: self
                    .capabilities
                    .filter(FileCapabilities::applies_here)
                    .map(|own| Attached {
                        permitted: own.permitted.intersection(universe),
                        inheritable: own.inheritable.intersection(universe),
                        effective: own.effective,
                    }),
            }
        };
        let Held {
            euid,
            effective,
            permitted,
            ..
        } = caller.execve(&program)?;
        Some(HeldAtStart {
            becomes_uid: (euid != uid).then_some(euid),
            effective,
            permitted,
        })
    }
}

/// The owner that the kernel shows if the real one has no id in the reader's user namespace
/// (`DEFAULT_OVERFLOWUID`, include/linux/highuid.h).
const UNMAPPED: u32 = 65534;

impl File {
    /// Whether the owner has no id in the reader's user namespace, which makes execve ignore
    /// set-user-ID (`bprm_fill_uid`, fs/exec.c). In the initial namespace every user has one.
    fn owner_is_unmapped(&self) -> bool {
        let own = UserNamespace::of_process(Path::new("/proc/self"));
        self.owner == UNMAPPED && own.initial != Some(true)
    }
}

/// An ordinary user. No file belongs to it, because nobody has the id (uid_t) -2.
const ORDINARY_USER: u32 = u32::MAX - 1;

/// The path with symbolic links resolved, or unchanged if that leads to another file.
fn resolved(path: &Path, metadata: &fs::Metadata) -> PathBuf {
    let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    fs::canonicalize(path)
        .ok()
        .filter(|real| fs::metadata(real).is_ok_and(|it| identity(&it) == identity(metadata)))
        .unwrap_or_else(|| path.to_owned())
}

/// Reads the attribute. The longest valid one is 24 bytes.
fn capabilities(path: &Path) -> Result<Option<FileCapabilities>, Error> {
    let mut buffer = [0; 64];
    let length = match rustix::fs::getxattr(path, c"security.capability", &mut buffer) {
        Ok(length) => length,
        Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
        // The root user of a version 3 attribute has no id in the reader's user namespace
        // (`cap_inode_getsecurity`, security/commoncap.c).
        Err(Errno::OVERFLOW) => return Err(Error::ForeignCapabilities(path.to_owned())),
        Err(errno) => {
            return Err(Error::Attribute {
                path: path.to_owned(),
                error: errno.into(),
            });
        }
    };
    FileCapabilities::from_attribute(&buffer[..length])
        .map(Some)
        .map_err(|error| Error::MalformedCapabilities {
            path: path.to_owned(),
            error,
        })
}
