//! The mounted hierarchy: its mount point, its directories and their ids.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::CgroupError;
use super::handle::{self, Opened};
use crate::context::mounts::{self, Line};
use crate::escape::{bytes_of, text_of};

/// A mount of the version 2 hierarchy.
#[derive(Debug)]
pub(super) struct Tree {
    mount: PathBuf,
    root: File,
    root_id: u64,
}

impl Tree {
    pub(super) fn open() -> Result<Self, CgroupError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| CgroupError::Unreadable { path, error }
        };
        let mountinfo = Path::new("/proc/self/mountinfo");
        let text = fs::read(mountinfo).map_err(CgroupError::NoProc)?;
        let mount = find_mount(&String::from_utf8_lossy(&text)).ok_or(CgroupError::NoHierarchy)?;
        let root = File::open(&mount).map_err(unreadable(&mount))?;
        let root_id = root.metadata().map_err(unreadable(&mount))?.ino();
        Ok(Self {
            mount,
            root,
            root_id,
        })
    }

    pub(super) fn mount(&self) -> &Path {
        &self.mount
    }

    pub(super) fn root_id(&self) -> u64 {
        self.root_id
    }

    /// The path, inside the hierarchy, of the cgroup with this id.
    pub(super) fn open_by_id(&self, id: u64) -> Opened {
        match handle::open(&self.root, id) {
            Opened::Path(path) => match self.inside(Path::new(OsStr::from_bytes(&bytes_of(&path))))
            {
                Some(inside) => Opened::Path(inside),
                None => Opened::Gone,
            },
            other => other,
        }
    }

    /// The directory for a path of the hierarchy.
    pub(super) fn directory(&self, path: &str) -> PathBuf {
        let inside = bytes_of(path.trim_start_matches('/'));
        self.mount.join(OsStr::from_bytes(&inside))
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.directory(path).is_dir()
    }

    /// The path of a directory in the hierarchy, with a leading slash.
    pub(super) fn inside(&self, directory: &Path) -> Option<String> {
        let relative = directory.strip_prefix(&self.mount).ok()?;
        Some(format!("/{}", text_of(relative.as_os_str().as_bytes())))
    }

    /// Calls `each` with the id and the path of every cgroup, parents before children.
    pub(super) fn walk(&self, mut each: impl FnMut(u64, &str)) {
        each(self.root_id, "/");
        let mut waiting = vec![String::from("/")];
        while let Some(path) = waiting.pop() {
            // The cgroup was removed meanwhile.
            let Ok(entries) = fs::read_dir(self.directory(&path)) else {
                continue;
            };
            for entry in entries.flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let name = entry.file_name();
                let parent = path.trim_end_matches('/');
                let child = format!("{parent}/{}", text_of(name.as_bytes()));
                each(entry.ino(), &child);
                waiting.push(child);
            }
        }
    }
}

/// The first cgroup2 mount in `/proc/PID/mountinfo`.
pub(super) fn find_mount(mountinfo: &str) -> Option<PathBuf> {
    let mut lines = mountinfo
        .lines()
        .filter_map(|line| Line::parse(line.as_bytes()));
    let mount = lines.find(|line| line.kind == b"cgroup2")?;
    Some(OsString::from_vec(mounts::unescape(mount.point)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_2_mount_is_found_among_others() {
        let mountinfo = "\
30 23 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro
31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /mnt/my\\040groups rw,relatime shared:4 - cgroup2 cgroup2 rw
";
        assert_eq!(find_mount(mountinfo), Some(PathBuf::from("/mnt/my groups")));
        assert_eq!(find_mount("30 23 0:26 / / ro - tmpfs cgroup2 ro\n"), None);
    }
}
