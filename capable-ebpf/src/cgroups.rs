//! Following cgroups by name: the ids of those that are made while the trace runs.
//!
//! The tracepoint comes before anybody can enter the new cgroup (kernel/cgroup/cgroup.c,
//! `cgroup_mkdir` activates it afterwards, 5.10 to 7.3), so not even the first check in it is
//! missed. User space puts those that exist into the table, once this program is attached.

use core::{arch::asm, mem::offset_of};

use aya_ebpf::{helpers::generated, programs::RawTracePointContext};
use capable_common::{
    CgroupPattern, CgroupPlace, MAX_CGROUP_DEPTH, MAX_CGROUP_NAME, MAX_CGROUP_PATTERNS, NAME_WORDS,
};

use crate::{
    config, maps,
    memory::{read, read_at},
    transport::Transport,
};

/// A cgroup's name and path, with room to read from anywhere in them.
#[repr(C)]
pub struct Name {
    /// Zeros: the last eight characters of a shorter name begin here.
    before: u64,
    /// The name and its end; what comes after that is never looked at.
    text: [u64; NAME_WORDS],
    /// A comparison that begins late in the name reads up to here.
    after: [u64; NAME_WORDS],
    /// The path and its end.
    path: [u64; NAME_WORDS],
    /// What the verifier believes that a comparison may read.
    rest: [u64; 2 * NAME_WORDS],
    /// How many of the cgroups around are no slices: 2 stands for more too. Here and not in a
    /// register, because the verifier would look at every level again for each value.
    no_slices: u32,
    /// 1: the outermost of these is the manager of a user.
    in_manager: u32,
}

/// Whether the cgroup with this id is followed.
#[inline(always)]
pub fn is_followed(id: u64) -> bool {
    // SAFETY: the value is not used.
    unsafe { maps::CGROUP_IDS.get(&id) }.is_some()
}

/// A cgroup was made: it is followed if its name is, or if the one around it is followed.
///
/// The raw tracepoint `cgroup_mkdir(struct cgroup *cgrp, const char *path)`
/// (include/trace/events/cgroup.h).
#[inline(always)]
pub fn made<T: Transport>(context: &RawTracePointContext) {
    let cgroup: u64 = context.arg(0);
    if !is_version_2(cgroup) {
        return;
    }
    let (Some(id), Some(around)) = (id(cgroup), parent(cgroup)) else {
        return;
    };
    let below = self::id(around).is_some_and(is_followed);
    let named = maps::CGROUP_NAME
        .get_ptr_mut(0)
        .is_some_and(|name| is_named(cgroup, around, context.arg(1), name));
    if (below || named) && maps::CGROUP_IDS.insert(&id, &1, 0).is_err() {
        maps::count_one(|counters| &mut counters.lost_cgroups);
        T::log_full(context, "cgroups");
    }
}

/// A cgroup was removed. Its id is never used again.
///
/// The raw tracepoint `cgroup_rmdir`, with the same arguments.
#[inline(always)]
pub fn removed(context: &RawTracePointContext) {
    let cgroup: u64 = context.arg(0);
    if is_version_2(cgroup)
        && let Some(id) = id(cgroup)
    {
        // Most are not in the table.
        let _ = maps::CGROUP_IDS.remove(&id);
    }
}

/// Whether a cgroup is in the version 2 hierarchy, whose number is 0 (cgroups(7),
/// `/proc/PID/cgroup`). The ids of the others are numbered apart.
#[inline(always)]
fn is_version_2(cgroup: u64) -> bool {
    let root = read::<u64>(cgroup, config!(offsets.cgroup_root));
    root.and_then(|root| read::<u32>(root, config!(offsets.cgroup_root_hierarchy))) == Some(0)
}

/// What `bpf_get_current_cgroup_id` returns in it.
#[inline(always)]
fn id(cgroup: u64) -> Option<u64> {
    let node = read::<u64>(cgroup, config!(offsets.cgroup_node))?;
    read(node, config!(offsets.node_id))
}

/// The cgroup around another; `None` for the root.
#[inline(always)]
fn parent(cgroup: u64) -> Option<u64> {
    let state = read::<u64>(cgroup, config!(offsets.cgroup_parent)).filter(|&state| state != 0)?;
    Some(state.wrapping_sub(u64::from(config!(offsets.cgroup_self))))
}

