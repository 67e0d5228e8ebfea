//! Finds out what the fourth argument of `cap_capable` means if BTF does not tell, from a check of
//! the tracer's own that is known to be audited. For this a probe is attached for a moment.

use std::ptr;

use capable_common::AuditArgument;

use super::{
    attach::Attached,
    configure::{configure, table_sizes},
    error::TracerError,
    settings::Settings,
};
use crate::kernel::{
    bpf::object::Object,
    hook::Hook,
    plan::{Choice, Plan, plan},
    probe::{features::Features, inlining::own_check},
};

/// `CAP_SYS_MODULE` (include/uapi/linux/capability.h).
const SYS_MODULE: u32 = 16;

/// Probes the running kernel; if BTF does not tell what the argument means, makes a check to find
/// out.
pub fn probe() -> Features {
    let mut features = Features::probe();
    if features.layout.audit == AuditArgument::Unknown {
        features.layout.audit = audit_argument(&features);
    }
    features
}

/// Makes the check and looks at what was passed. Unknown if no kprobe can be attached.
fn audit_argument(features: &Features) -> AuditArgument {
    learn(features).unwrap_or_else(|error| {
        log::debug!("cannot find out what the audit argument means: {error}");
        AuditArgument::Unknown
    })
}

fn learn(features: &Features) -> Result<AuditArgument, TracerError> {
    let choice = Choice {
        hook: Some(Hook::KprobePair),
        transport: None,
    };
    let Ok(plan) = plan(features, &choice) else {
        return Ok(AuditArgument::Unknown);
    };
    let mut probe = Probe::start(&plan)?;
    let before = own_check(&mut probe.object, SYS_MODULE)?.checks;
    ask_for_modules();
    let after = own_check(&mut probe.object, SYS_MODULE)?;
    Ok(match (after.checks > before, after.options) {
        // SECURITY_CAP_AUDIT was 1 up to 5.0; CAP_OPT_NONE is 0 from 5.1 on
        // (include/linux/security.h).
        (true, 1) => AuditArgument::Audit,
        (true, 0) => AuditArgument::Options,
        _ => AuditArgument::Unknown,
    })
}

/// Asks to remove a module with an unreadable name: `CAP_SYS_MODULE` is checked with audit before
/// the kernel fails to read the name (kernel/module/main.c, `delete_module`).
fn ask_for_modules() {
    // SAFETY: the kernel checks the address itself, and answers EFAULT.
    unsafe {
        libc::syscall(libc::SYS_delete_module, ptr::null::<libc::c_char>(), 0);
    }
}

/// A hook on the entry of `cap_capable` that only sees the tracer's own checks; nothing is sent.
struct Probe {
    /// The object, for the table of own checks.
    object: Object,
    /// Dropping it detaches the hook.
    _attached: Attached,
}

impl Probe {
    /// Loads and attaches the first half of the pair of probes.
    fn start(plan: &Plan) -> Result<Self, TracerError> {
        let settings = Settings::of(plan);
        // In a pid namespace this number belongs to another process: then the check is not seen,
        // and the meaning of the argument stays unknown.
        let config = configure(&settings, std::process::id(), &mut Vec::new())?;
        let sizes = table_sizes(&settings, &config);
        let mut object = Object::open(settings.transport, &config, &sizes, settings.log_level)?;
        let mut attached = Attached::default();
        attached.entry_of_pair(&mut object)?;
        Ok(Self {
            object,
            _attached: attached,
        })
    }
}
