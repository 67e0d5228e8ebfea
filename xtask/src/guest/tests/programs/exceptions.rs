//! Everything to which the table does not apply, each with the reason: the only place for
//! exceptions.

use crate::guest::capabilities::{AUDIT_WRITE, Capability, DAC_READ_SEARCH};

/// A capability that the rules say a program needs, although it works without it in every test.
#[derive(Debug)]
pub struct Survives {
    /// The program, by the name of its test.
    pub program: &'static str,
    /// The capability.
    pub capability: Capability,
    /// Why it is needed anyway.
    pub reason: &'static str,
}

/// All such exceptions; that each program works without its capability is tested.
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

/// What happens to a program that cannot write to the audit log.
const UNSAID: &str = "without it no audit record is written (kernel/audit.c, audit_netlink_ok), and the program does not say so";

/// The reason why a program works without a capability that it needs, if it does.
pub fn survives(program: &str, capability: Capability) -> Option<&'static str> {
    SURVIVES
        .iter()
        .find(|entry| entry.program == program && entry.capability == capability)
        .map(|entry| entry.reason)
}
