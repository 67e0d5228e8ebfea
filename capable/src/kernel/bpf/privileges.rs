//! Giving up privileges once the hooks are attached. Descriptors that are open do the rest.

use std::io;

use rustix::{
    process::{DumpableBehavior, set_dumpable_behavior},
    thread::{self, CapabilitySet as Raw, CapabilitySets, capabilities, set_capabilities},
};

use crate::capability::{Capability, CapabilitySet};

/// The first of the user ids that nobody uses: no distribution and no container engine hands out
/// those from 2^31 on, because some programs take them for negative numbers (systemd's
/// UIDS-GIDS.md). The number of the process is added, so that two tracers cannot reach each other.
const UNUSED: u32 = 0xC0DE_0000;

/// The user id that nobody uses, for a process of this number.
pub(crate) fn unused_id(pid: u32) -> u32 {
    UNUSED + pid
}

/// Whether the process keeps its user and its groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptIds {
    /// It keeps them.
    Kept,
    /// It becomes a user whom nobody else is, in a group of its own, if it may: that takes
    /// CAP_SETUID and CAP_SETGID.
    Unused,
}

/// Makes capabilities ineffective, except for these, so that it can be tried what works without
/// them.
///
/// # Errors
///
/// The kernel refuses. It never does when capabilities are only taken away.
pub fn rest(but: CapabilitySet) -> io::Result<()> {
    let mut sets = capabilities(None)?;
    sets.effective &= raw(but);
    Ok(set_capabilities(None, sets)?)
}

/// What lets this process use its own maps where the kernel asks for it: CAP_BPF, or CAP_SYS_ADMIN
/// if it has only that.
///
/// # Errors
///
/// The kernel does not tell what it holds.
pub fn for_maps() -> io::Result<CapabilitySet> {
    let held = CapabilitySet::from_bits(capabilities(None)?.permitted.bits());
    Ok(if held.contains(Capability::BPF) {
        Capability::BPF.into()
    } else {
        Capability::SYS_ADMIN.into()
    })
}

/// Gives up, for good, every capability in every set of this thread except these, which stay
/// permitted and effective, and perhaps the user. Nothing that is executed from now on gains any
/// privileges, and no other process of the same user may trace this one.
///
/// # Errors
///
/// The kernel refuses. It never does when capabilities are only given up.
pub fn give_up(keep: CapabilitySet, ids: KeptIds) -> io::Result<()> {
    // Those that are permitted can be used to give up the others.
    let before = capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: before.permitted,
            ..before
        },
    )?;
    let held = CapabilitySet::from_bits(before.permitted.bits());
    if held.contains(Capability::SETPCAP) {
        for number in 0..64 {
            // The kernel has fewer than 64.
            let _ = thread::remove_capability_from_bounding_set(Raw::from_bits_retain(1 << number));
        }
    }
    let may = held.contains(Capability::SETUID) && held.contains(Capability::SETGID);
    if ids == KeptIds::Unused && may {
        let unused = unused_id(std::process::id());
        // Otherwise the permitted set would be cleared (`cap_emulate_setxuid`,
        // security/commoncap.c).
        thread::set_keep_capabilities(true)?;
        become_user(unused)?;
        thread::set_keep_capabilities(false)?;
    }
    let kept = raw(keep) & before.permitted;
    // Takes what is no longer inheritable out of the ambient set, too.
    set_capabilities(
        None,
        CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: Raw::empty(),
        },
    )?;
    thread::set_no_new_privs(true)?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Closes all descriptors of a forked process except these.
///
/// # Safety
///
/// Nothing of the process uses another one.
pub unsafe fn close_all_but(kept: &[libc::c_int]) {
    let last = kept.iter().copied().max().unwrap_or(-1);
    for descriptor in (0..last).filter(|number| !kept.contains(number)) {
        // SAFETY: the caller vouches for it.
        unsafe { libc::close(descriptor) };
    }
    let next = (last + 1) as libc::c_uint;
    // SAFETY: as above. Before 5.9 the rest is closed by the end of the process only.
    unsafe { libc::syscall(libc::SYS_close_range, next, libc::c_uint::MAX, 0) };
}

/// Changes the user and the group of all threads to this number, without other groups.
fn become_user(number: u32) -> io::Result<()> {
    let check = |result: libc::c_int| match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    // SAFETY: the list is empty.
    check(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: the call takes numbers only.
    check(unsafe { libc::setresgid(number, number, number) })?;
    // SAFETY: as above.
    check(unsafe { libc::setresuid(number, number, number) })
}

fn raw(set: CapabilitySet) -> Raw {
    Raw::from_bits_retain(set.bits())
}
