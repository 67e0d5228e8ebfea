//! x86-64.

// A table of words, several on a line.
#[rustfmt::skip]
mod numbers;
mod syscalls;

pub(crate) use syscalls::name as syscall_name;

/// The function in which a system call of the 64-bit entry begins: `entry!("chroot")`
/// (`__X64_SYS_STUBx`, arch/x86/include/asm/syscall_wrapper.h).
macro_rules! entry {
    ($call:literal) => {
        concat!("__x64_sys_", $call)
    };
}

pub(crate) use entry;

/// What the names of such functions begin with.
pub(crate) const ENTRY_PREFIX: &str = entry!("");

/// What the names of other entries begin with, which can share the code of the 64-bit one.
pub(crate) const OTHER_ENTRY_PREFIXES: &[&str] = &["__ia32_"];

/// ioctl(2), in every form of call that a process can make, as a seccomp filter sees it: the form
/// (`AUDIT_ARCH_X86_64`, `AUDIT_ARCH_I386`, include/uapi/linux/audit.h) and the number. x32 has the
/// form of x86-64, its bit, and a number of its own or the other one
/// (arch/x86/entry/syscalls/syscall_64.tbl; arch/x86/entry/syscall_x32.c).
pub(crate) const IOCTL_CALLS: &[(u32, u32)] = &[
    (0xc000_003e, 16),
    (0xc000_003e, 0x4000_0000 | 16),
    (0xc000_003e, 0x4000_0000 | 514),
    (0x4000_0003, 54),
];

/// How far apart any two places in the code of vmlinux, its modules and generated code can lie, in
/// bytes: the kernel's code model demands it (Documentation/arch/x86/x86_64/mm.rst).
pub(crate) const CODE_REACH: u64 = 1 << 31;

/// Beginnings of names that belong to this processor's machinery of tracing, and where each is from.
pub(crate) const TRACER_PREFIXES: &[&str] = &[
    // arch/x86/kernel/kprobes/opt.c
    "optprobe_template_",
    // arch/x86/kernel/ftrace_64.S
    "ftrace_caller",
    "ftrace_regs_call",
    // arch/x86/kernel/rethook.c
    "arch_rethook_",
];

/// Whole names that belong to it.
pub(crate) const TRACER_NAMES: &[&str] = &[
    // arch/x86/kernel/kprobes/
    "kprobe_ftrace_handler",
    "kprobe_int3_handler",
    "optimized_callback",
    "trampoline_handler",
    // arch/x86/kernel/ftrace_64.S
    "ftrace_call",
    // arch/x86/entry/entry_64.S, arch/x86/kernel/traps.c
    "asm_exc_int3",
    "exc_int3",
    "do_int3",
    "int3",
];

/// The processor and byte order of a system call, as seccomp filters see them: `AUDIT_ARCH_X86_64`
/// (include/uapi/linux/audit.h).
pub(crate) const AUDIT_ARCH: u32 = 0xc000_003e;
