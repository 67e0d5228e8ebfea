//! Which checks go on. The cheapest question comes first, and one that the user did not ask is
//! not in the program.

use aya_ebpf::{
    EbpfContext,
    helpers::{bpf_get_current_cgroup_id, generated},
};
use capable_common::{AuditArgument, COMM_LENGTH, Flags, MAX_CGROUPS, MAX_COMM_PATTERNS};

use crate::{config, maps, memory::opaque, task};

/// `CAP_OPT_NOAUDIT` and `CAP_OPT_INSETID` (include/linux/security.h, 5.1 and later).
pub const NOAUDIT: u32 = 1 << 1;
const INSETID: u32 = 1 << 2;

/// Frames that are looked at to infer the audit flag: the tracer's own, `cap_capable`,
/// `security_capable` and those that pass the option on.
const CALL_PATH: usize = 12;

/// How many calls after `cap_capable` can pass a fixed option: `security_capable`, the
/// function itself, and one that the compiler split from it.
const HELPERS: usize = 4;

/// Whether a process is the one to keep, where there is only one.
#[inline(always)]
pub fn keeps_process(pid: u32) -> bool {
    let only = config!(only_pid);
    only == 0 || pid == only
}

/// Whether a capability is one to keep.
#[inline(always)]
pub fn keeps_capability(capability: i32) -> bool {
    let kept = config!(capabilities);
    kept == u64::MAX
        || !(0..64).contains(&capability)
        || (kept >> (capability as u32 & 63)) & 1 != 0
}

/// The audit flag and INSETID, from the fourth argument.
#[inline(always)]
pub fn audit_from_argument(options: u32) -> u32 {
    let how = config!(audit);
    if how == AuditArgument::Options as u8 {
        // Without a branch: the verifier would follow each through the rest of the program.
        let audited = (!options & NOAUDIT) / NOAUDIT * Flags::AUDITED;
        let insetid = (options & INSETID) / INSETID * Flags::INSETID;
        Flags::AUDIT_KNOWN | Flags::INSETID_KNOWN | audited | insetid
    } else if how == AuditArgument::Audit as u8 {
        Flags::AUDIT_KNOWN | if options != 0 { Flags::AUDITED } else { 0 }
    } else {
        0
    }
}

/// The audit flag and INSETID, from who called `cap_capable`.
///
/// Every function in the configuration's tables passes a fixed option; anything else is an
/// ordinary audited check.
#[inline(always)]
pub fn audit_from_call_path<C: EbpfContext>(context: &C) -> u32 {
    let mut frames = [0u64; CALL_PATH];
    // SAFETY: the buffer holds as many bytes as its size says.
    let bytes = unsafe {
        generated::bpf_get_stack(
            context.as_ptr(),
            frames.as_mut_ptr().cast(),
            size_of_val(&frames) as u32,
            0,
        )
    };
    if bytes <= 0 {
        return 0;
    }
    let own = (config!(cap_capable.start), config!(cap_capable.end));
    let mut after = usize::MAX;
    let mut flags = 0;
    for frame in frames {
        if after == usize::MAX {
            if frame >= own.0 && frame < own.1 {
                after = 0;
                flags = Flags::AUDIT_KNOWN
                    | Flags::AUDITED
                    | Flags::AUDIT_INFERRED
                    | Flags::INSETID_KNOWN;
            }
        } else if after < HELPERS {
            after += 1;
            flags = classify(frame, flags);
        }
    }
    // The verifier would follow each combination through the rest of the program.
    opaque(u64::from(flags)) as u32
}

/// Applies what one frame of the call path says.
#[inline(always)]
fn classify(frame: u64, mut flags: u32) -> u32 {
    macro_rules! within {
        ($table:ident, $($index:literal),+) => {
            false $(|| {
                let start = config!($table[$index].start);
                start != 0 && frame >= start && frame < config!($table[$index].end)
            })+
        };
    }
    if within!(unaudited, 0, 1, 2, 3, 4, 5, 6, 7) {
        flags &= !Flags::AUDITED;
    }
    if within!(insetid, 0, 1) {
        flags |= Flags::INSETID;
    }
    flags
}

