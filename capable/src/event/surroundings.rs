//! What surrounds a file: looked up by its path after a system call was refused.

use serde::{Deserialize, Serialize};

/// A path and what lies on the way to it, the root first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Surroundings {
    /// The path with its symbolic links resolved, from the root of the mount namespace: any bytes but
    /// NUL. The last name may be that of a file that does not exist.
    pub resolved: Vec<u8>,
    /// The root, the directories on the way, and the file itself if it exists.
    pub components: Vec<Component>,
    /// Why there is nothing behind the last component, if the path goes on: an errno. `ENOENT` if it
    /// does not exist, others if this could not be seen.
    pub stopped: Option<i32>,
}

/// A file or directory on the way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Component {
    /// Its path: any bytes but NUL.
    pub path: Vec<u8>,
    /// Its type and mode, as stat(2) gives them; 0 if the file system did not tell, as that of
    /// another user's FUSE mount does: then only the path and the mount are known.
    pub mode: u32,
    /// Its owner, in the initial user namespace.
    pub uid: u32,
    /// Its group, likewise.
    pub gid: u32,
    /// It cannot be changed (`chattr +i`); `None` if its file system does not tell.
    pub immutable: Option<bool>,
    /// It can only be appended to (`chattr +a`); likewise.
    pub append_only: Option<bool>,
    /// Whether it has an access control list, which its mode does not show.
    pub has_list: bool,
    /// The file system that it is in.
    pub mount: Mount,
}

/// What matters of a mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mount {
    /// The type of the file system: `ext4`, `nfs4`, `fuse.sshfs`; empty if it is not known.
    pub kind: String,
    /// Where it is mounted; empty if that is not known.
    pub point: Vec<u8>,
    /// Nothing can be written.
    pub read_only: bool,
    /// Set-user-ID bits and file capabilities give nothing.
    pub no_set_id: bool,
    /// Devices cannot be opened.
    pub no_devices: bool,
    /// Files cannot be executed.
    pub no_execution: bool,
    /// The user of a FUSE mount that is for that user only (no `allow_other`), unless it may be a
    /// number of another user namespace.
    pub only_for: Option<u32>,
}

impl Surroundings {
    /// The file itself, if it exists.
    pub fn file(&self) -> Option<&Component> {
        let last = self.components.last()?;
        (last.path == self.resolved).then_some(last)
    }

    /// The directory that the file is in, or would be, if it exists.
    pub fn directory(&self) -> Option<&Component> {
        let end = self.resolved.iter().rposition(|&byte| byte == b'/')?;
        let path = &self.resolved[..end.max(1)];
        let above = usize::from(self.file().is_some());
        let index = self.components.len().checked_sub(1 + above)?;
        let directory = self.components.get(index)?;
        (directory.path == path).then_some(directory)
    }
}

impl Component {
    /// The bits of its type: `S_IFDIR` and others.
    pub fn kind(&self) -> u32 {
        self.mode & libc::S_IFMT
    }

    /// What a user with these groups may do, as bits of 4 (read), 2 (write) and 1 (execute or
    /// search), by its mode alone (`acl_permission_check`, fs/namei.c, without access control
    /// lists).
    pub fn permissions(&self, user: u32, groups: impl IntoIterator<Item = u32>) -> u32 {
        let shift = match () {
            () if self.uid == user => 6,
            () if groups.into_iter().any(|group| group == self.gid) => 3,
            () => 0,
        };
        self.mode >> shift & 7
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::slice;

    use super::*;

    /// A file or directory of this mode and owner, on ext4.
    pub(crate) fn component(path: &str, mode: u32, uid: u32, gid: u32) -> Component {
        Component {
            path: path.into(),
            mode,
            uid,
            gid,
            immutable: Some(false),
            append_only: Some(false),
            has_list: false,
            mount: Mount {
                kind: "ext4".to_owned(),
                point: b"/".to_vec(),
                ..Mount::default()
            },
        }
    }

    /// These components, the last of which is the file.
    pub(crate) fn way(components: &[Component]) -> Surroundings {
        Surroundings {
            resolved: components.last().unwrap().path.clone(),
            components: components.to_vec(),
            stopped: None,
        }
    }

    #[test]
    fn a_file_that_does_not_exist_has_a_directory() {
        let root = component("/", libc::S_IFDIR | 0o755, 0, 0);
        let etc = component("/etc", libc::S_IFDIR | 0o755, 0, 0);
        let there = way(&[root.clone(), etc.clone()]);
        assert_eq!(there.file(), Some(&etc));
        assert_eq!(there.directory(), Some(&root));
        assert_eq!(way(slice::from_ref(&root)).directory(), None);
        let missing = Surroundings {
            resolved: b"/etc/new".to_vec(),
            components: vec![root, etc.clone()],
            stopped: Some(libc::ENOENT),
        };
        assert_eq!(missing.file(), None);
        assert_eq!(missing.directory(), Some(&etc));
        let deeper = Surroundings {
            resolved: b"/etc/new/file".to_vec(),
            ..missing
        };
        assert_eq!(deeper.directory(), None);
    }

    #[test]
    fn the_owner_the_group_and_the_rest_have_bits_of_their_own() {
        let shadow = component("/etc/shadow", libc::S_IFREG | 0o640, 0, 42);
        assert_eq!(shadow.permissions(0, []), 6);
        assert_eq!(shadow.permissions(1000, [7, 42]), 4);
        assert_eq!(shadow.permissions(1000, [7]), 0);
        // The owner is not also one of the others.
        let odd = component("/odd", libc::S_IFREG | 0o047, 1000, 1000);
        assert_eq!(odd.permissions(1000, [1000]), 0);
    }
}
