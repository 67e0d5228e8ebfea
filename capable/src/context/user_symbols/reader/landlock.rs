//! Forbids every file, with Landlock where the kernel has it (5.13 and later, landlock(7)).

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

/// The attributes of a rule set (include/uapi/linux/landlock.h).
#[repr(C)]
struct Attributes {
    files: u64,
    network: u64,
    scoped: u64,
}

/// `LANDLOCK_CREATE_RULESET_VERSION`.
const ASK_VERSION: libc::c_uint = 1;

/// Denies what Landlock of this kernel can deny, without an exception.
///
/// # Errors
///
/// The kernel has Landlock, but refuses.
pub(super) fn forbid_files() -> io::Result<()> {
    let nothing: *const Attributes = std::ptr::null();
    // SAFETY: without attributes, the call only tells the version.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0, ASK_VERSION) };
    if version < 1 {
        // Not built in, or not enabled.
        return Ok(());
    }
    let attributes = attributes(version);
    let size = match version {
        ..4 => 8,
        4 | 5 => 16,
        _ => size_of::<Attributes>(),
    };
    // SAFETY: the structure outlives the call and is at least as long as is said.
    let rules = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const attributes,
            size,
            0,
        )
    };
    if rules < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave this descriptor to us.
    let rules = unsafe { OwnedFd::from_raw_fd(rules as libc::c_int) };
    // SAFETY: the call takes numbers only.
    let restricted =
        unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) };
    if restricted < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// All that a version knows.
fn attributes(version: libc::c_long) -> Attributes {
    // 13 rights at first, then REFER, TRUNCATE and IOCTL_DEV.
    let rights = match version {
        ..2 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    Attributes {
        files: (1 << rights) - 1,
        // Binding to and connecting with TCP ports.
        network: if version >= 4 { 3 } else { 0 },
        // Abstract sockets, and signals to others.
        scoped: if version >= 6 { 3 } else { 0 },
    }
}
