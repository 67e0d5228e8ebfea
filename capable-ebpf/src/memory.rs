//! Reading the kernel's structures at offsets that are known only when the program loads.

use core::mem::MaybeUninit;

use aya_ebpf::{bindings::task_struct, helpers::generated};
use capable_common::NO_OFFSET;

/// Reads a `T` at `base + offset`; `None` if the offset is unknown or the read fails.
///
/// If the offset is unknown the verifier removes the call, so a program still loads when lockdown
/// takes the helper away.
#[inline(always)]
pub fn read<T: Copy>(base: u64, offset: u32) -> Option<T> {
    if offset == NO_OFFSET {
        return None;
    }
    read_at(base.wrapping_add(u64::from(offset)))
}

/// Fills the beginning of a variable from an address; false if the read fails. `bytes` must be a
/// constant to the verifier, and no more than the variable's size.
#[inline(always)]
pub fn read_some<T>(address: u64, bytes: u32, value: &mut MaybeUninit<T>) -> bool {
    // SAFETY: the destination holds `bytes`; the helper checks the source.
    let error = unsafe {
        generated::bpf_probe_read_kernel(value.as_mut_ptr().cast(), bytes, address as *const _)
    };
    error == 0
}

/// A word of what was read, at a distance that must be a multiple of eight and a constant to the
/// verifier.
///
/// # Safety
///
/// The eight bytes from `distance` on must have been read.
#[inline(always)]
pub unsafe fn word_of<T>(value: &MaybeUninit<T>, distance: u32) -> u64 {
    // SAFETY: the caller vouches for the bytes.
    unsafe {
        *value
            .as_ptr()
            .cast::<u8>()
            .add(distance as usize)
            .cast::<u64>()
    }
}

/// Fills a variable from `base + offset`; false if the read fails, which zeroes it.
#[inline(always)]
pub fn read_into<T>(base: u64, offset: u32, value: &mut MaybeUninit<T>) -> bool {
    // SAFETY: the destination holds `size_of::<T>()` bytes; the helper checks the source.
    let error = unsafe {
        generated::bpf_probe_read_kernel(
            value.as_mut_ptr().cast(),
            size_of::<T>() as u32,
            base.wrapping_add(u64::from(offset)) as *const _,
        )
    };
    error == 0
}

/// Reads a `T` at an address; `None` if the read fails.
#[inline(always)]
pub fn read_at<T: Copy>(address: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper filled the value.
    read_into(address, 0, &mut value).then(|| unsafe { value.assume_init() })
}

/// Reads a `T` from the current process's memory; `None` if that page is not present.
#[inline(always)]
pub fn read_user<T: Copy>(address: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the destination holds `size_of::<T>()` bytes; the helper checks the source.
    let error = unsafe {
        generated::bpf_probe_read_user(
            value.as_mut_ptr().cast(),
            size_of::<T>() as u32,
            address as *const _,
        )
    };
    // SAFETY: the helper filled the value.
    (error == 0).then(|| unsafe { value.assume_init() })
}

/// The same value, but unknown to the verifier, so that paths that differ only in it join again.
#[inline(always)]
pub fn opaque(value: u64) -> u64 {
    let mut hidden = 0;
    // SAFETY: both are variables of this function, eight bytes each.
    unsafe {
        generated::bpf_probe_read_kernel(
            (&raw mut hidden).cast(),
            size_of::<u64>() as u32,
            (&raw const value).cast(),
        );
    }
    hidden
}

/// The address of the current `task_struct`.
#[inline(always)]
pub fn current_task() -> u64 {
    // SAFETY: the helper takes nothing and cannot fail.
    unsafe { generated::bpf_get_current_task() }
}

/// The address of the registers with which the current task entered the kernel, on kernels that
/// have `bpf_task_pt_regs` (5.15 and later). It knows of the padding that FRED needs above them.
#[inline(always)]
pub fn entry_registers() -> u64 {
    // SAFETY: the current task is what the helper expects.
    unsafe {
        let task: *mut task_struct = generated::bpf_get_current_task_btf();
        generated::bpf_task_pt_regs(task) as u64
    }
}
