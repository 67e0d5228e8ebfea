//! Where the table does not hold, each with the reason: the only place for exceptions.

use crate::guest::capabilities::{AUDIT_WRITE, Capability, DAC_READ_SEARCH};

/// A capability that a program needs by the rules, and works without as far as can be tried.
#[derive(Debug)]
pub struct Survives {
    /// The program, by the name of its test.
    pub program: &'static str,
    /// The capability.
    pub capability: Capability,
    /// Why it is needed all the same.
    pub reason: &'static str,
}

/// All of these; that each works without is tested.
pub const SURVIVES: &[Survives] = &[
    Survives {
        program: "chronyd",
        capability: DAC_READ_SEARCH,
        reason: "the kernel takes CAP_DAC_OVERRIDE in its place (fs/namei.c, generic_permission), which is needed too",
    },
    Survives {
        program: "hwclock",
        capability: AUDIT_WRITE,
        reason: UNSAID,
    },
    Survives {
        program: "su",
        capability: AUDIT_WRITE,
        reason: UNSAID,
    },
    Survives {
        program: "useradd",
        capability: AUDIT_WRITE,
        reason: UNSAID,
    },
];

/// What a program does that cannot write to the audit log.
const UNSAID: &str = "without it no audit record is written (kernel/audit.c, audit_netlink_ok), and the program does not say so";

/// Why a program works without a capability that it needs, if it does.
pub fn survives(program: &str, capability: Capability) -> Option<&'static str> {
    SURVIVES
        .iter()
        .find(|entry| entry.program == program && entry.capability == capability)
        .map(|entry| entry.reason)
}
