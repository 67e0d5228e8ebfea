//! What is not as it is elsewhere, each with the kernel's reason: the only place for exceptions.

use super::identity::Identity;
use super::kernel::Version;

/// A trigger that cannot run.
#[derive(Clone, Copy, Debug)]
pub struct Impossible {
    /// Its name.
    pub trigger: &'static str,
    /// The identities that cannot run it.
    pub identities: &'static [Identity],
    /// The first kernel on which it cannot run.
    pub since: Version,
    /// The first kernel on which it can run again.
    pub until: Version,
    /// Why.
    pub reason: &'static str,
}

/// Triggers that cannot run on some kernels.
pub const IMPOSSIBLE: &[Impossible] = &[Impossible {
    trigger: "immutable",
    identities: &Identity::ALL,
    since: Version::FIRST,
    until: Version(6, 6),
    reason: "tmpfs has file flags since 6.6 (mm/shmem.c, shmem_fileattr_set)",
}];

/// Why a trigger cannot run here, if it cannot.
pub fn impossible(trigger: &str, identity: Identity, kernel: Version) -> Option<&'static str> {
    IMPOSSIBLE
        .iter()
        .find(|entry| {
            entry.trigger == trigger
                && entry.identities.contains(&identity)
                && (entry.since..entry.until).contains(&kernel)
        })
        .map(|entry| entry.reason)
}
