//! Finds the checks that the compiler hid: if `cap_capable` is inlined into a caller, the hook
//! never sees that call.
//!
//! Which of the [`Caller`]s it is inlined into depends on the build of the kernel, so the tracer
//! causes such checks itself and looks whether they arrive.

use std::{fs, ptr};

use aya::maps::{Array, MapData, MapError};
use capable_common::{Config, OwnCheck};
use thiserror::Error;

use crate::kernel::{
    bpf::object::{Object, ObjectError},
    hook::Caller,
};

/// `CAP_SETPCAP`, `CAP_SYS_RAWIO` and `CAP_SYS_ADMIN` (include/uapi/linux/capability.h).
const SETPCAP: u32 = 8;
const SYS_RAWIO: u32 = 17;
const SYS_ADMIN: u32 = 21;

/// How many checks of a kind are made: enough that the tracer's other checks cannot be mistaken for
/// them.
const CHECKS: u64 = 32;

/// The results of the tracer's own checks could not be read.
#[derive(Debug, Error)]
pub enum InliningError {
    /// The object has no such map.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The table of own checks could not be read.
    #[error("cannot use the map OWN_CHECKS: {0}")]
    OwnChecks(MapError),
}

impl Caller {
    /// The number of the capability that it asks for.
    const fn capability(self) -> u32 {
        match self {
            Self::Overcommit => SYS_ADMIN,
            Self::Capset | Self::Prctl => SETPCAP,
            Self::LowMapping => SYS_RAWIO,
        }
    }

    /// Whether a denial would be logged.
    const fn is_audited(self) -> bool {
        !matches!(self, Self::Overcommit)
    }

    /// Whether a trace with this configuration would show its checks if any were made.
    pub fn is_asked_for(self, config: &Config) -> bool {
        let kept = config.capabilities >> self.capability() & 1 != 0;
        let shown = self.is_audited() || config.audited_only == 0;
        let made = self != Self::LowMapping || config.lowest_mapping != 0;
        kept && shown && made
    }

    /// Whether its checks do not reach the hook.
    ///
    /// # Errors
    ///
    /// The table of own checks cannot be read.
    pub fn is_inlined(self, object: &mut Object) -> Result<bool, InliningError> {
        let check = match self {
            Self::Overcommit => map_a_page,
            Self::Capset => set_own_capabilities,
            Self::Prctl => set_own_securebits,
            Self::LowMapping => map_address_zero,
        };
        is_hidden(object, self.capability(), check)
    }
}

/// The lowest address that everybody may currently map; 0 if there is no limit.
pub fn lowest_mapping() -> u64 {
    let setting = fs::read_to_string("/proc/sys/vm/mmap_min_addr").unwrap_or_default();
    setting.trim().parse().unwrap_or(0)
}

/// What the kernel side learned of the tracer's own checks.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Own(OwnCheck);

// SAFETY: two integers without padding.
unsafe impl aya::Pod for Own {}

/// What the kernel side learned so far of the tracer's own checks for a capability.
///
/// # Errors
///
/// The table of own checks cannot be read.
pub fn own_check(object: &mut Object, capability: u32) -> Result<OwnCheck, InliningError> {
    let own: Array<&mut MapData, Own> = object.map("OWN_CHECKS")?;
    let Own(check) = own.get(&capability, 0).map_err(InliningError::OwnChecks)?;
    Ok(check)
}

/// Makes checks for a capability and returns whether they failed to arrive. A few can be missing if
/// the kernel may skip the hook.
fn is_hidden(object: &mut Object, capability: u32, check: fn()) -> Result<bool, InliningError> {
    let before = own_check(object, capability)?.checks;
    (0..CHECKS).for_each(|_| check());
    Ok(own_check(object, capability)?.checks - before < CHECKS / 2)
}

fn map_a_page() {
    // SAFETY: an anonymous mapping at an address that the kernel chooses, unmapped at once.
    unsafe {
        let page = libc::mmap(
            ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if page != libc::MAP_FAILED {
            libc::munmap(page, 4096);
        }
    }
}

/// Asks for a mapping at address 0 without any access, and unmaps it if the kernel grants it.
fn map_address_zero() {
    // SAFETY: no reference points to the first page, and what is mapped there already is kept.
    unsafe {
        let page = libc::mmap(
            ptr::null_mut(),
            4096,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE,
            -1,
            0,
        );
        if page != libc::MAP_FAILED {
            libc::munmap(page, 4096);
        }
    }
}

/// Sets the thread's capability sets to what they are. Even if that is refused, the check was made.
fn set_own_capabilities() {
    // _LINUX_CAPABILITY_VERSION_3 and the calling thread (include/uapi/linux/capability.h)
    let mut header = [0x2008_0522_u32, 0];
    let mut sets = [0_u32; 6];
    // SAFETY: the header and the sets have the sizes that this version says.
    unsafe {
        if libc::syscall(libc::SYS_capget, &raw mut header, &raw mut sets) == 0 {
            libc::syscall(libc::SYS_capset, &raw mut header, &raw const sets);
        }
    }
}

/// Sets the thread's securebits to what they are. Even if that is refused, the check was made.
fn set_own_securebits() {
    // SAFETY: both take and give numbers.
    unsafe {
        let bits = libc::prctl(libc::PR_GET_SECUREBITS);
        libc::prctl(libc::PR_SET_SECUREBITS, bits, 0, 0, 0);
    }
}
