//! System calls of followed processes that failed: what they were about, and what the task held.

use core::ops::BitOr;

use crate::record::COMM_LENGTH;

/// The most bytes of a text of the process's memory, such as a path, its closing NUL included.
pub const TEXT_LENGTH: usize = 256;

/// The most bytes of the names of a file and of the directories around it, each closed by NUL.
pub const NAMES_LENGTH: usize = 512;

/// The most bytes of one such name, its closing NUL included: a longer one is cut.
pub const NAME_LENGTH: usize = 128;

/// The most names of a file and the directories around it: the rest is left out.
pub const MAX_NAMES: usize = 24;

/// The most supplementary groups that are sent.
pub const MAX_GROUPS: usize = 16;

/// The numbers of system calls that have a [`CallTexts`]: those of the 64-bit entry.
pub const CALLS: usize = 512;

/// In place of a length: this text could not be read, or the call has none.
pub const NO_TEXT: i16 = -1;

/// What the arguments of a system call point to.
///
/// Each field of four bits is the number of an argument plus one, or 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct CallTexts(u32);

impl CallTexts {
    /// The call has no texts, and no file.
    pub const NONE: Self = Self(0);
    /// In place of an argument: the file is the current directory.
    const CURRENT: u32 = 15;

    /// The argument, counted from 0, is a path or another text that NUL closes.
    #[must_use]
    pub const fn first(self, argument: u32) -> Self {
        Self(self.0 | (argument + 1))
    }

    /// So is this one.
    #[must_use]
    pub const fn second(self, argument: u32) -> Self {
        Self(self.0 | (argument + 1) << 4)
    }

    /// The argument is the descriptor of the file, or of the directory that the first text is
    /// relative to (`AT_FDCWD` is the current one).
    #[must_use]
    pub const fn descriptor(self, argument: u32) -> Self {
        Self(self.0 | (argument + 1) << 8)
    }

    /// The first text is relative to the current directory.
    #[must_use]
    pub const fn current_directory(self) -> Self {
        Self(self.0 | Self::CURRENT << 8)
    }

    /// The argument points to the address of a socket (`struct sockaddr`), whose length is the next
    /// argument.
    #[must_use]
    pub const fn address(self, argument: u32) -> Self {
        Self(self.0 | (argument + 1) << 12)
    }

    /// The fields as a number.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The fields of a number.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The number of the first text's argument.
    #[inline(always)]
    pub fn first_argument(self) -> Option<u32> {
        (self.0 & 15).checked_sub(1)
    }

    /// That of the second text.
    #[inline(always)]
    pub fn second_argument(self) -> Option<u32> {
        (self.0 >> 4 & 15).checked_sub(1)
    }

    /// That of the descriptor.
    #[inline(always)]
    pub fn descriptor_argument(self) -> Option<u32> {
        let field = self.0 >> 8 & 15;
        (field != Self::CURRENT)
            .then_some(field)
            .and_then(|field| field.checked_sub(1))
    }

    /// Whether the first text is relative to the current directory.
    #[inline(always)]
    pub fn is_in_current_directory(self) -> bool {
        self.0 >> 8 & 15 == Self::CURRENT
    }

    /// The number of the address's argument.
    #[inline(always)]
    pub fn address_argument(self) -> Option<u32> {
        (self.0 >> 12 & 15).checked_sub(1)
    }
}

/// What is known about an operation: a set of these constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct OperationFlags(u32);

impl OperationFlags {
    /// Nothing is known.
    pub const NONE: Self = Self(0);
    /// A check was denied on the way.
    pub const DENIED: Self = Self(1 << 0);
    /// The call was made through the 32-bit entry: it has no texts.
    pub const COMPAT: Self = Self(1 << 1);
    /// The number and the arguments of the call are known.
    pub const CALL_KNOWN: Self = Self(1 << 2);
    /// The sets, ids and securebits are known.
    pub const CREDENTIALS_KNOWN: Self = Self(1 << 3);
    /// The groups are known; there may be more than were sent.
    pub const GROUPS_KNOWN: Self = Self(1 << 4);
    /// Whether no_new_privs is set is known.
    pub const PRIVILEGES_KNOWN: Self = Self(1 << 5);
    /// The task has no_new_privs set.
    pub const NO_NEW_PRIVILEGES: Self = Self(1 << 6);
    /// Whether a seccomp filter is in force is known.
    pub const SECCOMP_KNOWN: Self = Self(1 << 7);
    /// A seccomp filter is in force.
    pub const SECCOMP: Self = Self(1 << 8);
    /// The file's owner, mode and flags are known.
    pub const FILE_KNOWN: Self = Self(1 << 9);
    /// The names go up to the root of all mounts: none was left out.
    pub const NAMES_COMPLETE: Self = Self(1 << 10);
    /// Whether Landlock restricts the task is known.
    pub const LANDLOCK_KNOWN: Self = Self(1 << 11);
    /// Landlock restricts the task.
    pub const LANDLOCK: Self = Self(1 << 12);