/// Whether a cgroup is one of those to follow, which it is counted for. The tracepoint tells its
/// path from the root of the hierarchy, cut off at 1024 bytes (`TRACE_CGROUP_PATH`,
/// kernel/cgroup/cgroup-internal.h, 5.10 to 7.3).
#[inline(always)]
fn is_named(cgroup: u64, around: u64, path: u64, name: *mut Name) -> bool {
    let Some(place) = place(around, name) else {
        return false;
    };
    // SAFETY: the entry lives as long as the map.
    let path = read_text(path, unsafe { (&raw mut (*name).path).cast() });
    let (Some(length), Some(path_length)) = (read_name(cgroup, name), path) else {
        return false;
    };
    let mut named = false;
    for index in 0..MAX_CGROUP_PATTERNS as u32 {
        if index >= config!(cgroup_patterns) {
            break;
        }
        let Some(pattern) = maps::CGROUP_PATTERNS.get_ptr_mut(index) else {
            break;
        };
        if matches(pattern, name, length, path_length, place) {
            named = true;
            // SAFETY: the entry lives as long as the map; others only add to the counter.
            maps::add(unsafe { &mut (*pattern).made });
        }
    }
    named
}

/// Whether a name and a path of these lengths, in this place, are what the pattern stands for.
///
/// Without branches: the verifier would follow each of them for each pattern.
#[inline(always)]
fn matches(
    pattern: *const CgroupPattern,
    name: *const Name,
    length: u64,
    path_length: u64,
    place: u32,
) -> bool {
    const AT_PATH: u32 = CgroupPlace::AT_PATH.bits();
    // SAFETY: the entry lives as long as the map, and user space writes these fields before the
    // program is attached.
    let (before_end, shortest, longest, places) = unsafe {
        (
            u64::from((*pattern).before_end),
            u64::from((*pattern).shortest),
            u64::from((*pattern).longest),
            (*pattern).places.bits(),
        )
    };
    let by_path = u64::from((places / AT_PATH) & 1);
    let length = length ^ (length ^ path_length) & by_path.wrapping_neg();
    let text = by_path * (offset_of!(Name, path) - offset_of!(Name, text)) as u64;
    let from_end = length.wrapping_sub(before_end);
    let start = text + (from_end & is_zero(before_end).wrapping_sub(1));
    // Lengths are far below 2^63: the highest bit is set if more was taken away than there was.
    let lengths = length.wrapping_sub(shortest) | longest.wrapping_sub(length) | from_end;
    let mut differs = is_zero(u64::from(places & (place | AT_PATH))) | lengths >> 63;
    // SAFETY: as above; the start is at most the length of a name, and the name has room for
    // another one after that.
    differs |= unsafe {
        let before = (&raw const (*name).before).cast();
        (word(before, text + length) ^ (*pattern).end) & (*pattern).end_mask
    };
    for index in 0..NAME_WORDS {
        // SAFETY: as above.
        differs |= unsafe {
            let text = (&raw const (*name).text).cast::<u8>().add(8 * index);
            (word(text, start) ^ (*pattern).text[index]) & (*pattern).mask[index]
        };
    }
    differs == 0
}

/// 1 if a number, which is below 2^63, is 0; else 0. In assembly, because the compiler would branch.
#[inline(always)]
fn is_zero(number: u64) -> u64 {
    let mut value = number;
    // SAFETY: it only changes the register.
    unsafe {
        asm!(
            "{value} += -1",
            "{value} >>= 63",
            value = inout(reg) value,
            options(pure, nomem, nostack),
        );
    }
    value
}

/// Where the cgroups in this one are, as a [`CgroupPlace`]; `None` if it is too deep.
#[inline(always)]
fn place(mut around: u64, name: *mut Name) -> Option<u32> {
    // SAFETY: the entry lives as long as the map, and no other program uses it: the tracepoint is
    // called with a spinlock held. Volatile, so that it is not kept in a register.
    let (no_slices, in_manager) =
        unsafe { (&raw mut (*name).no_slices, &raw mut (*name).in_manager) };
    // SAFETY: as above.
    unsafe {
        no_slices.write_volatile(0);
        in_manager.write_volatile(0);
    }
    for _ in 0..=MAX_CGROUP_DEPTH {
        let Some(above) = parent(around) else {
            // SAFETY: as above.
            let (no_slices, in_manager) =
                unsafe { (no_slices.read_volatile(), in_manager.read_volatile()) };
            return Some(CgroupPlace::of(no_slices, in_manager != 0).bits());
        };
        let length = read_name(around, name)?;
        if !is_slice(name, length) {
            // SAFETY: as above.
            unsafe {
                let more = if no_slices.read_volatile() == 0 { 1 } else { 2 };
                no_slices.write_volatile(more);
                in_manager.write_volatile(is_manager(name, length));
            }
        }
        around = above;
    }
    None
}

