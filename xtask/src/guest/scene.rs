//! The place where triggers run: a folder with files of several owners, and another user's
//! process and message queue.

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use libc::pid_t;

use super::fork::{Child, sleep_forever};
use super::identity::{Identity, OTHER, THIRD, become_user};
use super::syscall::call;

/// Another user's file that no one else may read or write.
pub const OTHERS_FILE: &std::ffi::CStr = c"others";
/// Another user's file that everyone may read.
pub const OTHERS_READABLE: &std::ffi::CStr = c"readable";
/// A file of the trigger's own user, of a group that is not its own.
pub const OWN_FILE: &std::ffi::CStr = c"own";
/// A file in a folder that only another user may enter.
pub const CLOSED_FILE: &std::ffi::CStr = c"closed/file";
/// Another user's file in a third user's sticky folder.
pub const STICKY_FILE: &std::ffi::CStr = c"sticky/file";
/// An empty directory to mount on.
pub const MOUNT_POINT: &std::ffi::CStr = c"mnt";
/// A name that does not exist, in a directory that everyone may write.
pub const NEW_NAME: &std::ffi::CStr = c"new";
/// A set-user-ID copy of this program.
pub const SET_USER_ID: &std::ffi::CStr = c"set-user-id";
/// A copy of this program that has `cap_net_raw+ep`.
pub const FILE_CAPABILITIES: &std::ffi::CStr = c"file-caps";

/// The place where triggers run. The current directory of the process is its folder.
#[derive(Debug)]
pub struct Scene {
    folder: PathBuf,
    other: Child,
    /// Another user's System V message queue, which only that user may read.
    pub others_queue: i32,
    mounted: bool,
}

