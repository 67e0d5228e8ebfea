//! Opens the directory of a cgroup by its id.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use crate::escape::text_of;

/// The result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// The directory's path, as this process sees it; text as [`text_of`] makes it.
    Path(String),
    /// No cgroup has this id.
    Gone,
    /// The kernel does not allow this, or does not support it.
    Refused,
}

/// The type of handle that consists of the id alone (`FILEID_KERNFS`, include/linux/exportfs.h,
/// 5.5).
const FILEID_KERNFS: libc::c_int = 0xfe;

/// `struct file_handle` (include/linux/fs.h) with a kernfs id as its contents.
#[repr(C)]
struct KernfsHandle {
    bytes: libc::c_uint,
    kind: libc::c_int,
    id: u64,
}

/// Opens the directory with this id in the file system of `root`.
pub(super) fn open(root: &File, id: u64) -> Opened {
    let mut handle = KernfsHandle {
        bytes: 8,
        kind: FILEID_KERNFS,
        id,
    };
    // SAFETY: the pointer is to a live file_handle whose contents are as long as it says, and the
    // kernel only reads it (`handle_to_path`, fs/fhandle.c); the descriptor is open while `root`
    // is borrowed.
    let descriptor = unsafe {
        libc::open_by_handle_at(
            root.as_raw_fd(),
            (&raw mut handle).cast(),
            libc::O_PATH | libc::O_CLOEXEC,
        )
    };
    if descriptor < 0 {
        return match io::Error::last_os_error().raw_os_error() {
            Some(libc::ESTALE | libc::ENOENT) => Opened::Gone,
            _ => Opened::Refused,
        };
    }
    // SAFETY: the call returned a descriptor that is new and nobody else's.
    let directory = unsafe { OwnedFd::from_raw_fd(descriptor) };
    match std::fs::read_link(format!("/proc/self/fd/{}", directory.as_raw_fd())) {
        Ok(path) => {
            // What the kernel adds while a cgroup is being removed can also be in its name.
            let named_so = || std::fs::metadata(&path).is_ok_and(|data| data.ino() == id);
            let text = text_of(path.as_os_str().as_bytes());
            Opened::Path(match text.strip_suffix(" (deleted)") {
                Some(before) if !named_so() => before.to_owned(),
                _ => text.into_owned(),
            })
        }
        Err(_) => Opened::Refused,
    }
}
