//! What the kernel knows about loaded programs and links.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
};

use super::sys::bpf;

/// A command of bpf(2).
const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;

/// Asks the kernel about the object behind a descriptor. Fields that the kernel does not know stay
/// zero. The second value is the number of bytes that it filled in.
fn info<T: Default>(descriptor: BorrowedFd<'_>) -> io::Result<(T, usize)> {
    #[repr(C)]
    struct Get {
        descriptor: u32,
        size: u32,
        info: u64,
    }
    let mut info = T::default();
    let mut attributes = Get {
        descriptor: descriptor.as_raw_fd() as u32,
        size: size_of::<T>() as u32,
        info: &raw mut info as u64,
    };
    // SAFETY: `info` has the size that is passed and outlives the call.
    unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attributes) }?;
    Ok((info, attributes.size as usize))
}

/// `struct bpf_prog_info` up to `verified_insns`.
#[repr(C)]
#[derive(Default)]
struct ProgramInfo {
    kind: u32,
    id: u32,
    tag: u64,
    jited_length: u32,
    translated_length: u32,
    between: [u64; 23],
    recursion_misses: u64,
    verified_instructions: u32,
    attach_btf_object: u32,
}

const _: () = assert!(std::mem::offset_of!(ProgramInfo, recursion_misses) == 208);

/// How often a program was skipped because it, or another, was already running on that processor.
/// `None` on kernels that do not count it (before 5.12).
pub fn recursion_misses(program: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    let (info, known) = info::<ProgramInfo>(program)?;
    Ok((known >= 216).then_some(info.recursion_misses))
}

/// The kernel's id for a program.
pub fn program_id(program: BorrowedFd<'_>) -> io::Result<u32> {
    Ok(info::<ProgramInfo>(program)?.0.id)
}

/// How large a program is on this kernel: eBPF instructions after the verifier removed dead code,
/// bytes of machine code, and instructions that the verifier processed (0 before 5.16, which does
/// not report it).
pub fn program_size(program: BorrowedFd<'_>) -> io::Result<(u32, u32, u32)> {
    let (info, _) = info::<ProgramInfo>(program)?;
    Ok((
        info.translated_length / 8,
        info.jited_length,
        info.verified_instructions,
    ))
}

/// How often a kprobe's link was missed. `None` on kernels that do not report it (before 6.7), or
/// if the probe has no link.
pub fn link_misses(link: BorrowedFd<'_>) -> Option<u64> {
    /// `struct bpf_link_info` of a kprobe's perf event: `BPF_LINK_TYPE_PERF_EVENT` is 7,
    /// `BPF_PERF_EVENT_KPROBE` 3 and `BPF_PERF_EVENT_KRETPROBE` 4.
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        kind: u32,
        id: u32,
        program: u32,
        padding: u32,
        event: u32,
        padding2: u32,
        name: u64,
        name_length: u32,
        offset: u32,
        address: u64,
        missed: u64,
    }
    let (info, known) = info::<Info>(link).ok()?;
    (info.kind == 7 && matches!(info.event, 3 | 4) && known >= size_of::<Info>())
        .then_some(info.missed)
}
