//! The baseline: programs that do nothing, on each hook.

use std::ffi::{CString, c_long};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Context as _, Result, bail};

use super::btf::{self, Wanted};

/// `enum bpf_cmd`, `bpf_prog_type` and `bpf_attach_type` of include/uapi/linux/bpf.h.
const PROG_LOAD: c_long = 5;
const RAW_TRACEPOINT_OPEN: c_long = 17;
const TYPE_KPROBE: u32 = 2;
const TYPE_TRACING: u32 = 26;
const ATTACH_RAW_TRACEPOINT: u32 = 23;
const ATTACH_FEXIT: u32 = 25;

/// `PERF_EVENT_IOC_SET_BPF` and `PERF_EVENT_IOC_ENABLE` of include/uapi/linux/perf_event.h.
const SET_BPF: libc::c_ulong = 0x4004_2408;
const ENABLE: libc::c_ulong = 0x2400;
/// `PERF_FLAG_FD_CLOEXEC` of the same file.
const FD_CLOEXEC: c_long = 8;

/// `r0 = 0; exit` (Documentation/bpf/standardization/instruction-set.rst): eight bytes each, the
/// opcode first.
const PROGRAM: [[u8; 8]; 2] = [[0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];

/// A program on a hook, until the value is dropped.
pub struct Attached {
    _descriptors: Vec<OwnedFd>,
}

/// Attaches a program that does nothing to the hook with this `--hook` name.
pub fn attach(hook: &str) -> Result<Attached> {
    let descriptors = match hook {
        "kprobe" => probe(false)?,
        "kretprobe" => {
            let mut both = probe(false)?;
            both.extend(probe(true)?);
            both
        }
        "fexit" => tracing(ATTACH_FEXIT, Wanted::Function("cap_capable"))?,
        "tracepoint" => tracing(
            ATTACH_RAW_TRACEPOINT,
            Wanted::Typedef("btf_trace_cap_capable"),
        )?,
        _ => bail!("there is no hook {hook}"),
    };
    Ok(Attached {
        _descriptors: descriptors,
    })
}

/// A program on the entry of `cap_capable`, or on its return.
fn probe(on_return: bool) -> Result<Vec<OwnedFd>> {
    let path = "/sys/bus/event_source/devices/kprobe/type";
    let kind: u32 = fs::read_to_string(path)
        .with_context(|| format!("cannot read {path}"))?
        .trim()
        .parse()?;
    let program = load(TYPE_KPROBE, 0, 0)?;
    let function = CString::new("cap_capable")?;
    // struct perf_event_attr up to config2.
    let mut attributes = [0_u8; 72];
    put(&mut attributes, 0, &kind.to_ne_bytes());
    put(&mut attributes, 4, &72_u32.to_ne_bytes());
    put(&mut attributes, 8, &u64::from(on_return).to_ne_bytes());
    put(
        &mut attributes,
        56,
        &(function.as_ptr().expose_provenance() as u64).to_ne_bytes(),
    );
    // SAFETY: the kernel reads the structure, whose size is stated in it, and the name, which both
    // live until the call returns.
    let event = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            attributes.as_ptr(),
            -1,
            0,
            -1,
            FD_CLOEXEC,
        )
    };
    let event = descriptor(event).context("cannot open a kprobe on cap_capable")?;
    // SAFETY: both requests take numbers.
    let done = unsafe {
        libc::ioctl(event.as_raw_fd(), SET_BPF, program.as_raw_fd()) == 0
            && libc::ioctl(event.as_raw_fd(), ENABLE, 0) == 0
    };
    if !done {
        return Err(io::Error::last_os_error()).context("cannot attach to the kprobe");
    }
    Ok(vec![program, event])
}

fn tracing(attach: u32, wanted: Wanted<'_>) -> Result<Vec<OwnedFd>> {
    let program = load(TYPE_TRACING, attach, btf::find(wanted)?)?;
    let mut attributes = [0_u8; 16];
    put(&mut attributes, 8, &program.as_raw_fd().to_ne_bytes());
    let link = bpf(RAW_TRACEPOINT_OPEN, &mut attributes).context("cannot attach")?;
    Ok(vec![program, link])
}

fn load(kind: u32, attach: u32, btf_id: u32) -> Result<OwnedFd> {
    let licence = c"GPL";
    let mut attributes = [0_u8; 120];
    put(&mut attributes, 0, &kind.to_ne_bytes());
    put(&mut attributes, 4, &(PROGRAM.len() as u32).to_ne_bytes());
    let program = PROGRAM.as_ptr().expose_provenance() as u64;
    put(&mut attributes, 8, &program.to_ne_bytes());
    let licence = licence.as_ptr().expose_provenance() as u64;
    put(&mut attributes, 16, &licence.to_ne_bytes());
    put(&mut attributes, 48, b"nothing");
    put(&mut attributes, 68, &attach.to_ne_bytes());
    put(&mut attributes, 108, &btf_id.to_ne_bytes());
    bpf(PROG_LOAD, &mut attributes).context("cannot load the empty program")
}

fn bpf(command: c_long, attributes: &mut [u8]) -> io::Result<OwnedFd> {
    // SAFETY: the attributes have the stated length, and what they point to is static.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            attributes.as_mut_ptr(),
            attributes.len(),
        )
    };
    descriptor(answer)
}

fn descriptor(answer: c_long) -> io::Result<OwnedFd> {
    match i32::try_from(answer) {
        // SAFETY: the kernel has just created this descriptor for us, and nothing else uses it.
        Ok(number @ 0..) => Ok(unsafe { OwnedFd::from_raw_fd(number) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}
