//! What `cap_capable` decides, evaluated from the same immutable data.
//!
//! The kernel's function (security/commoncap.c, the same from 4.x to 7.x) walks from the target
//! namespace upwards: in the credentials' own namespace their effective bit decides; at a namespace
//! that is not deeper than theirs the check is denied; the owner of a namespace, if in its parent,
//! holds every capability in it.

mod walk;

use capable_common::{Flags, NO_OFFSET, Wanted};

use crate::{
    config,
    config::wants,
    hooked::{HookedCheck, TargetNamespace},
    memory::{opaque, read},
    typed,
};
use walk::{BELOW, OUTSIDE, OWNED, walk};

/// `EPERM` (include/uapi/asm-generic/errno-base.h).
const EPERM: i32 = 1;

/// `PROC_USER_INIT_INO` (include/linux/proc_ns.h).
pub const INITIAL_USER_NAMESPACE: u32 = 0xEFFF_FFFD;

/// Whose credentials over which namespace, as far as that is known.
#[derive(Clone, Copy)]
pub struct Verdict {
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
    /// [`Flags`]: which of these are known, and what else is known.
    pub flags: u32,
}

impl Verdict {
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

/// Settles the result of a check, and fills in what is asked for about credentials and namespaces.
#[inline(always)]
pub fn settle(hooked: &HookedCheck, task: u64) -> Verdict {
    let wanted = wants(Wanted::CREDENTIALS);
    let mut verdict = Verdict::UNKNOWN;
    match hooked.result {
        Some(result) if !wanted => {
            if result == 0
                && let Some(effective) = effective_of(hooked.credentials, task)
                && !is_raised(effective, hooked.capability)
            {
                verdict.flags |= Flags::BY_OWNERSHIP;
            }
        }
        _ => evaluate(&mut verdict, hooked, task, wanted),
    }
    if let Some(result) = hooked.result {
        verdict.result = result;
        verdict.flags |= Flags::RESULT_KNOWN;
        verdict.flags &= !Flags::RESULT_EVALUATED;
    }
    verdict
}

/// Evaluates a check.
#[inline(always)]
fn evaluate(verdict: &mut Verdict, hooked: &HookedCheck, task: u64, wanted: bool) {
    let done = match used_by(task, hooked.credentials) {
        Some(used) => evaluate_own(verdict, hooked, used, wanted),
        None => false,
    };
    if !done {
        evaluate_any(verdict, hooked, wanted);
    }
    let evaluates = config!(offsets.cred_effective) != NO_OFFSET;
    if evaluates && (wanted || matches!(hooked.target, TargetNamespace::Initial)) {
        // The constants of each path would keep the verifier from joining the paths: on 6.1 it
        // processed 619 000 instructions instead of some thousands.
        let hidden = opaque(u64::from(verdict.flags) << 32 | u64::from(verdict.result as u32));
        verdict.flags = (hidden >> 32) as u32;
        verdict.result = hidden as i32;
    }
}

/// Evaluates a check, over their own namespace, of credentials whose type the verifier knows, as
/// nearly all checks are; false if it is over another namespace.
#[inline(always)]
fn evaluate_own(
    verdict: &mut Verdict,
    hooked: &HookedCheck,
    credentials: u64,
    wanted: bool,
) -> bool {
    let own = typed::word(credentials, config!(offsets.cred_user_ns));
    let initial = match hooked.target {
        TargetNamespace::Own => false,
        TargetNamespace::At(target) if typed::is(own, target) => false,
        TargetNamespace::Initial if typed::half(own, config!(offsets.user_ns_level)) == 0 => true,
        _ => return false,
    };
    verdict.effective = typed::word(credentials, config!(offsets.cred_effective));
    if wanted {
        verdict.euid = typed::half(credentials, config!(offsets.cred_euid));
        verdict.credential_namespace = typed::half(own, config!(offsets.user_ns_inum));
        verdict.flags |= Flags::CREDENTIALS_KNOWN;
    }
    decide_in_own(verdict, is_raised(verdict.effective, hooked.capability));
    if initial {
        verdict.target_namespace = INITIAL_USER_NAMESPACE;
        verdict.flags |= Flags::NAMESPACE_KNOWN;
    }
    true
}

/// Evaluates a check of any credentials over any namespace.
#[inline(always)]
fn evaluate_any(verdict: &mut Verdict, hooked: &HookedCheck, wanted: bool) {
    let (Some(effective), Some(own)) = (
        read::<u64>(hooked.credentials, config!(offsets.cred_effective)),
        read::<u64>(hooked.credentials, config!(offsets.cred_user_ns)),
    ) else {
        return;
    };
    verdict.effective = effective;
    if wanted
        && let (Some(euid), Some(inode)) = (
            read::<u32>(hooked.credentials, config!(offsets.cred_euid)),
            read::<u32>(own, config!(offsets.user_ns_inum)),
        )
    {
        verdict.euid = euid;
        verdict.credential_namespace = inode;
        verdict.flags |= Flags::CREDENTIALS_KNOWN;
    }
    let raised = is_raised(effective, hooked.capability);
    match hooked.target {
        TargetNamespace::Own => decide_in_own(verdict, raised),
        TargetNamespace::At(target) if target == own => decide_in_own(verdict, raised),
        TargetNamespace::At(target) => {
            if wanted && let Some(inode) = read::<u32>(target, config!(offsets.user_ns_inum)) {
                verdict.target_namespace = inode;
                verdict.flags |= Flags::NAMESPACE_KNOWN;
            }
            // If the verifier knew the values, it would follow each of the walk's many ends through
            // the rest of the program.
            match opaque(walk(hooked.credentials, own, target)) {
                BELOW => {
                    verdict.flags |= Flags::NAMESPACE_BELOW;
                    decide(verdict, raised);
                }
                OWNED => {
                    verdict.flags |= Flags::NAMESPACE_BELOW | Flags::NAMESPACE_OWNED;
                    if !raised {
                        verdict.flags |= Flags::BY_OWNERSHIP;
                    }
                    decide(verdict, true);
                }
                OUTSIDE => decide(verdict, false),
                _ => {}
            }
        }
        TargetNamespace::Initial => {
            verdict.target_namespace = INITIAL_USER_NAMESPACE;
            verdict.flags |= Flags::NAMESPACE_KNOWN;
            if let Some(level) = read::<i32>(own, config!(offsets.user_ns_level)) {
                if level == 0 {
                    verdict.flags |= Flags::NAMESPACE_OWN;
                }
                decide(verdict, level == 0 && raised);
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
    let effective = config!(offsets.cred_effective);
    match used_by(task, credentials) {
        Some(used) => Some(typed::word(used, effective)),
        None => read(credentials, effective),
    }
}

/// These credentials as a pointer whose type the verifier knows, if they are the ones that the
/// current task uses, as nearly all are.
#[inline(always)]
fn used_by(task: u64, credentials: u64) -> Option<u64> {
    if config!(typed_task) == 0 {
        return None;
    }
    let used = typed::word(task, config!(offsets.task_cred));
    typed::is(used, credentials).then_some(used)
}

/// Over the credentials' own namespace, their bit decides.
#[inline(always)]
fn decide_in_own(verdict: &mut Verdict, raised: bool) {
    verdict.target_namespace = verdict.credential_namespace;
    verdict.flags |= Flags::NAMESPACE_OWN;
    if verdict.flags & Flags::CREDENTIALS_KNOWN != 0 {
        verdict.flags |= Flags::NAMESPACE_KNOWN;
    }
    decide(verdict, raised);
}

#[inline(always)]
fn decide(verdict: &mut Verdict, granted: bool) {
    verdict.result = if granted { 0 } else { -EPERM };
    verdict.flags |= Flags::RESULT_KNOWN | Flags::RESULT_EVALUATED;
}
