//! The few system calls that aya does not expose, or makes too costly.
//!
//! aya's loader parses all of the kernel's BTF before it loads anything (130 million instructions
//! and tens of megabytes, measured on 6.1 and 6.18), and its program types cannot be created from a
//! program that is already loaded. The tracer knows the few type ids that it needs, so it loads and
//! attaches programs itself and leaves objects and maps to aya.
//!
//! Each structure is the part of `union bpf_attr` (include/uapi/linux/bpf.h) that the command
//! reads; the kernel treats everything past `size` as zero.

use std::{
    ffi::CStr,
    io,
    os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
};

/// Commands of bpf(2).
const BPF_MAP_UPDATE_ELEM: libc::c_int = 2;
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_TEST_RUN: libc::c_int = 10;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const BPF_MAP_FREEZE: libc::c_int = 22;

/// Asks for the verifier's log, without branches and final statistics.
const LOG_LEVEL: u32 = 1;

/// Calls bpf(2) with a command's part of `union bpf_attr`.
///
/// # Safety
///
/// `attributes` is what `command` expects, and its pointers are valid for the duration of the call.
pub unsafe fn bpf<T>(command: libc::c_int, attributes: &mut T) -> io::Result<libc::c_int> {
    // SAFETY: the caller vouches for the attributes; the size is theirs.
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(answer as libc::c_int)
    }
}

/// Takes ownership of a descriptor that the kernel just made.
pub(super) fn owned(descriptor: libc::c_int) -> OwnedFd {
    // SAFETY: a system call has just created it, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Fills the only entry of a map that holds a section of an object.
pub fn fill_section(map: BorrowedFd<'_>, data: &[u8]) -> io::Result<()> {
    #[repr(C)]
    struct Update {
        map: u32,
        padding: u32,
        key: u64,
        value: u64,
        flags: u64,
    }
    let key = 0u32;
    let mut attributes = Update {
        map: map.as_raw_fd() as u32,
        padding: 0,
        key: &raw const key as u64,
        value: data.as_ptr() as u64,
        flags: 0,
    };
    // SAFETY: the map was made for a section of this size; key and data outlive the call.
    unsafe { bpf(BPF_MAP_UPDATE_ELEM, &mut attributes) }.map(drop)
}

/// Makes a map read-only for user space too, so that the verifier treats its contents as constant.
pub fn freeze(map: BorrowedFd<'_>) -> io::Result<()> {
    let mut descriptor = map.as_raw_fd() as u32;
    // SAFETY: the command reads the descriptor only.
    unsafe { bpf(BPF_MAP_FREEZE, &mut descriptor) }.map(drop)
}

/// A program to load.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// `BPF_PROG_TYPE_*`
    pub kind: u32,
    /// `BPF_TRACE_*`, or 0
    pub attach_type: u32,
    /// The type that a tracing program attaches to, in the kernel's BTF, or 0.
    pub attach_btf_id: u32,
    /// The name that tools such as bpftool show, cut to 15 bytes.
    pub name: &'a str,
    /// The instructions, eight bytes each.
    pub instructions: &'a [aya_obj::generated::bpf_insn],
    /// The licence, which decides the helpers that the kernel lets it call.
    pub license: &'a CStr,
}

/// How many times to try to load a program if signals interrupt its verification.
const ATTEMPTS: usize = 20;

/// Loads a program. With `log`, the verifier writes there.
///
/// The verifier gives up with EAGAIN while a signal is pending (kernel/bpf/verifier.c, `do_check`).
/// The signal is still delivered, so the load is simply tried again.
pub fn load_program(program: &Program<'_>, log: Option<&mut [u8]>) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Load {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
        kernel_version: u32,
        flags: u32,
        name: [u8; 16],
        interface: u32,
        attach_type: u32,
        btf: u32,
        function_size: u32,
        functions: u64,
        function_count: u32,
        line_size: u32,
        lines: u64,
        line_count: u32,
        attach_btf_id: u32,
    }
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(program.name.bytes().take(15)) {
        *to = from;
    }
    let (log_size, log) = log.map_or((0, 0), |log| (log.len() as u32, log.as_mut_ptr() as u64));
    let mut attributes = Load {
        kind: program.kind,
        count: program.instructions.len() as u32,
        instructions: program.instructions.as_ptr() as u64,
        license: program.license.as_ptr() as u64,
        log_level: if log == 0 { 0 } else { LOG_LEVEL },
        log_size,
        log,
        kernel_version: 0,
        flags: 0,
        name,
        interface: 0,
        attach_type: program.attach_type,
        btf: 0,
        function_size: 0,
        functions: 0,
        function_count: 0,
        line_size: 0,
        lines: 0,
        line_count: 0,
        attach_btf_id: program.attach_btf_id,
    };
    for _ in 1..ATTEMPTS {
        // SAFETY: instructions, licence and log outlive the call.
        match unsafe { bpf(BPF_PROG_LOAD, &mut attributes) } {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result.map(owned),
        }
    }
    // SAFETY: as above.
    unsafe { bpf(BPF_PROG_LOAD, &mut attributes) }.map(owned)
}

/// Runs a raw tracepoint program once, as this task, with these arguments (Linux 5.10 and later,
/// net/bpf/test_run.c, `bpf_prog_test_run_raw_tp`), and returns its result.
pub fn run_program(program: BorrowedFd<'_>, arguments: &mut [u64]) -> io::Result<u32> {
    #[repr(C)]
    struct Run {
        program: u32,
        result: u32,
        data_sizes: [u32; 2],
        data: [u64; 2],
        repeat: u32,
        duration: u32,
        context_size: u32,
        context_size_out: u32,
        context: u64,
        context_out: u64,
    }
    let mut attributes = Run {
        program: program.as_raw_fd() as u32,
        result: 0,
        data_sizes: [0; 2],
        data: [0; 2],
        repeat: 0,
        duration: 0,
        context_size: size_of_val(arguments) as u32,
        context_size_out: 0,
        context: arguments.as_mut_ptr() as u64,
        context_out: 0,
    };
    // SAFETY: the arguments outlive the call; the kernel writes the result into the attributes.
    unsafe { bpf(BPF_PROG_TEST_RUN, &mut attributes) }?;
    Ok(attributes.result)
}

/// Attaches a raw tracepoint program by name, or a tracing program to what it was loaded for.
pub fn open_raw_tracepoint(name: Option<&CStr>, program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Open {
        name: u64,
        program: u32,
        reserved: u32,
    }
    let mut attributes = Open {
        name: name.map_or(0, |name| name.as_ptr() as u64),
        program: program.as_raw_fd() as u32,
        reserved: 0,
    };
    // SAFETY: the name outlives the call.
    unsafe { bpf(BPF_RAW_TRACEPOINT_OPEN, &mut attributes) }.map(owned)
}

/// Creates a map that nothing uses yet.
pub fn create_map(kind: u32, key: u32, value: u32, entries: u32) -> io::Result<OwnedFd> {
    const BPF_MAP_CREATE: libc::c_int = 0;
    let mut attributes = [kind, key, value, entries];
    // SAFETY: the attributes hold numbers only.
    unsafe { bpf(BPF_MAP_CREATE, &mut attributes) }.map(owned)
}
