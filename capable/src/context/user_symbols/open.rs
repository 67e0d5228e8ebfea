//! Opens the files of mappings: regular files only.
//!
//! A traced process chose what is mapped, and what is at its path by now: a FIFO, which would make
//! us wait, or a device, whose driver would be asked to open it in our name. A file is therefore
//! found first (`O_PATH`), which opens nothing, and looked at. Only a regular one is then opened for
//! reading, through the descriptor, so that it cannot be another one by then.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use super::files::FrameLocation;
use super::process::Mapping;
use crate::escape::bytes_of;
use crate::files::reopen;

/// Where packages of debug information put it, by build id.
const DEBUG_FILES: &str = "/usr/lib/debug/.build-id";

/// Opens the file of a mapping, and not another file that has taken its path.
pub(super) fn open_mapped(mapping: &Mapping, place: &FrameLocation) -> Option<File> {
    let pid = place.pid;
    let same = |data: &Metadata| {
        let device = (libc::major(data.dev()), libc::minor(data.dev()));
        data.ino() == mapping.inode && device == mapping.device
    };
    let path = bytes_of(mapping.path.as_deref()?);
    let path = Path::new(OsStr::from_bytes(&path));
    // The mapping itself, even if deleted; this takes more privileges (proc_pid_map_files(5)).
    let (start, end) = (mapping.start, mapping.end);
    let mapped = || find(format!("/proc/{pid}/map_files/{start:x}-{end:x}").as_ref());
    // The path as the process sees it, possibly in a container.
    let within = || find_within(pid, path);
    // The program itself can be opened even if deleted.
    let program = || find(format!("/proc/{pid}/exe").as_ref());
    // The path as we see it, for a process that has ended.
    let here = || find(path);
    let ways: [&dyn Fn() -> io::Result<OwnedFd>; 4] = [&mapped, &program, &within, &here];
    let verified = ways
        .into_iter()
        .find_map(|found| open_regular(found().ok()?, same));
    if verified.is_some() || !place.alive {
        return verified;
    }
    // For files on btrfs or overlayfs, maps may name another device and inode than stat does. The
    // mapping itself, or the path below the root of the running process, is then proof enough.
    let undeleted = !path.as_os_str().as_bytes().ends_with(b" (deleted)");
    mapped()
        .ok()
        .and_then(|found| open_regular(found, |_| true))
        .or_else(|| open_regular(within().ok().filter(|_| undeleted)?, |_| true))
}

/// Opens the file that has the debug information of a program with this build id, as packages
/// install it here.
pub(super) fn open_debug(build_id: &str) -> Option<File> {
    let (directory, name) = build_id.split_at_checked(2)?;
    let path = format!("{DEBUG_FILES}/{directory}/{name}.debug");
    open_regular(find(path.as_ref()).ok()?, |_| true)
}

/// Finds a file without opening it.
fn find(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

/// Finds a file by the path that a process sees, whose root and mounts the process may have made: no
/// link leads out of there.
fn find_within(pid: u32, path: &Path) -> io::Result<OwnedFd> {
    let root = find(format!("/proc/{pid}/root").as_ref())?;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    // The kernel names mapped files by paths without links.
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    match openat2(&root, path, flags, Mode::empty(), resolve) {
        // Before 5.6.
        Err(rustix::io::Errno::NOSYS) => Ok(openat(
            &root,
            path.strip_prefix("/").unwrap_or(path),
            flags | OFlags::NOFOLLOW,
            Mode::empty(),
        )?),
        found => Ok(found?),
    }
}

/// Opens what was found for reading, if it is a regular file and is accepted.
fn open_regular(found: OwnedFd, accept: impl Fn(&Metadata) -> bool) -> Option<File> {
    let found = File::from(found);
    let data = found.metadata().ok()?;
    if !data.is_file() || !accept(&data) {
        return None;
    }
    reopen(&found).ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn open(path: &Path) -> Option<File> {
        open_regular(find(path).unwrap(), |_| true)
    }

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(open(&file).is_some());
        let fifo = directory.path().join("fifo");
        assert!(
            Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap()
                .success()
        );
        assert!(open(&fifo).is_none());
        assert!(open(directory.path()).is_none());
        assert!(open("/dev/null".as_ref()).is_none());
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(open(&link).is_some(), "a link of ours");
    }

    #[test]
    fn no_link_leads_out_of_what_a_process_sees() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink("/", directory.path().join("root")).unwrap();
        let own = std::process::id();
        assert!(find_within(own, &file).is_ok());
        let around = directory
            .path()
            .join("root")
            .join(file.strip_prefix("/").unwrap());
        assert!(around.exists());
        assert!(find_within(own, &around).is_err());
    }
}
