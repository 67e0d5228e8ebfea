//! Which wider capability the kernel takes in place of a narrower one.

use super::Capability;

impl Capability {
    /// The wider capability that the kernel accepts where it asks for this one first.
    ///
    /// With the narrow one held the wide one is never asked; without it both checks appear. So a
    /// profile names the narrow one, and this as what would do too.
    ///
    /// Only chains in one function of the kernel count: `perfmon_capable`, `bpf_capable` and
    /// `checkpoint_restore_ns_capable` (include/linux/capability.h), `generic_permission`
    /// (fs/namei.c), Linux 6.12.
    pub fn wider(self) -> Option<Self> {
        match self {
            Self::PERFMON | Self::BPF | Self::CHECKPOINT_RESTORE => Some(Self::SYS_ADMIN),
            Self::DAC_READ_SEARCH => Some(Self::DAC_OVERRIDE),
            _ => None,
        }
    }
}
