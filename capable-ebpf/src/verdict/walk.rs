//! The walk from a target namespace upwards.

use crate::{config, memory::read};

/// Namespaces nest at most 32 deep (kernel/user_namespace.c, `create_user_ns`), the initial one
/// not counted.
const LEVELS: u32 = 33;

/// Where a walk ends.
pub const UNKNOWN: u64 = 0;
/// The target lies below the credentials' namespace, so their bit decides.
pub const BELOW: u64 = 1;
/// The target, or a namespace above it, is owned by the credentials: granted.
pub const OWNED: u64 = 2;
/// The credentials' namespace is not above the target: denied.
pub const OUTSIDE: u64 = 3;

/// Walks from a target that is not the credentials' namespace upwards.
///
/// Not inlined: the walk is rare, and would be most of each program.
#[inline(never)]
pub fn walk(credentials: u64, own: u64, target: u64) -> u64 {
    let (Some(euid), Some(own_level)) = (
        read::<u32>(credentials, config!(offsets.cred_euid)),
        read::<i32>(own, config!(offsets.user_ns_level)),
    ) else {
        return UNKNOWN;
    };
    let mut namespace = target;
    for _ in 0..LEVELS {
        let Some(Above {
            parent,
            level,
            owner,
        }) = above(namespace)
        else {
            return UNKNOWN;
        };
        if level <= own_level {
            return OUTSIDE;
        }
        if parent == own {
            return if owner == euid { OWNED } else { BELOW };
        }
        namespace = parent;
    }
    UNKNOWN
}

/// What leads upwards from a user namespace, in the layout of every kernel so far
/// (include/linux/user_namespace.h).
#[derive(Clone, Copy)]
#[repr(C)]
struct Above {
    parent: u64,
    level: i32,
    owner: u32,
}

/// Reads it at once if the kernel has this layout: each read is one more branch for the verifier to
/// follow, in each step of the walk.
#[inline(always)]
fn above(namespace: u64) -> Option<Above> {
    let (parent, level, owner) = (
        config!(offsets.user_ns_parent),
        config!(offsets.user_ns_level),
        config!(offsets.user_ns_owner),
    );
    if level == parent.wrapping_add(8) && owner == parent.wrapping_add(12) {
        return read(namespace, parent);
    }
    Some(Above {
        parent: read(namespace, parent)?,
        level: read(namespace, level)?,
        owner: read(namespace, owner)?,
    })
}
