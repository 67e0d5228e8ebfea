//! The user namespace over which a capability was asked.

use capable_common::Flags;

/// The inode number of the initial user namespace (`PROC_USER_INIT_INO`,
/// include/linux/proc_ns.h).
pub const INITIAL_USER_NAMESPACE: u32 = 0xEFFF_FFFD;

/// The user namespace over which a capability was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetNamespace {
    /// How it relates to the namespace of the checked credentials.
    pub relation: Relation,
    /// It is the initial user namespace.
    pub initial: bool,
}

/// How the target namespace relates to the one of the checked credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// It is the same.
    Own,
    /// It lies below: the credentials' namespace is an ancestor of it.
    Below,
    /// Neither: it is an ancestor, or in another branch.
    Outside,
}

impl Relation {
    /// How it relates to it, if [`Flags`] tell.
    pub(crate) fn of(flags: u32) -> Option<Self> {
        (flags & Flags::NAMESPACE_KNOWN != 0).then_some(if flags & Flags::NAMESPACE_OWN != 0 {
            Self::Own
        } else if flags & Flags::NAMESPACE_BELOW != 0 {
            Self::Below
        } else {
            Self::Outside
        })
    }
}
