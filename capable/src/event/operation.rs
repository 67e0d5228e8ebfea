//! System calls of followed processes that failed.

use capable_common::{self as wire, OperationFlags};

use super::{Syscall, comm_bytes};
use crate::capability::CapabilitySet;

/// A system call of a followed process that failed: it was refused, or it failed after a check was
/// denied in it.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    record: &'a wire::Operation,
}

/// The credentials with which a system call was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeldCredentials {
    /// The real user id, in the initial user namespace.
    pub uid: u32,
    /// The effective user id, likewise.
    pub euid: u32,
    /// The user id for files, likewise.
    pub fsuid: u32,
    /// The group id for files, likewise.
    pub fsgid: u32,
    /// The effective set.
    pub effective: CapabilitySet,
    /// The permitted set.
    pub permitted: CapabilitySet,
    /// The inheritable set.
    pub inheritable: CapabilitySet,
    /// The bounding set.
    pub bounding: CapabilitySet,
    /// The ambient set.
    pub ambient: CapabilitySet,
    /// The securebits.
    pub securebits: u32,
    /// The inode number of their user namespace.
    pub namespace: u32,
}

/// What is known of an open file, or of the directory that a path is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileFacts {
    /// Its type and mode, as stat(2) gives them.
    pub mode: u32,
    /// Its owner, in the initial user namespace.
    pub uid: u32,
    /// Its group, likewise.
    pub gid: u32,
    /// It cannot be changed (`chattr +i`).
    pub immutable: bool,
    /// It can only be appended to (`chattr +a`).
    pub append_only: bool,
}

impl<'a> Operation<'a> {
    /// What a record says.
    pub(crate) fn new(record: &'a wire::Operation) -> Self {
        Self { record }
    }

    fn is(&self, flag: OperationFlags) -> bool {
        self.record.flags.contains(flag)
    }

    /// When the call returned, in nanoseconds of `CLOCK_MONOTONIC`.
    pub fn time(&self) -> u64 {
        self.record.time
    }

    /// The process, as the initial pid namespace numbers it.
    pub fn pid(&self) -> u32 {
        self.record.pid
    }

    /// The thread, likewise.
    pub fn tid(&self) -> u32 {
        self.record.tid
    }

    /// The thread's name: any bytes but NUL.
    pub fn comm(&self) -> &'a [u8] {
        comm_bytes(&self.record.comm)
    }

    /// What the call returned: a negative errno.
    pub fn result(&self) -> i64 {
        self.record.result
    }

    /// Whether a check was denied in it.
    pub fn was_denied(&self) -> bool {
        self.is(OperationFlags::DENIED)
    }

    /// The call with its arguments, if it is known.
    pub fn syscall(&self) -> Option<Syscall> {
        self.is(OperationFlags::CALL_KNOWN).then(|| Syscall {
            number: self.record.syscall,
            compat: self.is(OperationFlags::COMPAT),
            arguments: self.record.arguments,
        })
    }

    /// The first text that its arguments point to, such as a path, or the address of a socket.
    pub fn first(&self) -> Option<&'a [u8]> {
        text(&self.record.first, self.record.first_length)
    }

    /// The second text.
    pub fn second(&self) -> Option<&'a [u8]> {
        text(&self.record.second, self.record.second_length)
    }

    /// The path of the file that the call's descriptor stands for, or of the directory that the
    /// first text is relative to, and whether it is whole: one that is deep lacks its beginning.
    /// It begins at the root of the mount namespace, not at that of chroot(2).
    pub fn path(&self) -> Option<(Vec<u8>, bool)> {
        let length = usize::from(self.record.names_length);
        let names = self.record.names.get(..length)?;
        let complete = self.is(OperationFlags::NAMES_COMPLETE);
        if names.is_empty() {
            return complete.then(|| (b"/".to_vec(), true));
        }
        let names: Vec<_> = names
            .strip_suffix(b"\0")?
            .split(|&byte| byte == 0)
            .collect();
        let mut path = Vec::with_capacity(length + 1);
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        Some((path, complete))
    }

    /// Facts about that file or directory.
    pub fn file(&self) -> Option<FileFacts> {
        /// `S_APPEND` and `S_IMMUTABLE` (include/linux/fs.h, 5.10 to 7.3).
        const APPEND: u32 = 1 << 2;
        const IMMUTABLE: u32 = 1 << 3;
        self.is(OperationFlags::FILE_KNOWN).then_some(FileFacts {
            mode: self.record.file_mode,
            uid: self.record.file_uid,
            gid: self.record.file_gid,
            immutable: self.record.file_flags & IMMUTABLE != 0,
            append_only: self.record.file_flags & APPEND != 0,
        })
    }

    /// The credentials of the task, if they are known.
    pub fn credentials(&self) -> Option<HeldCredentials> {
        let set = CapabilitySet::from_bits;
        self.is(OperationFlags::CREDENTIALS_KNOWN)
            .then(|| HeldCredentials {
                uid: self.record.uid,
                euid: self.record.euid,
                fsuid: self.record.fsuid,
                fsgid: self.record.fsgid,
                effective: set(self.record.effective),
                permitted: set(self.record.permitted),
                inheritable: set(self.record.inheritable),
                bounding: set(self.record.bounding),
                ambient: set(self.record.ambient),
                securebits: self.record.securebits,
                namespace: self.record.user_namespace,
            })
    }

    /// The supplementary groups, and whether these are all.
    pub fn groups(&self) -> Option<(&'a [u32], bool)> {
        let count = self.record.group_count as usize;
        let sent = count.min(self.record.groups.len());
        self.is(OperationFlags::GROUPS_KNOWN)
            .then(|| (&self.record.groups[..sent], sent == count))
    }

    /// The inode number of the mount namespace, if it is known.
    pub fn mount_namespace(&self) -> Option<u32> {
        Some(self.record.mount_namespace).filter(|&inode| inode != 0)
    }

    /// Whether no_new_privs is set.
    pub fn no_new_privileges(&self) -> Option<bool> {
        self.is(OperationFlags::PRIVILEGES_KNOWN)
            .then(|| self.is(OperationFlags::NO_NEW_PRIVILEGES))
    }

    /// Whether a seccomp filter is in force.
    pub fn has_seccomp_filter(&self) -> Option<bool> {
        self.is(OperationFlags::SECCOMP_KNOWN)
            .then(|| self.is(OperationFlags::SECCOMP))
    }

    /// Whether Landlock restricts the task.
    pub fn has_landlock(&self) -> Option<bool> {
        self.is(OperationFlags::LANDLOCK_KNOWN)
            .then(|| self.is(OperationFlags::LANDLOCK))
    }
}

