//! What `cap_capable` decides, evaluated from the same immutable data.
//!
//! The kernel's function (security/commoncap.c, the same from 4.x to 7.x) walks from the target
//! namespace upwards: in the namespace of the credentials their effective bit decides; a namespace
//! that is not deeper than theirs denies; the owner of a namespace, seen from its parent, holds
//! every capability in it.

use capable_common::{Flags, NO_OFFSET, Wanted};

use crate::{
    check::Asked,
    config,
    config::wants,
    memory::{opaque, read},
    typed,
};

/// `EPERM` (include/uapi/asm-generic/errno-base.h).
const EPERM: i32 = 1;

/// Namespaces nest at most 32 deep (kernel/user_namespace.c, `create_user_ns`), the initial one
/// not counted.
const LEVELS: u32 = 33;

/// `PROC_USER_INIT_INO` (include/linux/proc_ns.h).
pub const INITIAL_USER_NAMESPACE: u32 = 0xEFFF_FFFD;

/// Whose credentials over which namespace, as far as it is known.
#[derive(Clone, Copy)]
pub struct Subject {
    /// The effective set of the checked credentials.
    pub effective: u64,
    /// Their effective user id.
    pub euid: u32,
    /// Their user namespace, by inode number.
    pub credential_namespace: u32,
    /// The user namespace over which the capability was asked, by inode number.
    pub target_namespace: u32,
    /// 0 when granted, a negative errno when denied.
    pub result: i32,
    /// [`Flags`]: which of these are known, and what else is.
    pub flags: u32,
}

impl Subject {
    /// Nothing is known yet.
    pub const UNKNOWN: Self = Self {
        effective: 0,
        euid: 0,
        credential_namespace: 0,
        target_namespace: 0,
        result: 0,
        flags: 0,
    };
}

/// The namespace that is asked about.
#[derive(Clone, Copy)]
pub enum Target {
    /// The one at this address.
    Namespace(u64),
    /// That of the credentials themselves.
    Own,
    /// The initial one, whose address is not known.
    Initial,
}

/// Settles the result of a check, and says of credentials and namespaces what is asked for.
#[inline(always)]
pub fn settle(asked: &Asked, task: u64) -> Subject {
    let wanted = wants(Wanted::CREDENTIALS);
    let mut subject = Subject::UNKNOWN;
    match asked.result {
        Some(result) if !wanted => {
            if result == 0
                && let Some(effective) = effective_of(asked.credentials, task)
                && !is_raised(effective, asked.capability)
            {
                subject.flags |= Flags::BY_OWNERSHIP;
            }
        }
        _ => evaluate(&mut subject, asked, task, wanted),
    }
    if let Some(result) = asked.result {
        subject.result = result;
        subject.flags |= Flags::RESULT_KNOWN;
        subject.flags &= !Flags::RESULT_EVALUATED;
    }
    subject
}

/// Evaluates a check.
#[inline(always)]
fn evaluate(subject: &mut Subject, asked: &Asked, task: u64, wanted: bool) {
    if config!(typed_task) == 0 || !evaluate_own(subject, asked, task, wanted) {
        evaluate_any(subject, asked, wanted);
    }
    let evaluates = config!(offsets.cred_effective) != NO_OFFSET;
    if evaluates && (wanted || matches!(asked.target, Target::Initial)) {
        // The constants of each path would keep the verifier from joining them: on 6.1 it looked at
        // 619 000 instructions instead of some thousands.
        let hidden = opaque(u64::from(subject.flags) << 32 | u64::from(subject.result as u32));
        subject.flags = (hidden >> 32) as u32;
        subject.result = hidden as i32;
    }
}

/// Evaluates a check of the credentials that the current task uses over their own namespace, as
/// nearly all are; false where it is another.
#[inline(always)]
fn evaluate_own(subject: &mut Subject, asked: &Asked, task: u64, wanted: bool) -> bool {
    let credentials = typed::word(task, config!(offsets.task_cred));
    if !typed::is(credentials, asked.credentials) {
        return false;
    }
    let own = typed::word(credentials, config!(offsets.cred_user_ns));
    let initial = match asked.target {
        Target::Own => false,
        Target::Namespace(target) if typed::is(own, target) => false,
        Target::Initial if typed::half(own, config!(offsets.user_ns_level)) == 0 => true,
        _ => return false,
    };
    subject.effective = typed::word(credentials, config!(offsets.cred_effective));
    if wanted {
        subject.euid = typed::half(credentials, config!(offsets.cred_euid));
        subject.credential_namespace = typed::half(own, config!(offsets.user_ns_inum));
        subject.flags |= Flags::CREDENTIALS_KNOWN;
    }
    decide_in_own(subject, is_raised(subject.effective, asked.capability));
    if initial {
        subject.target_namespace = INITIAL_USER_NAMESPACE;
        subject.flags |= Flags::NAMESPACE_KNOWN;
    }
    true
}

