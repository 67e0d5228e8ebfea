//! Reads many entries of a hash map with one system call. aya makes one for each key and each
//! value.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
};

use super::sys::bpf;

/// A command of bpf(2) (include/uapi/linux/bpf.h).
const BPF_MAP_LOOKUP_BATCH: libc::c_int = 24;

/// How many entries are asked for at once.
const ROOM: usize = 512;

/// Reads a hash map's entries, many at a time, and gives each key and value to `each` as bytes.
/// `value` is the size of a value as the kernel copies it: for a map that has one per processor,
/// rounded up to eight bytes, times the possible processors.
///
/// # Errors
///
/// `EINVAL` if the kernel has no such command (before 5.6).
pub fn each(
    map: BorrowedFd<'_>,
    key: usize,
    value: usize,
    mut each: impl FnMut(&[u8], &[u8]),
) -> io::Result<()> {
    /// The part of `union bpf_attr` that the command reads and writes.
    #[repr(C)]
    struct Batch {
        from: u64,
        to: u64,
        keys: u64,
        values: u64,
        count: u32,
        map: u32,
        element_flags: u64,
        flags: u64,
    }
    let mut room = ROOM;
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    // Where the kernel continues: the number of a bucket.
    let (mut from, mut to) = (0u32, 0u32);
    let mut begun = false;
    loop {
        keys.resize(room * key, 0u8);
        values.resize(room * value, 0u8);
        let mut attributes = Batch {
            from: if begun { &raw const from as u64 } else { 0 },
            to: &raw mut to as u64,
            keys: keys.as_mut_ptr() as u64,
            values: values.as_mut_ptr() as u64,
            count: room as u32,
            map: map.as_raw_fd() as u32,
            element_flags: 0,
            flags: 0,
        };
        // SAFETY: keys and values have room for `count` entries and outlive the call, as do the
        // positions.
        let ended = match unsafe { bpf(BPF_MAP_LOOKUP_BATCH, &mut attributes) } {
            Ok(_) => false,
            Err(error) => match error.raw_os_error() {
                Some(libc::ENOENT) => true,
                // A bucket holds more entries than there is room for.
                Some(libc::ENOSPC) => {
                    room *= 2;
                    continue;
                }
                _ => return Err(error),
            },
        };
        let entries = keys.chunks_exact(key).zip(values.chunks_exact(value));
        for (key, value) in entries.take(attributes.count as usize) {
            each(key, value);
        }
        if ended {
            return Ok(());
        }
        (from, begun) = (to, true);
    }
}
