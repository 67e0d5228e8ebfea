//! Whether a denial of the check would be logged, and whether it was made by set*id: from the
//! fourth argument, or from who called `cap_capable`.

use aya_ebpf::{EbpfContext, helpers::generated};
use capable_common::{AuditArgument, Flags};

use crate::{config, memory::opaque};

/// `CAP_OPT_NOAUDIT` and `CAP_OPT_INSETID` (include/linux/security.h, 5.1 and later).
pub const NOAUDIT: u32 = 1 << 1;
const INSETID: u32 = 1 << 2;

/// How many frames to look at to infer the audit flag: the tracer's own, `cap_capable`,
/// `security_capable` and those that pass the option on.
const CALL_PATH: usize = 12;

/// How many frames after `cap_capable` can belong to a function that passes a fixed option:
/// `security_capable`, the function itself, and a part that the compiler split from it.
const HELPERS: usize = 4;

/// The audit flag and INSETID, from the fourth argument.
#[inline(always)]
pub fn from_argument(options: u32) -> u32 {
    let how = config!(audit);
    if how == AuditArgument::Options as u8 {
        // Without branches: the verifier would follow each through the rest of the program.
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
pub fn from_call_path<C: EbpfContext>(context: &C) -> u32 {
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

/// Applies what one frame of the call path tells.
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

/// Whether to keep a check with this audit flag. If the flag is not known, it is kept, until all
/// other filters kept it too: see [`is_undecided`].
#[inline(always)]
pub fn keeps(flags: u32) -> bool {
    config!(audited_only) == 0
        || flags & (Flags::AUDIT_KNOWN | Flags::AUDITED) != Flags::AUDIT_KNOWN
}

/// Whether to keep a check with these flags and this fourth argument, as far as that is known
/// without looking at the call path.
#[inline(always)]
pub fn keeps_options(flags: u32, options: u32) -> bool {
    keeps(flags | from_argument(options))
}

/// Whether audited checks are asked for, and it is not known whether this is one. An argument whose
/// meaning is known always tells: then this costs nothing.
#[inline(always)]
pub fn is_undecided(flags: u32) -> bool {
    let how = config!(audit);
    let always_told = how == AuditArgument::Options as u8 || how == AuditArgument::Audit as u8;
    config!(audited_only) != 0 && !always_told && flags & Flags::AUDIT_KNOWN == 0
}