/// Evaluates a check of any credentials over any namespace.
#[inline(always)]
fn evaluate_any(subject: &mut Subject, asked: &Asked, wanted: bool) {
    let (Some(effective), Some(own)) = (
        read::<u64>(asked.credentials, config!(offsets.cred_effective)),
        read::<u64>(asked.credentials, config!(offsets.cred_user_ns)),
    ) else {
        return;
    };
    subject.effective = effective;
    if wanted
        && let (Some(euid), Some(inode)) = (
            read::<u32>(asked.credentials, config!(offsets.cred_euid)),
            read::<u32>(own, config!(offsets.user_ns_inum)),
        )
    {
        subject.euid = euid;
        subject.credential_namespace = inode;
        subject.flags |= Flags::CREDENTIALS_KNOWN;
    }
    let raised = is_raised(effective, asked.capability);
    match asked.target {
        Target::Own => decide_in_own(subject, raised),
        Target::Namespace(target) if target == own => decide_in_own(subject, raised),
        Target::Namespace(target) => {
            if wanted && let Some(inode) = read::<u32>(target, config!(offsets.user_ns_inum)) {
                subject.target_namespace = inode;
                subject.flags |= Flags::NAMESPACE_KNOWN;
            }
            // The verifier would follow each of the walk's many ends through the rest of the
            // program, were their values known to it.
            match opaque(walk(asked.credentials, own, target)) {
                BELOW => {
                    subject.flags |= Flags::NAMESPACE_BELOW;
                    decide(subject, raised);
                }
                OWNED => {
                    subject.flags |= Flags::NAMESPACE_BELOW | Flags::NAMESPACE_OWNED;
                    if !raised {
                        subject.flags |= Flags::BY_OWNERSHIP;
                    }
                    decide(subject, true);
                }
                OUTSIDE => decide(subject, false),
                _ => {}
            }
        }
        Target::Initial => {
            subject.target_namespace = INITIAL_USER_NAMESPACE;
            subject.flags |= Flags::NAMESPACE_KNOWN;
            if let Some(level) = read::<i32>(own, config!(offsets.user_ns_level)) {
                if level == 0 {
                    subject.flags |= Flags::NAMESPACE_OWN;
                }
                decide(subject, level == 0 && raised);
            }
        }
    }
}

/// Whether a set holds a capability.
#[inline(always)]
fn is_raised(effective: u64, capability: i32) -> bool {
    (0..64).contains(&capability) && (effective >> (capability as u32 & 63)) & 1 != 0
}

/// The effective set of credentials.
#[inline(always)]
fn effective_of(credentials: u64, task: u64) -> Option<u64> {
    if config!(typed_task) != 0 {
        let own = typed::word(task, config!(offsets.task_cred));
        if typed::is(own, credentials) {
            return Some(typed::word(own, config!(offsets.cred_effective)));
        }
    }
    read(credentials, config!(offsets.cred_effective))
}

/// Where a walk ends.
const UNKNOWN: u64 = 0;
/// The target lies below the credentials' namespace, so their bit decides.
const BELOW: u64 = 1;
/// The target, or a namespace above it, is owned by the credentials: granted.
const OWNED: u64 = 2;
/// The credentials' namespace is not above the target: denied.
const OUTSIDE: u64 = 3;

/// Walks from a target that is not the credentials' namespace upwards.
///
/// A function of its own: the walk is rare, and inlined it would be most of each program.
#[inline(never)]
fn walk(credentials: u64, own: u64, target: u64) -> u64 {
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

/// What is above a user namespace, as it lies there on every kernel so far
/// (include/linux/user_namespace.h).
#[derive(Clone, Copy)]
#[repr(C)]
struct Above {
    parent: u64,
    level: i32,
    owner: u32,
}

/// Reads it at once where it lies so: each read is one more way for the verifier to follow, in each
/// turn of the walk.
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

/// Over the namespace of the credentials their bit decides.
#[inline(always)]
fn decide_in_own(subject: &mut Subject, raised: bool) {
    subject.target_namespace = subject.credential_namespace;
    subject.flags |= Flags::NAMESPACE_OWN;
    if subject.flags & Flags::CREDENTIALS_KNOWN != 0 {
        subject.flags |= Flags::NAMESPACE_KNOWN;
    }
    decide(subject, raised);
}

#[inline(always)]
fn decide(subject: &mut Subject, granted: bool) {
    subject.result = if granted { 0 } else { -EPERM };
    subject.flags |= Flags::RESULT_KNOWN | Flags::RESULT_EVALUATED;
}