/// Reads a cgroup's name, without the underscore that systemd prefixes to some (`cg_escape`,
/// src/basic/cgroup-util.c), and returns its length.
#[inline(always)]
fn read_name(cgroup: u64, name: *mut Name) -> Option<u64> {
    let node = read::<u64>(cgroup, config!(offsets.cgroup_node))?;
    let address = read::<u64>(node, config!(offsets.node_name))?;
    let escaped = u64::from(read_at::<u8>(address)? == b'_');
    // SAFETY: the entry lives as long as the map.
    read_text(address.wrapping_add(escaped), unsafe {
        (&raw mut (*name).text).cast()
    })
}

/// Reads as much of a text as there is room for in these words, and returns how much.
#[inline(always)]
fn read_text(address: u64, words: *mut [u64; NAME_WORDS]) -> Option<u64> {
    // SAFETY: the words hold as many bytes as the size says; the helper checks the source.
    let bytes = unsafe {
        generated::bpf_probe_read_kernel_str(
            words.cast(),
            MAX_CGROUP_NAME as u32 + 1,
            address as *const _,
        )
    };
    // The size includes the end.
    (bytes > 0).then(|| bytes as u64 - 1)
}

/// Whether a name is that of a slice: `.slice` with something before it.
#[inline(always)]
fn is_slice(name: *const Name, length: u64) -> bool {
    const SUFFIX: u64 = u64::from_le_bytes(*b"\0\0.slice") >> 16;
    // SAFETY: eight bytes lie before each position in the name.
    let end = unsafe { word((&raw const (*name).before).cast(), length) };
    length > 6 && end >> 16 == SUFFIX
}

/// 1 if a name is that of a user's manager, `user@UID.service` with at most ten digits; else 0.
#[inline(always)]
fn is_manager(name: *const Name, length: u64) -> u32 {
    const PREFIX: u64 = u64::from_le_bytes(*b"user@\0\0\0");
    const SUFFIX: u64 = u64::from_le_bytes(*b".service");
    /// The characters of the two.
    const AROUND: u64 = 13;
    // SAFETY: eight bytes lie before each position in the name, and more than that behind each.
    let (begin, first, rest, end) = unsafe {
        let text = (&raw const (*name).text).cast::<u8>();
        (
            word(text, 0),
            word(text.add(5), 0),
            word(text.add(13), 0),
            word((&raw const (*name).before).cast(), length),
        )
    };
    let digits = length.wrapping_sub(AROUND);
    if digits.wrapping_sub(1) >= 10 || begin << 24 != PREFIX << 24 || end != SUFFIX {
        return 0;
    }
    u32::from(are_digits(first, digits) && (digits <= 8 || are_digits(rest, digits - 8)))
}

/// Whether the first characters of a word, at most eight, are digits.
#[inline(always)]
fn are_digits(word: u64, characters: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let others = if characters < 8 {
        u64::MAX << (8 * characters)
    } else {
        0
    };
    let word = word & !others | (ONES * b'0' as u64) & others;
    // A byte below '0' borrows into its highest bit, and one above '9' carries into it.
    (word.wrapping_sub(ONES * b'0' as u64) | word.wrapping_add(ONES * (0x7f - b'9') as u64))
        & (ONES << 7)
        == 0
}

/// The eight bytes at a position in a name, or from there on.
///
/// In assembly, because the compiler would read them one by one where they are not aligned, and
/// leave out the bound, which the verifier must see: before 5.16 it forgets what it knew of a number
/// that was on the stack.
///
/// # Safety
///
/// Those at the first 1024 positions from `base` on must be in one entry of a map.
#[inline(always)]
unsafe fn word(base: *const u8, position: u64) -> u64 {
    let value: u64;
    // SAFETY: the caller vouches for the bytes.
    unsafe {
        asm!(
            "{value} = {position}",
            "{value} &= 1023",
            "{value} += {base}",
            "{value} = *(u64 *)({value} + 0)",
            value = out(reg) value,
            position = in(reg) position,
            base = in(reg) base,
            options(pure, readonly, nostack),
        );
    }
    value
}
