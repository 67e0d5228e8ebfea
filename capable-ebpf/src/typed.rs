//! The current task, with pointers whose types the verifier knows.
//!
//! A member at a constant offset is then read by one instruction, while `bpf_probe_read_kernel`
//! takes 65 for eight bytes (counted on 6.1). An address that is no longer valid reads as 0: the
//! kernel gives these loads an entry in its exception table (`BPF_PROBE_MEM`, kernel/bpf/verifier.c
//! and arch/x86/net/bpf_jit_comp.c).
//!
//! Used only if the configuration's `typed_task` says so: 5.11 and later, with all offsets known.
//! The verifier loses a pointer's type in any arithmetic other than adding a constant, so these
//! pointers are never computed from others.

use core::arch::asm;

use aya_ebpf::helpers::generated;

/// The current task.
#[inline(always)]
pub fn current() -> u64 {
    // SAFETY: the helper takes nothing and cannot fail.
    unsafe { generated::bpf_get_current_task_btf() as u64 }
}

/// Reads a member of eight bytes: a pointer, whose type the verifier takes from the member, or a
/// number.
#[inline(always)]
pub fn word(base: u64, offset: u32) -> u64 {
    let address = base.wrapping_add(u64::from(offset));
    let value: u64;
    // SAFETY: the verifier allows such a load only from a member of a kernel structure.
    unsafe {
        asm!("{value} = *(u64 *)({address} + 0)", value = out(reg) value, address = in(reg) address,
             options(pure, readonly, nostack));
    }
    value
}

/// Reads a member of four bytes.
#[inline(always)]
pub fn half(base: u64, offset: u32) -> u32 {
    let address = base.wrapping_add(u64::from(offset));
    let value: u64;
    // SAFETY: as in `word`.
    unsafe {
        asm!("{value} = *(u32 *)({address} + 0)", value = out(reg) value, address = in(reg) address,
             options(pure, readonly, nostack));
    }
    value as u32
}

/// Whether a pointer equals this address. The compiler must not learn that they are equal: it might
/// then use the address, whose type the verifier does not know.
#[inline(always)]
pub fn is(pointer: u64, address: u64) -> bool {
    let mut copy = pointer;
    // SAFETY: nothing is executed.
    unsafe {
        asm!("/* {copy} */", copy = inout(reg) copy, options(pure, nomem, nostack));
    }
    copy == address
}