fn text(bytes: &[u8], length: i16) -> Option<&[u8]> {
    bytes.get(..usize::try_from(length).ok()?)
}

#[cfg(test)]
pub(crate) mod tests {
    use capable_common::{NAME_LENGTH, NAMES_LENGTH, NO_TEXT, RecordKind, TEXT_LENGTH};

    use super::*;

    /// A call that failed with this result, of which nothing else is known.
    pub(crate) fn unknown(result: i64) -> wire::Operation {
        wire::Operation {
            kind: RecordKind::Operation as u16,
            first_length: NO_TEXT,
            second_length: NO_TEXT,
            names_length: 0,
            time: 1,
            result,
            arguments: [0; 6],
            effective: 0,
            permitted: 0,
            inheritable: 0,
            bounding: 0,
            ambient: 0,
            syscall: wire::SYSCALL_NONE,
            flags: OperationFlags::NONE,
            pid: 7,
            tid: 8,
            uid: 0,
            euid: 0,
            fsuid: 0,
            fsgid: 0,
            securebits: 0,
            user_namespace: 0,
            mount_namespace: 0,
            group_count: 0,
            groups: [0; wire::MAX_GROUPS],
            file_mode: 0,
            file_uid: 0,
            file_gid: 0,
            file_flags: 0,
            comm: *b"prog\0\0\0\0\0\0\0\0\0\0\0\0",
            first: [0; TEXT_LENGTH],
            second: [0; TEXT_LENGTH],
            names: [0; NAMES_LENGTH + NAME_LENGTH],
        }
    }

    #[test]
    fn what_is_not_known_is_nothing() {
        let record = unknown(-1);
        let operation = Operation::new(&record);
        assert_eq!(operation.comm(), b"prog");
        assert!(operation.syscall().is_none() && operation.first().is_none());
        assert!(operation.path().is_none() && operation.file().is_none());
        assert!(operation.credentials().is_none() && operation.groups().is_none());
        assert!(operation.no_new_privileges().is_none() && operation.mount_namespace().is_none());
    }

    #[test]
    fn a_path_is_put_together_from_the_root() {
        let mut record = unknown(-1);
        let names = b"x\0lib\0var\0";
        record.names[..names.len()].copy_from_slice(names);
        record.names_length = names.len() as u16;
        let path = |record: &wire::Operation| Operation::new(record).path();
        assert_eq!(path(&record), Some((b"/var/lib/x".to_vec(), false)));
        record.flags = OperationFlags::NAMES_COMPLETE;
        assert_eq!(path(&record), Some((b"/var/lib/x".to_vec(), true)));
        record.names_length = 0;
        assert_eq!(path(&record), Some((b"/".to_vec(), true)));
    }

    #[test]
    fn more_groups_than_were_sent_are_not_all() {
        let mut record = unknown(-1);
        record.flags = OperationFlags::GROUPS_KNOWN;
        record.group_count = 2;
        assert_eq!(Operation::new(&record).groups(), Some((&[0, 0][..], true)));
        record.group_count = 100;
        let (groups, all) = Operation::new(&record).groups().unwrap();
        assert_eq!((groups.len(), all), (wire::MAX_GROUPS, false));
    }
}
