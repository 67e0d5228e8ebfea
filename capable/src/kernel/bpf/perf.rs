//! Perf events: kprobes with their programs, and the transport for records if there is no ring
//! buffer.

use std::{
    ffi::CString,
    io,
    os::fd::{AsRawFd as _, BorrowedFd, OwnedFd},
};

use super::sys::{bpf, owned};

/// A command of bpf(2).
const BPF_LINK_CREATE: libc::c_int = 28;

/// `BPF_PERF_EVENT`, an attach type.
const BPF_PERF_EVENT: u32 = 41;

/// Where sysfs gives what it takes to open kprobes: the PMU's type, and the bit that selects a
/// kretprobe.
const KPROBE_TYPE: &str = "/sys/bus/event_source/devices/kprobe/type";
const KPROBE_RETURN: &str = "/sys/bus/event_source/devices/kprobe/format/retprobe";

/// `PERF_FLAG_FD_CLOEXEC` (include/uapi/linux/perf_event.h).
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 8;

/// Opens a perf event for all processes: pid -1 on processor 0.
///
/// # Safety
///
/// `attributes` is a version of `struct perf_event_attr` that says its size, and what it points to
/// is valid for the call.
unsafe fn open_event<T>(attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches for the attributes.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_ref(attributes),
            -1,
            0,
            -1,
            PERF_FLAG_FD_CLOEXEC,
        )
    };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(owned(descriptor as libc::c_int))
}

/// Opens a kprobe or a kretprobe on a kernel function, on all processors, with no program attached
/// yet.
pub fn open_kprobe(function: &str, at_return: bool) -> io::Result<OwnedFd> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let kind: u32 = std::fs::read_to_string(KPROBE_TYPE)?
        .trim()
        .parse()
        .map_err(|_| invalid(KPROBE_TYPE))?;
    let config = if at_return {
        let format = std::fs::read_to_string(KPROBE_RETURN)?;
        let bit: u32 = format
            .trim()
            .strip_prefix("config:")
            .and_then(|bit| bit.parse().ok())
            .ok_or_else(|| invalid(KPROBE_RETURN))?;
        1u64 << bit
    } else {
        0
    };
    let function = CString::new(function).map_err(|_| invalid(function))?;
    /// `struct perf_event_attr`, version 5 (include/uapi/linux/perf_event.h): the two words
    /// after the breakpoint type are `config1` (kprobe_func) and `config2` (probe_offset).
    #[repr(C)]
    struct Attributes {
        kind: u32,
        size: u32,
        config: u64,
        period: u64,
        sample: u64,
        read: u64,
        flags: u64,
        wakeup: u32,
        breakpoint: u32,
        config1: u64,
        config2: u64,
        rest: [u64; 5],
    }
    let attributes = Attributes {
        kind,
        size: size_of::<Attributes>() as u32,
        config,
        period: 0,
        sample: 0,
        read: 0,
        flags: 0,
        wakeup: 0,
        breakpoint: 0,
        config1: function.as_ptr() as u64,
        config2: 0,
        rest: [0; 5],
    };
    // SAFETY: this is `struct perf_event_attr`, and the name in it outlives the call.
    unsafe { open_event(&attributes) }
}

/// Attaches a program to a kprobe. The probe lives as long as what is returned.
pub fn attach_kprobe(program: BorrowedFd<'_>, probe: OwnedFd) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Create {
        program: u32,
        target: u32,
        attach_type: u32,
        flags: u32,
    }
    let mut attributes = Create {
        program: program.as_raw_fd() as u32,
        target: probe.as_raw_fd() as u32,
        attach_type: BPF_PERF_EVENT,
        flags: 0,
    };
    // SAFETY: the attributes hold numbers only.
    match unsafe { bpf(BPF_LINK_CREATE, &mut attributes) } {
        Ok(link) => return Ok(owned(link)),
        // Kernels before 5.15 have no links of this kind.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
        Err(error) => return Err(error),
    }
    /// `PERF_EVENT_IOC_SET_BPF` and `PERF_EVENT_IOC_ENABLE` (include/uapi/linux/perf_event.h).
    const SET_BPF: libc::c_ulong = 0x4004_2408;
    const ENABLE: libc::c_ulong = 0x2400;
    for (request, argument) in [(SET_BPF, program.as_raw_fd()), (ENABLE, 0)] {
        // SAFETY: both requests take a number.
        if unsafe { libc::ioctl(probe.as_raw_fd(), request, argument) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(probe)
}

/// Opens the event through which a BPF program hands out records on one processor, for all
/// processes.
pub fn open_bpf_output() -> io::Result<OwnedFd> {
    /// `PERF_TYPE_SOFTWARE` and `PERF_COUNT_SW_BPF_OUTPUT` (include/uapi/linux/perf_event.h).
    const SOFTWARE: u32 = 1;
    const BPF_OUTPUT: u64 = 10;
    /// `struct perf_event_attr`, version 0.
    #[repr(C)]
    struct Attributes {
        kind: u32,
        size: u32,
        config: u64,
        rest: [u64; 6],
    }
    let attributes = Attributes {
        kind: SOFTWARE,
        size: size_of::<Attributes>() as u32,
        config: BPF_OUTPUT,
        rest: [0; 6],
    };
    // SAFETY: this is `struct perf_event_attr`, of numbers only.
    unsafe { open_event(&attributes) }
}
