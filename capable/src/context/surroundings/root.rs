//! Where a look-up starts.

use std::{io::Read as _, os::fd::OwnedFd};

use rustix::{
    fs::{
        AtFlags, CWD, Mode, OFlags, StatxAttributes, StatxFlags, openat, readlinkat, stat, statat,
        statx,
    },
    io::Errno,
};

use super::{NotFound, Question, component::Mounts};

/// What may be read of a list of mounts, or of a status. `fs.mount-max` allows 100 000 mounts.
const LIST_LIMIT: u64 = 16 << 20;

/// A directory of the mount namespace from which the path can be followed.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) directory: OwnedFd,
    /// The path of that directory: `/`, or where chroot(2) was done in another namespace.
    pub(super) path: Vec<u8>,
    /// The path at which absolute symbolic links start: the root directory of the process.
    pub(super) base: Vec<u8>,
    pub(super) mounts: Mounts,
    /// The number of the process if it has not ended, as `/proc` of its mount namespace shows it.
    pub(super) number: Option<u32>,
}

impl Root {
    pub(super) fn of(question: &Question) -> Result<Self, NotFound> {
        let own = namespace(CWD, "/proc/self/ns/mnt");
        // Held by its directory, since its number may become that of another process.
        let process = open(CWD, format!("/proc/{}", question.pid)).ok();
        let of_process = process.as_ref().and_then(|it| namespace(it, "ns/mnt"));
        let wanted = question.mount_namespace.or(of_process);
        let wanted = wanted.ok_or(NotFound::Ended)?;
        let process = process.filter(|_| of_process == Some(wanted));
        let base = process
            .as_ref()
            .map(|it| readlinkat(it, "root", Vec::new()));
        let base = base.transpose()?.map(|path| path.into_bytes());
        let root = if own == Some(wanted) {
            Self {
                directory: open(CWD, "/")?,
                path: b"/".to_vec(),
                base: base.unwrap_or_else(|| b"/".to_vec()),
                mounts: Mounts::new(list(CWD, "/proc/self/mountinfo"), b"/", true),
                number: process.is_some().then_some(question.pid),
            }
        } else {
            let (process, base) = process.zip(base).ok_or(NotFound::Ended)?;
            let directory = open(&process, "root")?;
            // It may have left the namespace since it was looked at.
            if namespace(&process, "ns/mnt") != Some(wanted) {
                return Err(NotFound::Ended);
            }
            let users = same_users(&process);
            Self {
                directory,
                mounts: Mounts::new(list(&process, "mountinfo"), &base, users),
                // `d_path` starts at the root of a mount namespace that is not ours
                // (fs/d_path.c, 5.10 to 6.18), so this is where chroot(2) was done.
                path: base.clone(),
                base,
                number: number(&list(&process, "status")),
            }
        };
        root.is_whole().then_some(root).ok_or(NotFound::OtherRoot)
    }

    /// Whether what is called `/` is the root of a mount, as that of a mount namespace is. If this
    /// program runs below chroot(2), it mostly is not.
    fn is_whole(&self) -> bool {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let found = statx(&self.directory, "", flags, StatxFlags::empty());
        self.path != b"/"
            || found.is_ok_and(|found| {
                !found
                    .stx_attributes_mask
                    .contains(StatxAttributes::MOUNT_ROOT)
                    || found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
            })
    }
}

fn open(at: impl rustix::fd::AsFd, path: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

fn namespace(at: impl rustix::fd::AsFd, path: &str) -> Option<u32> {
    let inode = statat(at, path, AtFlags::empty()).ok()?.st_ino;
    inode.try_into().ok()
}

/// Whether numbers of users in its user namespace are those in ours.
fn same_users(process: &OwnedFd) -> bool {
    let own = stat("/proc/self/ns/user").map(|found| found.st_ino);
    let its = statat(process, "ns/user", AtFlags::empty()).map(|found| found.st_ino);
    own.is_ok() && own == its
}

/// The content of a file in `/proc`, up to a limit; empty if it cannot be read.
fn list(at: impl rustix::fd::AsFd, path: &str) -> Vec<u8> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let mut bytes = Vec::new();
    if let Ok(file) = openat(at, path, flags, Mode::empty()) {
        // What was read before an error is good.
        let _ = std::fs::File::from(file)
            .take(LIST_LIMIT)
            .read_to_end(&mut bytes);
    }
    bytes
}

/// The number of a process in its own pid namespace, from its status.
fn number(status: &[u8]) -> Option<u32> {
    let mut lines = status.split(|&byte| byte == b'\n');
    let numbers = lines.find_map(|line| line.strip_prefix(b"NSpid:"))?;
    let last = numbers.rsplit(|&byte| byte == b'\t').next()?;
    str::from_utf8(last).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_process_has_the_innermost_of_its_numbers() {
        assert_eq!(number(b"Name:\ta\nNSpid:\t123\t7\nNSpgid:\t1\n"), Some(7));
        assert_eq!(number(b"Name:\ta\n"), None);
    }
}