    /// Whether all of these are set.
    #[inline(always)]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl BitOr for OperationFlags {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// A system call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Operation {
    /// [`crate::RecordKind::Operation`].
    pub kind: u16,
    /// The length of `first` without its NUL, or [`NO_TEXT`].
    pub first_length: i16,
    /// That of `second`.
    pub second_length: i16,
    /// The length of `names`.
    pub names_length: u16,
    /// When the call returned, in nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// Its result: a negative errno.
    pub result: i64,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// The five sets of the task's credentials.
    pub effective: u64,
    /// The permitted set.
    pub permitted: u64,
    /// The inheritable set.
    pub inheritable: u64,
    /// The bounding set.
    pub bounding: u64,
    /// The ambient set.
    pub ambient: u64,
    /// Its number.
    pub syscall: i32,
    /// What is known.
    pub flags: OperationFlags,
    /// The process, in the initial pid namespace.
    pub pid: u32,
    /// The thread, in the initial pid namespace.
    pub tid: u32,
    /// The real, effective and file system user ids, in the initial user namespace.
    pub uid: u32,
    /// The effective one.
    pub euid: u32,
    /// The one for files.
    pub fsuid: u32,
    /// The group for files.
    pub fsgid: u32,
    /// The securebits.
    pub securebits: u32,
    /// The inode number of the user namespace of the credentials.
    pub user_namespace: u32,
    /// The inode number of the mount namespace, or 0.
    pub mount_namespace: u32,
    /// How many supplementary groups there are.
    pub group_count: u32,
    /// The first of them.
    pub groups: [u32; MAX_GROUPS],
    /// The mode of the file, or of the directory that the path is relative to.
    pub file_mode: u32,
    /// Its owner, in the initial user namespace.
    pub file_uid: u32,
    /// Its group.
    pub file_gid: u32,
    /// Its flags, as the kernel has them (`S_IMMUTABLE` and others, include/linux/fs.h).
    pub file_flags: u32,
    /// The task's name.
    pub comm: [u8; COMM_LENGTH],
    /// The first text, or the address of a socket.
    pub first: [u8; TEXT_LENGTH],
    /// The second text.
    pub second: [u8; TEXT_LENGTH],
    /// The names of the file or the directory, and of those around it up to the root, each closed by
    /// NUL.
    pub names: [u8; NAMES_LENGTH + NAME_LENGTH],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_the_size_that_the_kernel_side_was_built_with() {
        let numbers = 8 + 8 + 8 + 48 + 40 + 12 * 4 + 4 * MAX_GROUPS + 16 + COMM_LENGTH;
        let texts = 2 * TEXT_LENGTH + NAMES_LENGTH + NAME_LENGTH;
        assert_eq!(size_of::<Operation>(), numbers + texts);
        assert!(size_of::<Operation>().is_multiple_of(8));
    }

    #[test]
    fn what_the_arguments_are_is_read_as_it_was_written() {
        let texts = CallTexts::NONE.first(1).second(3).descriptor(0);
        assert_eq!(texts.first_argument(), Some(1));
        assert_eq!(texts.second_argument(), Some(3));
        assert_eq!(texts.descriptor_argument(), Some(0));
        assert_eq!(texts.address_argument(), None);
        assert!(!texts.is_in_current_directory());
        let texts = CallTexts::NONE.first(0).current_directory();
        assert_eq!(texts.descriptor_argument(), None);
        assert!(texts.is_in_current_directory());
        let texts = CallTexts::NONE.address(1);
        assert_eq!(texts.address_argument(), Some(1));
        assert_eq!(CallTexts::from_bits(texts.bits()), texts);
    }
}
