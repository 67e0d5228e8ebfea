//! What depends on the processor: the numbers of system calls, and how the kernel names their
//! entries and the machinery of tracing.
//!
//! There is one module per processor, and it is chosen here. All of them offer the same names. The
//! kernel side has its own (`capable-ebpf/src/arch`), and so has what crosses the boundary
//! (`capable-common/src/arch`).

#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "x86_64")]
use x86_64 as processor;

pub(crate) use processor::{
    AUDIT_ARCH, CODE_REACH, ENTRY_PREFIX, IOCTL_CALLS, OTHER_ENTRY_PREFIXES, TRACER_NAMES,
    TRACER_PREFIXES, entry, syscall_name,
};

// The build script says the same before, with the name of the file.
#[cfg(not(target_arch = "x86_64"))]
compile_error!(
    "this processor is not supported: add a file named after it to capable/src/arch, with the \
     names that capable/src/arch/mod.rs takes from the others, and choose it there"
);
