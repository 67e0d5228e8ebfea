//! Templates of rows: most of a row is the same text for all checks of one kind.
//!
//! Each value in a row depends either on the check's kind, or on who made it and when. The former
//! are written once for each kind and then copied; the latter are written for each row.

use capable_common::{Check, Membership};

use super::Row;

/// How many kinds are remembered, a power of two. A machine usually has a few dozen.
const KINDS: usize = 256;

/// Everything that determines the columns that
/// [follow from the kind](super::columns::Column::by_kind).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CheckKind {
    effective: u64,
    cgroup: u64,
    uid: u32,
    euid: u32,
    capability: i32,
    result: i32,
    target_namespace: u32,
    credential_namespace: u32,
    flags: u32,
    membership: Membership,
    names: u32,
}

impl CheckKind {
    #[inline]
    fn of(row: &Row<'_>) -> Self {
        let &Check {
            effective,
            cgroup,
            uid,
            euid,
            capability,
            result,
            target_namespace,
            credential_namespace,
            flags,
            // These differ between checks of one kind: no column that follows from the kind shows
            // them.
            kind: _,
            kernel_frames: _,
            user_frames: _,
            processor: _,
            time: _,
            pid: _,
            tid: _,
            comm: _,
            // Their meaning is in the flags.
            options: _,
        } = row.event.check;
        // The flags say which of these are known.
        const NOTHING: Membership = Membership {
            gid: 0,
            mount_namespace: 0,
        };
        Self {
            effective,
            cgroup,
            uid,
            euid,
            capability,
            result,
            target_namespace,
            credential_namespace,
            flags,
            membership: row.event.membership.copied().unwrap_or(NOTHING),
            names: row.names,
        }
    }

    /// The slot for this kind. The fields that are left out rarely tell two kinds apart.
    #[inline]
    fn place(&self) -> usize {
        // Fibonacci hashing: the top bits of the product depend on all bits of the factor.
        const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
        let place = self.membership.mount_namespace;
        let who = u64::from(self.uid) << 32 | u64::from(self.flags ^ self.result as u32 ^ place);
        let what = self.cgroup.rotate_left(16) ^ u64::from(self.capability as u32);
        let mixed = (who.wrapping_mul(FACTOR) ^ what).wrapping_mul(FACTOR);
        (mixed >> (64 - KINDS.ilog2())) as usize
    }
}

/// A template for each kind of check. Kinds that share a slot replace each other.
#[derive(Debug)]
pub struct Templates<T> {
    places: Vec<(Option<CheckKind>, T)>,
}

impl<T: Default> Templates<T> {
    /// Nothing is remembered yet.
    pub fn new() -> Self {
        let empty = || (None, T::default());
        Self {
            places: std::iter::repeat_with(empty).take(KINDS).collect(),
        }
    }

    /// The template for a check's kind, made if it is not remembered.
    #[inline]
    pub fn of(&mut self, row: &Row<'_>, make: impl FnOnce() -> T) -> &mut T {
        let kind = CheckKind::of(row);
        let (known, template) = &mut self.places[kind.place()];
        if *known != Some(kind) {
            *known = Some(kind);
            *template = make();
        }
        template
    }
}
