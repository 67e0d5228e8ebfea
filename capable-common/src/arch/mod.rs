//! What depends on the architecture in the kernel's structures. There is one module per
//! architecture, and it is selected here.

#[cfg(any(bpf_target_arch = "x86_64", target_arch = "x86_64"))]
mod x86_64;

#[cfg(any(bpf_target_arch = "x86_64", target_arch = "x86_64"))]
pub(crate) use x86_64::ENTRY_WORD;

#[cfg(not(any(bpf_target_arch = "x86_64", target_arch = "x86_64")))]
compile_error!("this processor has no module here yet");