impl Scene {
    /// Builds the place.
    ///
    /// # Errors
    /// When the caller is not root, or a step is refused.
    pub fn build() -> Result<Self> {
        // SAFETY: geteuid takes no arguments.
        if unsafe { libc::geteuid() } != 0 {
            bail!("triggers need root: they become other users themselves");
        }
        let folder = PathBuf::from(format!("/tmp/capable-scene-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // The root of an initramfs may be a ramfs, which has neither extended attributes nor
        // file flags. Elsewhere nothing is mounted.
        let mounted = in_virtual_machine();
        if mounted {
            let path = CString::new(folder.as_os_str().as_bytes())?;
            call!(SYS_mount, c"scene", path.as_c_str(), c"tmpfs", 0, 0)
                .map_err(io::Error::from_raw_os_error)
                .context("cannot mount a tmpfs for the scene")?;
        }
        fs::set_permissions(&folder, Permissions::from_mode(0o777))?;
        std::env::set_current_dir(&folder)?;
        copy_own_program(SET_USER_ID)?;
        fs::set_permissions(name(SET_USER_ID), Permissions::from_mode(0o4755))?;
        if mounted {
            copy_own_program(FILE_CAPABILITIES)?;
            set_file_capabilities(FILE_CAPABILITIES, 1 << 13)
                .map_err(io::Error::from_raw_os_error)
                .context("cannot give a file capabilities")?;
        }
        let (other, others_queue) = start_other()?;
        Ok(Self {
            folder,
            other,
            others_queue,
            mounted,
        })
    }

    /// The pid of another user's process.
    pub fn others_process(&self) -> pid_t {
        self.other.pid()
    }

    /// Recreates the files for a trigger that runs as `identity`.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn refresh(&self, identity: Identity) -> Result<()> {
        let own = identity.uid();
        for (folder, owner, mode) in [
            ("closed", OTHER, 0o700),
            ("sticky", THIRD, 0o1777),
            ("mnt", own, 0o755),
        ] {
            remove(folder)?;
            fs::create_dir(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(mode))?;
            chown(folder, Some(owner), Some(owner))?;
        }
        remove(name(NEW_NAME))?;
        for (file, owner, group, mode) in [
            (OTHERS_FILE, OTHER, OTHER, 0o600),
            (OTHERS_READABLE, OTHER, OTHER, 0o644),
            (OWN_FILE, own, OTHER, 0o644),
            (CLOSED_FILE, OTHER, OTHER, 0o644),
            (STICKY_FILE, OTHER, OTHER, 0o644),
        ] {
            let path = name(file);
            remove(path)?;
            fs::write(path, "text")?;
            chown(path, Some(owner), Some(group))?;
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

impl Drop for Scene {
    /// Leaves the machine as it was, if the machine allows that.
    fn drop(&mut self) {
        let _ = call!(SYS_msgctl, self.others_queue, libc::IPC_RMID, 0);
        let _ = std::env::set_current_dir("/");
        if self.mounted
            && let Ok(path) = CString::new(self.folder.as_os_str().as_bytes())
        {
            let _ = call!(SYS_umount2, path.as_c_str(), libc::MNT_DETACH);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether the root of this machine is an initramfs: then it is a virtual machine made for the
/// tests, and changes to its clock, its mounts and its name do no harm.
pub fn in_virtual_machine() -> bool {
    /// include/uapi/linux/magic.h
    const RAMFS: i64 = 0x8584_58f6;
    /// include/uapi/linux/magic.h
    const TMPFS: i64 = 0x0102_1994;
    // SAFETY: an all-zero statfs is a valid value of plain integers.
    let mut status: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path is a string constant and `status` is writable.
    let answer = unsafe { libc::statfs(c"/".as_ptr(), &raw mut status) };
    answer == 0 && matches!(status.f_type, RAMFS | TMPFS)
}

/// Writes `security.capability` with one permitted and effective set, in version 2
/// (include/uapi/linux/capability.h, `struct vfs_cap_data`).
pub fn set_file_capabilities(path: &std::ffi::CStr, permitted: u64) -> super::syscall::Answer {
    const VERSION_2: u32 = 0x0200_0000;
    const EFFECTIVE: u32 = 1;
    let low = (permitted & u64::from(u32::MAX)) as u32;
    let high = (permitted >> 32) as u32;
    let mut value = [0; 20];
    for (bytes, word) in value
        .chunks_exact_mut(4)
        .zip([VERSION_2 | EFFECTIVE, low, 0, high, 0])
    {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    call!(
        SYS_setxattr,
        path,
        c"security.capability",
        &value[..],
        value.len(),
        0,
    )
}

fn name(path: &std::ffi::CStr) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()))
}

fn copy_own_program(to: &std::ffi::CStr) -> Result<()> {
    fs::copy("/proc/self/exe", name(to)).context("cannot copy this program into the scene")?;
    fs::set_permissions(name(to), Permissions::from_mode(0o755))?;
    Ok(())
}

fn remove(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref();
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Starts the other user's process, which makes its queue, says so and sleeps.
fn start_other() -> Result<(Child, i32)> {
    let (mut reader, mut writer) = io::pipe()?;
    let raw = reader.as_raw_fd();
    let child = Child::start(|| {
        // SAFETY: the child does not use its copy of the reader.
        unsafe { libc::close(raw) };
        let queue = become_user(OTHER)
            .and_then(|()| {
                call!(SYS_msgget, 0, libc::IPC_CREAT | 0o600).map_err(io::Error::from_raw_os_error)
            })
            .unwrap_or(-1);
        match writer.write_all(&queue.to_le_bytes()) {
            Ok(()) => sleep_forever(),
            Err(_) => 1,
        }
    })
    .context("cannot start the other user's process")?;
    drop(writer);
    let mut queue = [0; 8];
    reader
        .read_exact(&mut queue)
        .context("the other user's process ended early")?;
    let queue = i32::try_from(i64::from_le_bytes(queue))?;
    if queue < 0 {
        bail!("the other user's process could not make its message queue");
    }
    Ok((child, queue))
}

/// A file of this process, opened and kept open for a trigger.
pub fn open(path: &str) -> io::Result<i32> {
    use std::os::fd::IntoRawFd as _;
    Ok(File::open(path)?.into_raw_fd())
}
