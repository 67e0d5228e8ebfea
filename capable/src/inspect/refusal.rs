//! Whether execve(2) would execute a file at all, and by what.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatVfsMountFlags, StatxFlags};
use serde::Serialize;

use super::interpreter::named_in;

/// Why execve(2) fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Nobody may execute it: no x bit is set (EACCES).
    NotExecutable,
    /// Those who are neither its owner nor in its group may not (EACCES). An ACL may still let some.
    Mode,
    /// It is on a mount with noexec (EACCES).
    Noexec,
    /// It is neither ELF nor a script, and `binfmt_misc` has no handler for it (ENOEXEC). A shell may
    /// then read it as a script, without what the file's own bits and capabilities would give.
    Format,
    /// The file has the effective bit, and the bounding set lacks one of its capabilities (EPERM).
    BoundingSet,
}

impl Refusal {
    /// The refusal in words.
    #[cfg(feature = "cli")]
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::NotExecutable => "no one: it is not executable",
            Self::Mode => "refused (EACCES): only its owner and its group may execute it",
            Self::Noexec => "refused (EACCES): the mount is noexec",
            Self::Format => {
                "refused (ENOEXEC): neither ELF nor a script, and binfmt_misc has no handler; a \
                 shell may read it as a script"
            }
            Self::BoundingSet => {
                "refused (EPERM): the bounding set here lacks one of its capabilities"
            }
        }
    }
}

/// What executes a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// The kernel itself.
    Elf,
    /// An interpreter, whose own bits and capabilities count.
    By(Vec<u8>),
    /// An interpreter, and the bits and capabilities of the file count (flag C of `binfmt_misc`).
    WithItsOwn,
    /// Nothing.
    Unknown,
}

impl Format {
    /// The format of a file with this name that begins with these bytes. The kernel looks at 256 of
    /// them (`BINPRM_BUF_SIZE`), at `binfmt_misc` before the others.
    pub fn of(path: &Path, start: &[u8]) -> Self {
        if let Some(handler) = handlers().find(|handler| handler.takes(path, start)) {
            return match handler.keeps_credentials {
                true => Self::WithItsOwn,
                false => Self::By(handler.interpreter),
            };
        }
        if start.starts_with(b"\x7fELF") {
            return Self::Elf;
        }
        named_in(start).map_or(Self::Unknown, Self::By)
    }
}

/// What `binfmt_misc` executes, and with what.
#[derive(Debug, Default, PartialEq, Eq)]
struct Handler {
    interpreter: Vec<u8>,
    keeps_credentials: bool,
    extension: Option<String>,
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
}

/// The handlers that are enabled; none if the reader does not see them.
fn handlers() -> impl Iterator<Item = Handler> {
    const FOLDER: &str = "/proc/sys/fs/binfmt_misc";
    let is_on = fs::read_to_string(format!("{FOLDER}/status")).is_ok_and(|it| it == "enabled\n");
    let entries = is_on.then(|| fs::read_dir(FOLDER).ok()).flatten();
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .filter_map(|text| Handler::parse(&text))
}

impl Handler {
    /// Reads an entry (`entry_status`, fs/binfmt_misc.c); `None` if it is disabled, or no entry.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != "enabled" {
            return None;
        }
        let mut handler = Self::default();
        for line in lines {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "interpreter" => handler.interpreter = value.as_bytes().to_vec(),
                "flags:" => handler.keeps_credentials = value.contains('C'),
                "extension" => handler.extension = Some(value.strip_prefix('.')?.to_owned()),
                "offset" => handler.offset = value.parse().ok()?,
                "magic" => handler.magic = bytes(value)?,
                "mask" => handler.mask = bytes(value)?,
                _ => {}
            }
        }
        let is_whole = handler.extension.is_some() || !handler.magic.is_empty();
        (is_whole && !handler.interpreter.is_empty()).then_some(handler)
    }

    fn takes(&self, path: &Path, start: &[u8]) -> bool {
        if let Some(extension) = &self.extension {
            return path
                .extension()
                .is_some_and(|it| it.as_bytes() == extension.as_bytes());
        }
        let Some(found) = start.get(self.offset..self.offset + self.magic.len()) else {
            return false;
        };
        found
            .iter()
            .zip(&self.magic)
            .enumerate()
            .all(|(at, (found, wanted))| {
                let mask = self.mask.get(at).copied().unwrap_or(0xff);
                (found ^ wanted) & mask == 0
            })
    }
}

/// Bytes from pairs of hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

/// A mount, as far as execve(2) looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Set-ID bits and capabilities are ignored.
    pub nosuid: bool,
    /// Nothing is executed.
    pub noexec: bool,
    /// It is of another mount namespace than the reader's, which is like nosuid (`mnt_may_suid`,
    /// fs/namespace.c); `None` if the kernel does not tell.
    pub foreign: Option<bool>,
}

impl Mount {
    /// The mount of a file.
    pub fn of(path: &Path) -> Option<Self> {
        let flags = rustix::fs::statvfs(path).ok()?.f_flag;
        Some(Self {
            nosuid: flags.contains(StatVfsMountFlags::NOSUID),
            noexec: flags.contains(StatVfsMountFlags::NOEXEC),
            foreign: is_foreign(path),
        })
    }
}

/// Whether the mount of a file is not among those of the reader's mount namespace. Before 5.8 the
/// kernel does not tell which mount it is.
fn is_foreign(path: &Path) -> Option<bool> {
    let found = rustix::fs::statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    if found.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
        return None;
    }
    let own = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mut ids = own.lines().filter_map(|line| line.split(' ').next());
    Some(!ids.any(|id| id.parse() == Ok(found.stx_mnt_id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_read_and_takes_what_its_mask_leaves() {
        let text = "enabled\ninterpreter /usr/bin/qemu\nflags: OCF\noffset 1\nmagic 454c46\n\
                    mask ffff0f\n";
        let handler = Handler::parse(text).unwrap();
        assert!(handler.keeps_credentials);
        let takes = |start: &[u8]| handler.takes(Path::new("/a"), start);
        assert!(takes(b"\x7fEL\x06") && takes(b"\x7fEL\xf6"));
        assert!(!takes(b"\x7fEL\x07") && !takes(b"\x7fE"));
        assert_eq!(Handler::parse(&text.replace("enabled", "disabled")), None);
        let jar = "enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n";
        let jar = Handler::parse(jar).unwrap();
        assert!(jar.takes(Path::new("/a.jar"), b"") && !jar.takes(Path::new("/jar"), b""));
        assert!(!jar.keeps_credentials);
    }

    #[test]
    fn a_format_is_told_by_the_first_bytes() {
        let of = |start: &[u8]| Format::of(Path::new("/nothing.like-it"), start);
        assert_eq!(of(b"\x7fELF\x02"), Format::Elf);
        assert_eq!(of(b"#! /bin/sh -e\n"), Format::By(b"/bin/sh".to_vec()));
        assert_eq!(of(b"echo\n"), Format::Unknown);
        assert_eq!(of(b""), Format::Unknown);
    }

    #[test]
    fn a_file_here_is_on_a_mount_of_this_namespace() {
        let mount = Mount::of(Path::new("/proc/self/exe")).unwrap();
        assert_ne!(mount.foreign, Some(true));
        assert!(!mount.noexec);
    }
}
