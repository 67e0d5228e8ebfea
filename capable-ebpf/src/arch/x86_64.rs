//! x86-64.

use capable_common::SYSCALL_NONE;

use super::Syscall;
use crate::memory::read_at;

/// The number of capset(2) (arch/x86/entry/syscalls/syscall_64.tbl).
pub const CAPSET: i32 = 126;

/// The size of a kernel stack without KASAN (arch/x86/include/asm/page_64_types.h).
const STACK_SIZE: u64 = 16384;

/// The size of the registers at its top, before 6.9 without FRED's padding
/// (arch/x86/include/asm/thread_info.h).
const REGISTERS_SIZE: u64 = 168;

/// `TS_COMPAT` of `thread_info.status` (arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;

/// `struct pt_regs` from `bp` to `orig_ax` (arch/x86/include/asm/ptrace.h).
#[derive(Clone, Copy)]
#[repr(C)]
struct Registers {
    bp: u64,
    bx: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    ax: u64,
    cx: u64,
    dx: u64,
    si: u64,
    di: u64,
    orig_ax: u64,
}

/// Where [`Registers`] begin in `struct pt_regs`: after r15, r14, r13 and r12.
const REGISTERS_OFFSET: u64 = 32;

/// Where `orig_ax` lies in `struct pt_regs`.
const ORIG_AX: u64 = REGISTERS_OFFSET + core::mem::offset_of!(Registers, orig_ax) as u64;

// Outside of a system call `orig_ax` is -1: exceptions and interrupts set it
// (arch/x86/entry/entry_64.S, `idtentry_body`).
const _: () = assert!(SYSCALL_NONE == -1);

/// The address of the registers on a kernel stack, for kernels without `bpf_task_pt_regs`.
#[inline(always)]
pub fn entry_registers(stack: u64) -> u64 {
    stack + STACK_SIZE - REGISTERS_SIZE
}

/// Whether the task came through the 32-bit entry, according to the status word in its
/// `thread_info`.
#[inline(always)]
pub fn is_compat(status: u32) -> bool {
    status & TS_COMPAT != 0
}

/// The number of the system call, from these registers.
#[inline(always)]
pub fn syscall_number(registers: u64) -> Option<i32> {
    read_at::<i32>(registers + ORIG_AX)
}

/// The system call and its arguments, from these registers.
#[inline(always)]
pub fn syscall(registers: u64, compat: bool) -> Option<Syscall> {
    let Registers {
        bp,
        bx,
        r11: _,
        r10,
        r9,
        r8,
        ax: _,
        cx,
        dx,
        si,
        di,
        orig_ax,
    } = read_at::<Registers>(registers + REGISTERS_OFFSET)?;
    Some(Syscall {
        number: orig_ax as i32,
        arguments: if compat {
            [bx, cx, dx, si, di, bp]
        } else {
            [di, si, dx, r10, r8, r9]
        },
    })
}
