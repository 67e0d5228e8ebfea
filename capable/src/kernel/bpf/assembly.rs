//! Instructions for the programs of a few lines that are written by hand.

use std::ffi::CStr;

use aya_obj::generated::bpf_insn;

/// The licence of these programs, which decides the helpers that the kernel lets them call.
pub const LICENSE: &CStr = c"Dual MIT/GPL";

/// An instruction from its parts (Documentation/bpf/standardization/instruction-set.rst).
pub const fn instruction(code: u8, registers: u8, offset: i16, immediate: i32) -> bpf_insn {
    bpf_insn {
        code,
        _bitfield_align_1: [],
        // The destination in the low half, the source in the high one.
        _bitfield_1: aya_obj::generated::__BindgenBitfieldUnit::new([registers]),
        off: offset,
        imm: immediate,
    }
}

/// `rN = immediate`
pub const fn set(register: u8, immediate: i32) -> bpf_insn {
    instruction(0xb7, register, 0, immediate)
}

/// `rN += immediate`
pub const fn add(register: u8, immediate: i32) -> bpf_insn {
    instruction(0x07, register, 0, immediate)
}

/// `rTO = rFROM`
pub const fn copy(to: u8, from: u8) -> bpf_insn {
    instruction(0xbf, from << 4 | to, 0, 0)
}

/// `rTO = *(u64 *)(rFROM + offset)`
pub const fn load(to: u8, from: u8, offset: i16) -> bpf_insn {
    instruction(0x79, from << 4 | to, offset, 0)
}

/// `rTO = *(u32 *)(rFROM + offset)`
pub const fn load_half(to: u8, from: u8, offset: i16) -> bpf_insn {
    instruction(0x61, from << 4 | to, offset, 0)
}

/// `if rONE == rOTHER goto +0`: compares, and continues with the next instruction either way.
pub const fn jump_if_equal(one: u8, other: u8) -> bpf_insn {
    instruction(0x1d, other << 4 | one, 0, 0)
}

/// `rN >>= rBITS`
pub const fn shift(register: u8, bits: u8) -> bpf_insn {
    instruction(0x7f, bits << 4 | register, 0, 0)
}

/// Calls a helper by its number (include/uapi/linux/bpf.h).
pub const fn call(helper: i32) -> bpf_insn {
    instruction(0x85, 0, 0, helper)
}

/// Returns r0.
pub const EXIT: bpf_insn = instruction(0x95, 0, 0, 0);

/// `bpf_probe_read_kernel`
pub const PROBE_READ_KERNEL: i32 = 113;
