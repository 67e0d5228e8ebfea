//! The names of a file and of the directories around it.

use aya_ebpf::helpers::generated;
use capable_common::{MAX_NAMES, NAME_LENGTH, NAMES_LENGTH};

use crate::{config, maps, memory::read};

/// Where a walk from a file up to the root is. In a map, because the verifier would follow each value
/// that it had in the loop apart.
#[repr(C)]
pub struct Walk {
    /// The address of the `struct vfsmount`.
    mount: u64,
    /// The address of the `struct dentry`.
    entry: u64,
    /// How many bytes of names were written.
    length: u64,
}

/// Writes the names, each closed by NUL, the file's own first, and returns how many bytes they have
/// and whether they go up to the root of all mounts.
///
/// As `prepend_path` (fs/d_path.c) goes, but without its locks: a file that is renamed meanwhile may
/// get a path that never was.
///
/// # Safety
///
/// There must be room for `NAMES_LENGTH + NAME_LENGTH` bytes.
#[inline(always)]
pub unsafe fn write(mount: u64, entry: u64, to: *mut u8) -> (u16, bool) {
    let Some(walk) = maps::WALK.get_ptr_mut(0) else {
        return (0, false);
    };
    // SAFETY: the entry lives as long as the map, and no other program uses it: the tracepoint runs
    // with preemption disabled. Volatile, so that the values are not kept in registers.
    unsafe {
        (&raw mut (*walk).mount).write_volatile(mount);
        (&raw mut (*walk).entry).write_volatile(entry);
        (&raw mut (*walk).length).write_volatile(0);
    }
    let mut complete = false;
    for _ in 0..MAX_NAMES {
        // SAFETY: as above, and the caller vouches for the room.
        match unsafe { step(walk, to) } {
            Step::On => {}
            Step::Root => {
                complete = true;
                break;
            }
            Step::Lost => break,
        }
    }
    // SAFETY: as above.
    let length = unsafe { (&raw const (*walk).length).read_volatile() };
    (length as u16, complete)
}

enum Step {
    /// There are more.
    On,
    /// That was the root.
    Root,
    /// It cannot be followed further.
    Lost,
}

/// Writes one name, or passes from a mount to where it is mounted.
///
/// # Safety
///
/// As for [`write`].
#[inline(always)]
unsafe fn step(walk: *mut Walk, to: *mut u8) -> Step {
    // SAFETY: the caller has the entry of the map.
    let (mount, entry) = unsafe {
        (
            (&raw const (*walk).mount).read_volatile(),
            (&raw const (*walk).entry).read_volatile(),
        )
    };
    let (Some(root), Some(parent)) = (
        read::<u64>(mount, config!(offsets.mount_root)),
        read::<u64>(entry, config!(offsets.entry_parent)),
    ) else {
        return Step::Lost;
    };
    if entry == root {
        // `real_mount` (fs/mount.h)
        let outer = mount.wrapping_sub(u64::from(config!(offsets.mount_inside)));
        let (Some(above), Some(point)) = (
            read::<u64>(outer, config!(offsets.mount_parent)),
            read::<u64>(outer, config!(offsets.mount_point)),
        ) else {
            return Step::Lost;
        };
        if above == outer {
            return Step::Root;
        }
        let above = above.wrapping_add(u64::from(config!(offsets.mount_inside)));
        // SAFETY: as above.
        unsafe {
            (&raw mut (*walk).mount).write_volatile(above);
            (&raw mut (*walk).entry).write_volatile(point);
        }
        return Step::On;
    }
    if entry == parent {
        // The root of a file system that is not mounted, or no longer.
        return Step::Lost;
    }
    let Some(name) = read::<u64>(entry, config!(offsets.entry_name)) else {
        return Step::Lost;
    };
    // SAFETY: as above; the bound leaves room for a whole name.
    unsafe {
        let length = (&raw const (*walk).length).read_volatile();
        if length > NAMES_LENGTH as u64 {
            return Step::Lost;
        }
        let bytes = generated::bpf_probe_read_kernel_str(
            to.add(length as usize).cast(),
            NAME_LENGTH as u32,
            name as *const _,
        );
        if bytes <= 0 {
            return Step::Lost;
        }
        (&raw mut (*walk).length).write_volatile(length + bytes as u64);
        (&raw mut (*walk).entry).write_volatile(parent);
    }
    Step::On
}