/// Whether the audit flag is one to keep: what is not known is kept.
#[inline(always)]
pub fn keeps_audit(flags: u32) -> bool {
    config!(audited_only) == 0
        || flags & (Flags::AUDIT_KNOWN | Flags::AUDITED) != Flags::AUDIT_KNOWN
}

/// Whether a result is one to keep: what is not known is kept.
#[inline(always)]
pub fn keeps_result(flags: u32, result: i32) -> bool {
    let kept = config!(results);
    if kept == 3 || flags & Flags::RESULT_KNOWN == 0 {
        return true;
    }
    kept & if result == 0 { 1 } else { 2 } != 0
}

/// Whether the current task is one to keep.
#[inline(always)]
pub fn keeps_task(pid: u32, tid: u32) -> bool {
    if !keeps_process(pid) {
        return false;
    }
    if config!(pids) != 0 && !crate::life::is_followed(pid) {
        return false;
    }
    // SAFETY: the value is not used, and no entry is deleted while the program runs.
    if config!(tids) != 0 && unsafe { maps::TIDS.get(&tid) }.is_none() {
        return false;
    }
    if config!(users) != 0 {
        let user = task::user(task::current());
        // SAFETY: as above.
        if unsafe { maps::USERS.get(&user) }.is_none() {
            return false;
        }
    }
    keeps_cgroup() && keeps_comm() && keeps_namespaces()
}

/// Whether the task's cgroup, or one above it, is one to keep.
#[inline(always)]
fn keeps_cgroup() -> bool {
    let cgroups = config!(cgroups);
    if cgroups == 0 {
        return true;
    }
    for index in 0..MAX_CGROUPS as u32 {
        if index >= cgroups {
            break;
        }
        if maps::CGROUPS.current_task_under_cgroup(index) == Ok(true) {
            return true;
        }
    }
    false
}

/// Whether the task's name matches one of the patterns.
#[inline(always)]
fn keeps_comm() -> bool {
    let patterns = u32::from(config!(comms));
    if patterns == 0 {
        return true;
    }
    let comm = comm_of(task::current());
    for index in 0..MAX_COMM_PATTERNS as u32 {
        if index >= patterns {
            break;
        }
        let Some(pattern) = maps::COMMS.get_ptr(index) else {
            return false;
        };
        // SAFETY: the entry lives as long as the map; user space writes it before the hook is
        // attached.
        let pattern = unsafe { &*pattern };
        let mut states = pattern.start;
        for &character in &comm {
            if character == 0 {
                break;
            }
            // SAFETY: the table has an entry for every byte.
            let enter = unsafe { *pattern.enter.as_ptr().add(usize::from(character)) };
            states = ((states << 1) & enter) | (states & pattern.stay);
        }
        if states & pattern.accept != 0 {
            return true;
        }
    }
    false
}

/// Whether the task's namespaces are ones to keep. A namespace that cannot be told is not kept:
/// the user asked for one.
#[inline(always)]
fn keeps_namespaces() -> bool {
    macro_rules! keeps {
        ($field:ident, $inode:path) => {
            if config!(namespaces.$field) != 0 {
                let Some(inode) = $inode(task::current()) else {
                    return false;
                };
                // SAFETY: the value is not used, and no entry is deleted while the program runs.
                if unsafe { maps::NAMESPACES.get(&inode) }.is_none() {
                    return false;
                }
            }
        };
    }
    keeps!(user, task::user_namespace);
    keeps!(mount, task::mount_namespace);
    keeps!(pid, task::pid_namespace);
    true
}

/// The name of the current task.
#[inline(always)]
pub fn comm_of(task: u64) -> [u8; COMM_LENGTH] {
    // SAFETY: both are sixteen bytes, of which every pattern is a value.
    unsafe { core::mem::transmute(task::comm(task)) }
}

/// The current task's cgroup in the version 2 hierarchy.
#[inline(always)]
pub fn current_cgroup() -> u64 {
    // SAFETY: the helper takes nothing.
    unsafe { bpf_get_current_cgroup_id() }
}
