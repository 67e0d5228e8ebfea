//! What depends on the architecture: where the registers are that a task entered the kernel with,
//! which of them hold a system call, and what marks the 32-bit entry.
//!
//! There is one module per architecture, and it is selected here. All of them offer the same names.
//! They do not cover the arguments of hooked functions: aya knows their registers.

#[cfg(any(bpf_target_arch = "x86_64", target_arch = "x86_64"))]
mod x86_64;

#[cfg(any(bpf_target_arch = "x86_64", target_arch = "x86_64"))]
pub use x86_64::{CAPSET, entry_registers, is_compat, syscall, syscall_number};

#[cfg(not(any(bpf_target_arch = "x86_64", target_arch = "x86_64")))]
compile_error!("this processor has no module here yet");

/// A system call as the registers give it.
#[derive(Clone, Copy)]
pub struct Syscall {
    /// Its number, or [`capable_common::SYSCALL_NONE`].
    pub number: i32,
    /// Its six arguments.
    pub arguments: [u64; 6],
}
