//! What is known of one file or directory that is held.

use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::{
    fs::{
        AtFlags, StatVfsMountFlags, StatxAttributes, StatxFlags, fstatvfs, getxattr_query, statx,
    },
    io::Errno,
};

use crate::{
    context::mounts::{Line, unescape},
    event::{Component, Mount},
};

/// Describes what is held, and says with which error its file system refused to.
pub(super) fn describe(
    held: &OwnedFd,
    path: Vec<u8>,
    mounts: &Mounts,
) -> (Component, Option<Errno>) {
    let mut component = Component {
        path,
        mode: 0,
        uid: 0,
        gid: 0,
        immutable: None,
        append_only: None,
        has_list: false,
        mount: mounts.of(held),
    };
    // What is remembered of a file will do: a server may not answer.
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let found = match statx(held, "", flags, StatxFlags::BASIC_STATS) {
        Ok(found) => found,
        Err(errno) => return (component, Some(errno)),
    };
    let told = |attribute| {
        let known = found.stx_attributes_mask.contains(attribute);
        known.then(|| found.stx_attributes.contains(attribute))
    };
    component.mode = found.stx_mode.into();
    component.uid = found.stx_uid;
    component.gid = found.stx_gid;
    component.immutable = told(StatxAttributes::IMMUTABLE);
    component.append_only = told(StatxAttributes::APPEND);
    component.has_list = component.kind() != libc::S_IFLNK && has_list(held);
    (component, None)
}

/// Whether it has a POSIX access control list. `fgetxattr` takes no descriptor of `O_PATH`.
fn has_list(held: &OwnedFd) -> bool {
    let path = format!("/proc/self/fd/{}", held.as_raw_fd());
    getxattr_query(path, c"system.posix_acl_access").is_ok_and(|length| length > 0)
}

/// The mounts that a look-up can come across.
#[derive(Debug)]
pub(super) struct Mounts {
    list: Vec<u8>,
    /// What stands before each mount point.
    below: Vec<u8>,
    /// Whether options have our numbers of users.
    users: bool,
}

impl Mounts {
    /// Those of a list (`/proc/PID/mountinfo`) whose mount points are below this path.
    pub(super) fn new(list: Vec<u8>, below: &[u8], users: bool) -> Self {
        let below = below.strip_suffix(b"/").unwrap_or(below).to_vec();
        Self { list, below, users }
    }

    fn of(&self, held: &OwnedFd) -> Mount {
        let mount = number(held).and_then(|id| self.with(id));
        mount.unwrap_or_else(|| flags(held))
    }

    fn with(&self, id: u64) -> Option<Mount> {
        let mut lines = self.list.split(|&byte| byte == b'\n');
        let line = lines.find_map(|line| Line::parse(line).filter(|line| line.id == id))?;
        let has = |options: &[u8], wanted: &[u8]| {
            options
                .split(|&byte| byte == b',')
                .any(|option| option == wanted)
        };
        let is = |option: &[u8]| has(line.options, option);
        let options = line.file_system_options;
        let user = options
            .split(|&byte| byte == b',')
            .find_map(|option| option.strip_prefix(b"user_id="))
            .and_then(|user| str::from_utf8(user).ok()?.parse().ok());
        let point = unescape(line.point);
        Some(Mount {
            kind: String::from_utf8_lossy(line.kind).into_owned(),
            point: match (&self.below[..], &point[..]) {
                ([], _) => point,
                (below, b"/") => below.to_vec(),
                (below, point) => [below, point].concat(),
            },
            read_only: is(b"ro") || has(options, b"ro"),
            no_set_id: is(b"nosuid"),
            no_devices: is(b"nodev"),
            no_execution: is(b"noexec"),
            only_for: user.filter(|_| {
                self.users && line.kind.starts_with(b"fuse") && !has(options, b"allow_other")
            }),
        })
    }
}

/// The number of the mount of what is held. statx(2) tells it only since 5.8.
fn number(held: &OwnedFd) -> Option<u64> {
    let path = format!("/proc/self/fdinfo/{}", held.as_raw_fd());
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
}

/// What the file system says of a mount that is in no list. It may have to ask a server.
fn flags(held: &OwnedFd) -> Mount {
    let Ok(found) = fstatvfs(held) else {
        return Mount::default();
    };
    let is = |flag| found.f_flag.contains(flag);
    Mount {
        read_only: is(StatVfsMountFlags::RDONLY),
        no_set_id: is(StatVfsMountFlags::NOSUID),
        no_devices: is(StatVfsMountFlags::NODEV),
        no_execution: is(StatVfsMountFlags::NOEXEC),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[u8] = b"\
21 1 254:0 / / rw,relatime - ext4 /dev/root rw
22 21 0:5 / /mnt/a\\040b rw,nosuid,nodev,noexec - fuse.sshfs a@b ro,user_id=1000,group_id=7
23 21 0:6 / /mnt/all ro - fuse a rw,user_id=1000,group_id=7,allow_other
";

    #[test]
    fn a_mount_is_read_only_by_itself_or_by_its_file_system() {
        let mounts = Mounts::new(LIST.to_vec(), b"/", true);
        let root = mounts.with(21).unwrap();
        assert_eq!((root.kind.as_str(), root.read_only), ("ext4", false));
        let other = mounts.with(22).unwrap();
        assert!(other.read_only && other.no_set_id && other.no_devices && other.no_execution);
        assert_eq!(
            (&other.point[..], other.only_for),
            (&b"/mnt/a b"[..], Some(1000))
        );
        let all = mounts.with(23).unwrap();
        assert!(all.read_only && !all.no_set_id && all.only_for.is_none());
        assert_eq!(mounts.with(24), None);
    }

    #[test]
    fn mount_points_are_given_from_the_root_of_the_namespace() {
        let mounts = Mounts::new(LIST.to_vec(), b"/jail", false);
        assert_eq!(mounts.with(21).unwrap().point, b"/jail");
        let other = mounts.with(22).unwrap();
        assert_eq!(other.point, b"/jail/mnt/a b");
        assert_eq!(other.only_for, None);
    }
}
