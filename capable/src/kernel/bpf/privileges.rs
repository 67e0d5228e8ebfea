//! Giving up privileges once the hooks are attached.

use rustix::thread::{CapabilitySet as Raw, capabilities, set_capabilities};

use crate::capability::{Capability, CapabilitySet};

/// Gives up every capability except those to keep and the one that lets this process use its own
/// maps: CAP_BPF, or CAP_SYS_ADMIN if it has only that. Kernels that refuse bpf(2) to unprivileged
/// users refuse it even for maps that are already open (kernel/bpf/syscall.c, `__sys_bpf`).
///
/// # Errors
///
/// The kernel refuses. It never does when capabilities are only given up.
pub fn give_up(keep: CapabilitySet) -> std::io::Result<()> {
    let mut sets = capabilities(None)?;
    let held = CapabilitySet::from_bits(sets.effective.bits());
    let own_maps = if held.contains(Capability::BPF) {
        Capability::BPF
    } else {
        Capability::SYS_ADMIN
    };
    let kept = Raw::from_bits_retain(keep.union(own_maps.into()).bits());
    sets.effective &= kept;
    sets.permitted &= kept;
    sets.inheritable &= kept;
    set_capabilities(None, sets)?;
    Ok(())
}
