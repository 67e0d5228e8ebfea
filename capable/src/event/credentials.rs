//! The credentials that were checked.

use capable_common::Flags;

use crate::capability::CapabilitySet;

/// Whose credentials were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialOwner {
    /// The current task's own.
    Own,
    /// The current task's, temporarily overridden, as by access(2) and overlayfs.
    Overridden,
    /// Others: those a file was opened with, or another task's.
    Foreign,
}

impl CredentialOwner {
    /// Whose they are, if [`Flags`] tell.
    pub(crate) fn of(flags: u32) -> Option<Self> {
        (flags & Flags::OWNER_KNOWN != 0).then_some(if flags & Flags::CREDENTIALS_OVERRIDDEN != 0 {
            Self::Overridden
        } else if flags & Flags::CREDENTIALS_FOREIGN != 0 {
            Self::Foreign
        } else {
            Self::Own
        })
    }
}

/// The checked credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedCredentials {
    /// The effective user id.
    pub euid: u32,
    /// The effective set.
    pub effective: CapabilitySet,
    /// The inode number of their user namespace.
    pub namespace: u32,
    /// Whose they are; `None` if the kernel side could not tell.
    pub owner: Option<CredentialOwner>,
}
