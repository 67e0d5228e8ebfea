//! What the fourth argument of `cap_capable` means where BTF does not tell: learned from a check of
//! the tracer's own that is known to be audited.

use std::ptr;

use capable_common::AuditArgument;

use super::{features::Features, inlining::own_check};
use crate::kernel::{
    plan::{self, Hook, plan},
    trace::tracer::{Probe, TracerError},
};

/// `CAP_SYS_MODULE` (include/uapi/linux/capability.h).
const SYS_MODULE: u32 = 16;

/// Makes the check and sees what was passed. Unknown where no kprobe can be attached.
pub fn audit_argument(features: &Features) -> AuditArgument {
    learn(features).unwrap_or_else(|error| {
        log::debug!("cannot learn what the audit argument means: {error}");
        AuditArgument::Unknown
    })
}

fn learn(features: &Features) -> Result<AuditArgument, TracerError> {
    let request = plan::Request {
        hook: Some(Hook::KprobePair),
        transport: None,
    };
    let Ok(plan) = plan(features, &request) else {
        return Ok(AuditArgument::Unknown);
    };
    let mut probe = Probe::start(&plan)?;
    let before = own_check(&mut probe.object, SYS_MODULE)?.checks;
    ask_for_modules();
    let after = own_check(&mut probe.object, SYS_MODULE)?;
    Ok(match (after.checks > before, after.options) {
        // SECURITY_CAP_AUDIT was 1 up to 5.0, CAP_OPT_NONE is 0 since 5.1 (include/linux/security.h).
        (true, 1) => AuditArgument::Audit,
        (true, 0) => AuditArgument::Options,
        _ => AuditArgument::Unknown,
    })
}

/// Asks to remove a module without a name: `CAP_SYS_MODULE` is asked with audit, and then the name
/// cannot be read (kernel/module/main.c, `delete_module`).
fn ask_for_modules() {
    // SAFETY: the kernel checks the address itself, and answers EFAULT.
    unsafe {
        libc::syscall(libc::SYS_delete_module, ptr::null::<libc::c_char>(), 0);
    }
}
