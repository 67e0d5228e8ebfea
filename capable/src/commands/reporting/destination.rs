//! Where a report goes.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{
    Access, AtFlags, FallocateFlags, FileType, Mode, OFlags, access, fallocate, openat, renameat,
    statat, unlinkat,
};
use thiserror::Error;

use super::keeper::Keeper;

/// A place that a text is written to once.
pub enum Destination {
    /// Standard error, which the report shares with the command.
    Stderr,
    /// Standard output.
    Stdout,
    /// A regular file, which need not exist yet.
    File(Target),
    /// Something else that has a name, such as a pipe or a terminal.
    Stream(File, PathBuf),
}

/// A regular file that a text takes the place of.
#[derive(Clone, Debug)]
pub struct Target {
    name: PathBuf,
    /// Its directory, held from the start: whoever may write above it could put a link in its place
    /// while the command runs.
    folder: Arc<File>,
    /// What it is called there.
    file: OsString,
}

impl Target {
    /// The file with this name, whether or not it exists.
    fn at(name: PathBuf) -> io::Result<Self> {
        let file = name.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let folder = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
            .open(folder_of(&name))?;
        Ok(Self {
            folder: Arc::new(folder),
            file: file.to_owned(),
            name,
        })
    }

    /// The descriptor of its directory.
    pub(super) fn folder(&self) -> &File {
        &self.folder
    }

    /// Opens a file in its directory; a link leads nowhere, and a FIFO is not waited for.
    fn open(&self, file: &OsStr, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        Ok(openat(&self.folder, file, flags, mode)?.into())
    }
}

/// The destination cannot be written to.
#[derive(Debug, Error)]
pub enum DestinationError {
    /// The system refuses.
    #[error("cannot write {}: {}", name.display(), reason(name, error))]
    Refused {
        /// The file, or the stream.
        name: PathBuf,
        /// What it answered.
        error: io::Error,
    },
    /// In the words of the process that tried.
    #[error("{0}")]
    Told(String),
}

/// The kernel's answer, or the directory that it does not name.
fn reason(name: &Path, error: &io::Error) -> String {
    let missing = name
        .ancestors()
        .skip(1)
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .last();
    match missing {
        Some(folder) if error.kind() == io::ErrorKind::NotFound => {
            format!(
                "there is no directory {}: create it first",
                folder.display()
            )
        }
        _ => error.to_string(),
    }
}

impl Destination {
    /// Looks whether a file can be written, or takes stdout for `-`. Its content stays until
    /// [`Self::write`].
    pub(super) fn open(name: &Path) -> Result<Self, DestinationError> {
        // Opening it again would overwrite the file that stdout is redirected to, from its start.
        match name.to_str() {
            Some("-" | "/dev/stdout" | "/dev/fd/1") => return Ok(Self::Stdout),
            Some("/dev/stderr" | "/dev/fd/2") => return Ok(Self::Stderr),
            _ => {}
        }
        Self::named(name).map_err(|error| refused(name, error))
    }

    fn named(name: &Path) -> io::Result<Self> {
        match OpenOptions::new().write(true).open(name) {
            // A link remains a link: what it leads to is replaced.
            Ok(file) if file.metadata()?.is_file() => {
                Ok(Self::File(Target::at(fs::canonicalize(name)?)?))
            }
            Ok(file) => Ok(Self::Stream(file, name.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                access(folder_of(name), Access::WRITE_OK | Access::EXEC_OK)?;
                Ok(Self::File(Target::at(std::path::absolute(name)?)?))
            }
            Err(error) => Err(error),
        }
    }

    /// The file, if it is a regular one.
    pub(super) fn target(&self) -> Option<Target> {
        match self {
            Self::File(target) => Some(target.clone()),
            Self::Stderr | Self::Stdout | Self::Stream(..) => None,
        }
    }

    /// Whether it is also where this program's messages go.
    pub(super) fn is_stderr(&self) -> bool {
        matches!(self, Self::Stderr)
    }

    /// Whether it is standard output.
    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Writes the text; into a file by the keeper, which has it under this number. It is not an error
    /// if nobody reads it.
    pub(super) fn write(
        &mut self,
        text: &str,
        keeper: Option<(&mut Keeper, usize)>,
    ) -> Result<(), DestinationError> {
        let (name, result) = match self {
            Self::Stderr => (Path::new("stderr"), io::stderr().write_all(text.as_bytes())),
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                let result = stdout.write_all(text.as_bytes());
                (Path::new("stdout"), result.and_then(|()| stdout.flush()))
            }
            Self::File(target) => {
                let Some((keeper, number)) = keeper else {
                    return replace(target, text.as_bytes());
                };
                let written = keeper.write(number, text);
                let written = written.map_err(|error| refused(&target.name, error))?;
                return written.map_err(DestinationError::Told);
            }
            Self::Stream(file, name) => (name.as_path(), file.write_all(text.as_bytes())),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|error| refused(name, error)),
        }
    }
}

fn refused(name: &Path, error: io::Error) -> DestinationError {
    let name = name.to_owned();
    DestinationError::Refused { name, error }
}

