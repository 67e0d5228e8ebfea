//! What a file grants when it is executed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde::Serialize;

use super::credentials::{Credentials, Sets};
use super::execve::{Attached, Caller, Compared, Program};
use super::file_capabilities::FileCapabilities;
use super::interpreter::start_of;
use super::refusal::{Format, Mount, Refusal};
use super::user_namespace::UserNamespace;
use super::{Error, json};
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
    /// Whether it is on a mount with noexec, from which nothing is executed; `None` if this cannot be
    /// determined.
    pub noexec: Option<bool>,
    /// Whether it is on a mount of another mount namespace, where execve ignores its bits and
    /// capabilities; `None` if the kernel does not tell.
    pub foreign_mount: Option<bool>,
    /// For a script, and for what `binfmt_misc` hands to one, the interpreter; the file's own bits and
    /// capabilities are ignored.
    #[serde(serialize_with = "json::optional_bytes")]
    pub interpreter: Option<Vec<u8>>,
    /// What it holds when user 0 runs it; `None` if it cannot be executed.
    pub run_by_root: Option<HeldAtStart>,
    /// What it holds when an ordinary user runs it; `None` if it cannot be executed.
    pub run_by_user: Option<HeldAtStart>,
    /// Why user 0 cannot execute it.
    pub refused_to_root: Option<Refusal>,
    /// Why an ordinary user cannot.
    pub refused_to_user: Option<Refusal>,
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
        let mount = Mount::of(path);
        let format = start_of(path).ok().map(|start| Format::of(path, &start));
        let mut file = Self {
            mode,
            owner: metadata.uid(),
            group: metadata.gid(),
            set_user_id: mode & 0o4000 != 0,
            // Without the group's execute bit, set-group-ID once meant mandatory locking, and
            // execve ignores it (`bprm_fill_uid`, fs/exec.c).
            set_group_id: mode & 0o2010 == 0o2010,
            capabilities: capabilities(path)?,
            nosuid: mount.map(|mount| mount.nosuid),
            noexec: mount.map(|mount| mount.noexec),
            foreign_mount: mount.and_then(|mount| mount.foreign),
            interpreter: match &format {
                Some(Format::By(interpreter)) => Some(interpreter.clone()),
                _ => None,
            },
            run_by_root: None,
            run_by_user: None,
            refused_to_root: None,
            refused_to_user: None,
            path: resolved(path, &metadata),
        };
        let refused = if mode & 0o111 == 0 {
            Some(Refusal::NotExecutable)
        } else if file.noexec == Some(true) {
            Some(Refusal::Noexec)
        } else if format == Some(Format::Unknown) {
            Some(Refusal::Format)
        } else {
            None
        };
        file.refused_to_root = refused;
        file.refused_to_user = refused.or((mode & 0o001 == 0).then_some(Refusal::Mode));
        if file.interpreter.is_none() && refused.is_none() {
            let bounding = bounding(universe);
            let run = |uid, held| file.run_by(uid, held, universe, bounding);
            let (root, user) = (run(0, universe), run(ORDINARY_USER, CapabilitySet::EMPTY));
            let held = |run: Option<Result<HeldAtStart, Refusal>>| match run {
                Some(Ok(held)) => (Some(held), None),
                Some(Err(refusal)) => (None, Some(refusal)),
                None => (None, None),
            };
            (file.run_by_root, file.refused_to_root) = held(root);
            if file.refused_to_user.is_none() {
                (file.run_by_user, file.refused_to_user) = held(user);
            }
        }
        Ok(file)
    }

    /// What the file holds when a user who holds this set runs it, in the reader's user namespace
    /// and with the reader's bounding set; `None` if that is not known.
    fn run_by(
        &self,
        uid: u32,
        held: CapabilitySet,
        universe: CapabilitySet,
        bounding: CapabilitySet,
    ) -> Option<Result<HeldAtStart, Refusal>> {
        let caller = Caller {
            sets: Sets {
                effective: held,
                permitted: held,
                inheritable: CapabilitySet::EMPTY,
                bounding,
                ambient: CapabilitySet::EMPTY,
            },
            uid,
            euid: uid,
            gid: uid,
            egid: uid,
            root: Some(0),
            noroot: false,
            no_new_privs: false,
            traced: false,
            compared: Compared::here(),
        };
        // The kernel ignores capabilities that it does not know (`get_vfs_caps_from_disk`,
        // security/commoncap.c).
        let is_ignored = self.nosuid? || self.foreign_mount == Some(true);
        let program = if is_ignored {
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
        let Some(held) = caller.execve(&program) else {
            return Some(Err(Refusal::BoundingSet));
        };
        Some(Ok(HeldAtStart {
            becomes_uid: (held.euid != uid).then_some(held.euid),
            effective: held.effective,
            permitted: held.permitted,
        }))
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

/// The reader's own bounding set: what whoever executes the file here has at most.
fn bounding(universe: CapabilitySet) -> CapabilitySet {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let own = Credentials::from_status(&status).map(|own| own.sets.bounding);
    own.map_or(universe, |own| own.intersection(universe))
}
