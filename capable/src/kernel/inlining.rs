//! Which checks the compiler hid: `cap_capable` inlined into a caller never reaches a hook.
//!
//! It differs per build of the kernel, so the tracer makes such a check itself and sees whether it
//! arrives.

use std::ptr;

use aya::maps::{Array, MapData, MapError};
use capable_common::OwnCheck;

use super::{object::Object, tracer::TracerError};

/// `CAP_SYS_ADMIN` (include/uapi/linux/capability.h).
const SYS_ADMIN: u32 = 21;

/// How many mappings are made: other checks of the tracer's own cannot be mistaken for so many.
const MAPPINGS: u64 = 32;

/// What the kernel side learned of the tracer's own checks.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Own(OwnCheck);

// SAFETY: two integers without padding.
unsafe impl aya::Pod for Own {}

/// Whether `cap_capable` is inlined into `cap_vm_enough_memory`: every private writable mapping
/// asks it (mm/mmap.c, `__mmap_region`), and none of them reached the hook.
///
/// # Errors
///
/// The table of own checks cannot be read.
pub fn overcommit_is_inlined(object: &mut Object) -> Result<bool, TracerError> {
    let own: Array<&mut MapData, Own> = object.map("OWN_CHECKS")?;
    let seen = || -> Result<u64, MapError> { Ok(own.get(&SYS_ADMIN, 0)?.0.checks) };
    let unreadable = |error| TracerError::Map("OWN_CHECKS", error);
    let before = seen().map_err(unreadable)?;
    for _ in 0..MAPPINGS {
        // SAFETY: an anonymous mapping at an address of the kernel's choice, taken away at once.
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
    Ok(seen().map_err(unreadable)? - before < MAPPINGS)
}