fn folder_of(name: &Path) -> &Path {
    name.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// Writes a text in place of the old content of a file, whole or not at all.
pub(super) fn replace(target: &Target, text: &[u8]) -> Result<(), DestinationError> {
    put(target, text).map_err(|error| refused(&target.name, error))
}

/// Writes a file beside, which then takes the place of the old one: a full disk or a crash leaves the
/// old one. Where nothing may be made beside it, or nothing may take its place because it is a mount
/// point, its space is reserved before the old content goes.
fn put(target: &Target, text: &[u8]) -> io::Result<()> {
    let Target { folder, file, .. } = target;
    let mut beside = file.clone();
    beside.push(format!(".{}.part", std::process::id()));
    let moved = write_beside(target, &beside, text)
        .and_then(|()| Ok(renameat(folder, &beside, folder, file)?));
    match moved {
        Ok(()) => Ok(()),
        Err(error) => {
            // It may not have been made.
            let _ = unlinkat(folder, &beside, AtFlags::empty());
            match error.raw_os_error() {
                Some(libc::EACCES | libc::EPERM | libc::EROFS | libc::EBUSY) => {
                    write_in_place(target, text)
                }
                _ => Err(error),
            }
        }
    }
}

fn write_beside(target: &Target, beside: &OsStr, text: &[u8]) -> io::Result<()> {
    let mut file = target.open(beside, OFlags::CREATE | OFlags::EXCL)?;
    let old = statat(&target.folder, &target.file, AtFlags::SYMLINK_NOFOLLOW);
    if let Ok(old) = old
        && FileType::from_raw_mode(old.st_mode).is_file()
    {
        file.set_permissions(Permissions::from_mode(old.st_mode & 0o777))?;
        // Only root can give files away.
        let _ = fchown(&file, Some(old.st_uid), Some(old.st_gid));
    }
    file.write_all(text)?;
    file.sync_data()
}

fn write_in_place(target: &Target, text: &[u8]) -> io::Result<()> {
    let mut file = target.open(&target.file, OFlags::empty())?;
    fallocate(&file, FallocateFlags::empty(), 0, text.len() as u64)?;
    file.write_all(text)?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use rustix::fs::CWD;

    use super::*;

    fn written(destination: &mut Destination, text: &str) -> String {
        destination.write(text, None).unwrap();
        fs::read_to_string(destination.target().unwrap().name).unwrap()
    }

    #[test]
    fn a_file_keeps_what_it_holds_until_the_report_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("report");
        fs::write(&name, "the old one, which is longer").unwrap();
        fs::set_permissions(&name, Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&name, &link).unwrap();
        let mut destination = Destination::open(&link).unwrap();
        assert!(fs::read_to_string(&name).unwrap().starts_with("the old"));
        assert_eq!(written(&mut destination, "new"), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&name).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

        let name = folder.path().join("no/such/file");
        let error = Destination::open(&name).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot write {}: there is no directory {}: create it first",
                name.display(),
                folder.path().join("no").display()
            )
        );
    }

    #[test]
    fn nothing_is_made_before_there_is_a_report() {
        let folder = tempfile::tempdir().unwrap();
        let mut destination = Destination::open(&folder.path().join("report")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(written(&mut destination, "new"), "new");
    }

    #[test]
    fn what_cannot_be_replaced_is_written_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("report");
        fs::write(&name, "the old one, which is longer").unwrap();
        write_in_place(&Target::at(name.clone()).unwrap(), b"new").unwrap();
        assert_eq!(fs::read_to_string(&name).unwrap(), "new");
    }

    #[test]
    fn a_link_that_takes_the_place_of_the_directory_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let [named, moved, other] = ["named", "moved", "other"].map(|one| folder.path().join(one));
        fs::create_dir(&named).unwrap();
        fs::create_dir(&other).unwrap();
        let destination = Destination::open(&named.join("report")).unwrap();
        fs::rename(&named, &moved).unwrap();
        std::os::unix::fs::symlink(&other, &named).unwrap();
        replace(&destination.target().unwrap(), b"new").unwrap();
        assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
        assert_eq!(fs::read_to_string(moved.join("report")).unwrap(), "new");
    }

    #[test]
    fn what_takes_the_place_of_the_file_is_neither_followed_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let [report, other] = ["report", "other"].map(|one| folder.path().join(one));
        fs::write(&other, "untouched").unwrap();
        fs::set_permissions(&other, Permissions::from_mode(0o666)).unwrap();
        let target = Target::at(report.clone()).unwrap();
        std::os::unix::fs::symlink(&other, &report).unwrap();
        write_in_place(&target, b"new").unwrap_err();
        replace(&target, b"new").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "untouched");
        let data = fs::symlink_metadata(&report).unwrap();
        assert!(data.is_file() && data.mode() & 0o002 == 0, "{data:?}");

        fs::remove_file(&report).unwrap();
        rustix::fs::mknodat(CWD, &report, FileType::Fifo, Mode::RWXU, 0).unwrap();
        write_in_place(&target, b"new").unwrap_err();
    }
}
