//! The user namespace in which a process's capabilities count.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fd::AsFd;
use rustix::ioctl;
use serde::Serialize;

use crate::event::INITIAL_USER_NAMESPACE;

/// A user namespace, as seen from the reader's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserNamespace {
    /// Its inode number; `None` if the reader may not ask for it.
    pub inode: Option<u64>,
    /// Whether it is the initial one; `None` if the inode number is not known.
    pub initial: Option<bool>,
    /// The user that owns it and is therefore granted every capability in it (`NS_GET_OWNER_UID`,
    /// ioctl_nsfs(2)); `None` if the reader may not ask for it.
    pub owner: Option<u32>,
    /// The user id of its root as seen from here; `None` if it has no root or this is not known.
    pub root: Option<u32>,
    /// The map of user ids.
    pub uid_map: Vec<Mapping>,
}

/// A line of `uid_map` (user_namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// The number of consecutive ids.
    pub count: u32,
}

/// Reads the namespace's owner from an open /proc/PID/ns/user.
struct OwnerUid(u32);

// SAFETY: the opcode is NS_GET_OWNER_UID, _IO(NSIO, 0x4) (include/uapi/linux/nsfs.h): the kernel
// writes one uid_t, 32 bits, through the argument (fs/nsfs.c), which points at that much memory
// that lives as long as self.
unsafe impl ioctl::Ioctl for OwnerUid {
    type Output = u32;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> ioctl::Opcode {
        ioctl::opcode::none(0xb7, 4)
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        (&raw mut self.0).cast()
    }

    unsafe fn output_from_ptr(
        _: ioctl::IoctlOutput,
        pointer: *mut std::ffi::c_void,
    ) -> rustix::io::Result<u32> {
        // SAFETY: it is the pointer that as_ptr gave.
        Ok(unsafe { *pointer.cast::<u32>() })
    }
}

fn owner(namespace: impl AsFd) -> Option<u32> {
    // SAFETY: NS_GET_OWNER_UID only writes where OwnerUid points it to.
    unsafe { ioctl::ioctl(namespace, OwnerUid(0)) }.ok()
}

impl UserNamespace {
    /// The namespace of the process with this directory in /proc.
    pub fn of_process(directory: &Path) -> Self {
        let file = File::open(directory.join("ns/user")).ok();
        let inode = file
            .as_ref()
            .and_then(|file| file.metadata().ok())
            .map(|metadata| metadata.ino());
        let uid_map = fs::read_to_string(directory.join("uid_map"))
            .map(|text| parse_uid_map(&text))
            .unwrap_or_default();
        let own = fs::metadata("/proc/self/ns/user")
            .ok()
            .map(|metadata| metadata.ino());
        Self {
            inode,
            initial: inode.map(|inode| inode == u64::from(INITIAL_USER_NAMESPACE)),
            owner: file.and_then(owner),
            root: inode.and_then(|inode| root(&uid_map, own == Some(inode))),
            uid_map,
        }
    }
}

/// The user id of its root as seen from here. The map of the reader's own namespace shows ids of
/// its parent instead (user_namespaces(7)).
pub(super) fn root(uid_map: &[Mapping], is_own: bool) -> Option<u32> {
    let root = uid_map.iter().find(|mapping| mapping.inside == 0)?;
    // An id that is not mapped here is shown as -1 (`uid_m_show`, kernel/user_namespace.c).
    let outside = Some(root.outside).filter(|&outside| outside != u32::MAX);
    if is_own { Some(0) } else { outside }
}

pub(super) fn parse_uid_map(text: &str) -> Vec<Mapping> {
    text.lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some(Mapping {
                inside: numbers.next()?.ok()?,
                outside: numbers.next()?.ok()?,
                count: numbers.next()?.ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_of_a_namespace_is_found_in_its_map() {
        let map = parse_uid_map("         0     100000      65536\n     65536 4294967295 1\n");
        assert_eq!(map.len(), 2);
        assert_eq!(root(&map, false), Some(100_000));
        assert_eq!(root(&map, true), Some(0));
        assert_eq!(root(&map[1..], false), None);
        assert_eq!(root(&parse_uid_map("0 4294967295 1"), false), None);
        assert_eq!(root(&[], true), None);
    }

    #[test]
    fn the_own_namespace_has_an_inode_and_root_is_user_0() {
        let own = UserNamespace::of_process(Path::new("/proc/self"));
        let link = fs::read_link("/proc/self/ns/user").unwrap();
        assert_eq!(
            format!("user:[{}]", own.inode.unwrap()),
            link.to_str().unwrap()
        );
        assert_eq!(own.root, Some(0));
    }
}
