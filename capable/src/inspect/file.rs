//! What a file grants to those who run it.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;
use serde::Serialize;

use super::credentials::Sets;
use super::execve::{Attached, Caller, Held, Program};
use super::file_capabilities::FileCapabilities;
use super::user_namespace::UserNamespace;
use super::{Error, json};
use crate::capability::CapabilitySet;

/// A file that can be run.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// Where it is, without symbolic links where that names the same file: a path through
    /// /proc/PID/root may have no other name here.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The permission bits, with set-user-ID and set-group-ID.
    #[serde(serialize_with = "json::octal")]
    pub mode: u32,
    /// The user that owns it, and that it is run as where set-user-ID is set.
    pub owner: u32,
    /// The group that owns it, and that it is run as where set-group-ID is set.
    pub group: u32,
    /// Whether it is run as its owner.
    pub set_user_id: bool,
    /// Whether it is run as its group.
    pub set_group_id: bool,
    /// Its capabilities; `None` where it has none.
    pub capabilities: Option<FileCapabilities>,
    /// Whether it lies on a mount with nosuid, where set-user-ID, set-group-ID and capabilities
    /// are ignored; `None` where that can't be asked.
    pub nosuid: Option<bool>,
    /// For a script, the program that runs it; the script's own bits and capabilities are ignored.
    #[serde(serialize_with = "json::optional_bytes")]
    pub interpreter: Option<Vec<u8>>,
    /// What user 0 holds who runs it; `None` where it can't be run.
    pub run_by_root: Option<Run>,
    /// What an ordinary user holds who runs it; `None` where it can't be run.
    pub run_by_user: Option<Run>,
}

/// What a program holds when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The effective user id, where the file changes it.
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
    /// Where it does not exist, is no regular file, or its capabilities can't be read.
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
                kind: kind(metadata.file_type()),
            });
        }
        let mode = metadata.mode() & 0o7777;
        let mut file = Self {
            mode,
            owner: metadata.uid(),
            group: metadata.gid(),
            set_user_id: mode & 0o4000 != 0,
            // Without the group's execute bit it once meant mandatory locking, and execve passes
            // it over (`bprm_fill_uid`, fs/exec.c).
            set_group_id: mode & 0o2010 == 0o2010,
            capabilities: capabilities(path)?,
            nosuid: rustix::fs::statvfs(path)
                .ok()
                .map(|mount| mount.f_flag.contains(StatVfsMountFlags::NOSUID)),
            interpreter: interpreter(path),
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

    /// What a user holds who runs it, in the reader's user namespace, holding this, with a full
    /// bounding set.
    fn run_by(&self, uid: u32, held: CapabilitySet, universe: CapabilitySet) -> Option<Run> {
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
        // Capabilities that the running kernel does not know are passed over
        // (`get_vfs_caps_from_disk`, security/commoncap.c).
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
        Some(Run {
            becomes_uid: (euid != uid).then_some(euid),
            effective,
            permitted,
        })
    }
}

/// Whom the kernel shows as the owner where the owner has no number in the reader's user namespace
/// (`DEFAULT_OVERFLOWUID`, include/linux/highuid.h).
const UNMAPPED: u32 = 65534;

impl File {
    /// The owner has no number in the reader's user namespace, which makes execve ignore
    /// set-user-ID (`bprm_fill_uid`, fs/exec.c). In the initial namespace every user has one.
    fn owner_is_unmapped(&self) -> bool {
        let own = UserNamespace::of_process(Path::new("/proc/self"));
        self.owner == UNMAPPED && own.initial != Some(true)
    }
}

/// A user whom nothing distinguishes: no file belongs to them, as (uid_t) -2 is nobody's.
const ORDINARY_USER: u32 = u32::MAX - 1;

/// The path without symbolic links, or as it is where that leads to another file.
fn resolved(path: &Path, metadata: &fs::Metadata) -> PathBuf {
    let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    fs::canonicalize(path)
        .ok()
        .filter(|real| fs::metadata(real).is_ok_and(|it| identity(&it) == identity(metadata)))
        .unwrap_or_else(|| path.to_owned())
}

fn kind(file_type: fs::FileType) -> &'static str {
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_char_device() || file_type.is_block_device() {
        "a device"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a pipe"
    }
}

/// The attribute; the longest is 24 bytes, so that a longer one is too long anyway.
fn capabilities(path: &Path) -> Result<Option<FileCapabilities>, Error> {
    let mut buffer = [0; 64];
    let length = match rustix::fs::getxattr(path, c"security.capability", &mut buffer) {
        Ok(length) => length,
        Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
        // The root user of a version 3 has no number in the reader's user namespace
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

/// The program that `#!` names (`load_script`, fs/binfmt_script.c); `None` as well where the file
/// can't be read.
fn interpreter(path: &Path) -> Option<Vec<u8>> {
    let mut start = Vec::new();
    fs::File::open(path)
        .ok()?
        .take(256)
        .read_to_end(&mut start)
        .ok()?;
    let line = start.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    let name = line
        .trim_ascii()
        .split(|&b| b == b' ' || b == b'\t')
        .next()?;
    (!name.is_empty()).then(|| name.to_vec())
}
