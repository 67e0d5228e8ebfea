//! x86-64.

use super::{Architecture, Lines, Qemu};

/// x86-64.
pub const ARCHITECTURE: Architecture = Architecture {
    name: "x86_64",
    debian: "amd64",
    target: "x86_64-unknown-linux-gnu",
    qemu: Qemu {
        program: "qemu-system-x86_64",
        package: "qemu-system-x86",
        machine: &["-machine", "q35", "-cpu", "max"],
        lines: Lines {
            console: "ttyS0",
            output: "ttyS1",
            report: "ttyS2",
        },
    },
    // arch/x86/include/asm/syscall_wrapper.h
    system_call_prefixes: &["__x64_sys_", "__ia32_sys_"],
};
