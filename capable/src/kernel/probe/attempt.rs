//! Probes what only an attempt can tell: programs of a few instructions are loaded and dropped at
//! once, and attached to nothing.

use std::io;

use aya_obj::generated::{bpf_attach_type, bpf_insn, bpf_map_type, bpf_prog_type};

use capable_common::Offsets;

use super::support::{Lack, Support};
use crate::kernel::bpf::assembly::{
    EXIT, LICENSE, PROBE_READ_KERNEL, add, call, copy, jump_if_equal, load, load_half, set,
};
use crate::kernel::bpf::{memory_limit, sys};
use crate::kernel::btf::offsets::Layout;

/// Helpers by their numbers (include/uapi/linux/bpf.h).
const KTIME_GET_COARSE_NS: i32 = 160;
const GET_CURRENT_TASK_BTF: i32 = 158;

/// `ENOTSUPP` (include/linux/errno.h), which leaks to user space in a few places.
const ENOTSUPP: i32 = 524;

const TRIVIAL: &[bpf_insn] = &[set(0, 0), EXIT];

/// `bpf_probe_read_kernel(r10 - 8, 8, 0)`
const READ_KERNEL: &[bpf_insn] = &[
    copy(1, 10),
    add(1, -8),
    set(2, 8),
    set(3, 0),
    call(PROBE_READ_KERNEL),
    set(0, 0),
    EXIT,
];

const COARSE_TIME: &[bpf_insn] = &[call(KTIME_GET_COARSE_NS), set(0, 0), EXIT];

fn try_load(
    kind: bpf_prog_type,
    attach_type: u32,
    attach_btf_id: u32,
    instructions: &[bpf_insn],
) -> io::Result<()> {
    let program = sys::Program {
        kind: kind as u32,
        attach_type,
        attach_btf_id,
        name: "capable_probe",
        instructions,
        license: LICENSE,
    };
    sys::load_program(&program, None).map(drop)
}

fn load_kprobe(instructions: &[bpf_insn]) -> io::Result<()> {
    try_load(bpf_prog_type::BPF_PROG_TYPE_KPROBE, 0, 0, instructions)
}

fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

/// What could not be tried because loading programs is not allowed at all.
pub(super) fn not_tried() -> Support {
    Support::Unknown(Lack::with_remedy(
        "this cannot be checked without the right to load BPF programs",
        "run capable doctor as root (sudo)",
    ))
}

/// An answer that fits none of the known ones.
fn unclear(error: &io::Error) -> Support {
    Support::unknown(format!("the kernel's answer is unclear: {error}"))
}

/// May this process load the programs that tracing needs? `Err` holds the kernel's answer.
pub(super) fn programs() -> io::Result<()> {
    load_kprobe(TRIVIAL)
}

/// Is memory charged to the cgroup (5.11 and later), and not to `RLIMIT_MEMLOCK`? If it is not, or
/// nothing can be loaded, the limit is lifted: what others of this user have loaded may leave no
/// room even for this attempt, which then fails with the same errno as one without privileges
/// (`bpf_prog_charge_memlock`, kernel/bpf/syscall.c, 5.10). So this comes before all other attempts.
///
/// Detected by a helper that came with the same release, as libbpf does (tools/lib/bpf/bpf.c,
/// `probe_memcg_account`).
pub(super) fn memory_charged_to_cgroup() -> Support {
    let load = || {
        let kind = bpf_prog_type::BPF_PROG_TYPE_SOCKET_FILTER;
        try_load(kind, 0, 0, COARSE_TIME)
    };
    let mut answer = load();
    if answer.is_err() && memory_limit::lift().is_ok() {
        answer = load();
    }
    match answer {
        Ok(()) => Support::Yes,
        Err(error) if errno(&error) == libc::EINVAL => Support::No(Lack::with_remedy(
            "this kernel charges BPF memory to the limit on locked memory, as kernels before 5.11 \
             do",
            "capable raises the limit itself, which takes CAP_SYS_RESOURCE; without it, run \
             `ulimit -l unlimited` first",
        )),
        Err(error) => unclear(&error),
    }
}

/// May programs read the kernel's memory?
///
/// Under lockdown=confidentiality the verifier does not know the helper (kernel/bpf/helpers.c,
/// `bpf_base_func_proto`; before 5.13 kernel/trace/bpf_trace.c).
pub(super) fn kernel_reads(bpf: &Support) -> Support {
    if !bpf.is_yes() {
        return not_tried();
    }
    match load_kprobe(READ_KERNEL) {
        Ok(()) => Support::Yes,
        Err(error) if errno(&error) == libc::EINVAL => Support::No(Lack::with_remedy(
            "the kernel refuses bpf_probe_read_kernel, as it does under lockdown=confidentiality",
            "boot with lockdown=integrity, or without lockdown",
        )),
        Err(error) => unclear(&error),
    }
}

/// Does the verifier know the types of the current task and of the credentials that it uses, so
/// that programs may read their members without a helper (5.11 and later)?
pub(super) fn typed_task(bpf: &Support, layout: &Layout) -> bool {
    bpf.is_yes() && typed_reads(&layout.offsets).is_some_and(|reads| load_kprobe(&reads).is_ok())
}

/// A program that reads every member that is read this way; `None` if one of the offsets is not
/// known.
fn typed_reads(offsets: &Offsets) -> Option<Vec<bpf_insn>> {
    const TASK: u8 = 0;
    const CREDENTIALS: u8 = 6;
    const NAMESPACE: u8 = 7;
    const PROXY: u8 = 8;
    const LEADER: u8 = 9;
    const UNUSED: u8 = 1;
    let place = |offset: u32| i16::try_from(offset).ok();
    Some(vec![
        call(GET_CURRENT_TASK_BTF),
        load(UNUSED, TASK, place(offsets.task_comm)?),
        load(UNUSED, TASK, place(offsets.task_comm + 8)?),
        load_half(UNUSED, TASK, place(offsets.task_flags)?),
        load(CREDENTIALS, TASK, place(offsets.task_cred)?),
        load(UNUSED, CREDENTIALS, place(offsets.cred_effective)?),
        load_half(UNUSED, CREDENTIALS, place(offsets.cred_euid)?),
        load(NAMESPACE, CREDENTIALS, place(offsets.cred_user_ns)?),
        load_half(UNUSED, NAMESPACE, place(offsets.user_ns_inum)?),
        load_half(UNUSED, NAMESPACE, place(offsets.user_ns_level)?),
        load(PROXY, TASK, place(offsets.task_nsproxy)?),
        load(NAMESPACE, PROXY, place(offsets.nsproxy_mnt_ns)?),
        load_half(UNUSED, NAMESPACE, place(offsets.mnt_ns_inum)?),
        load(CREDENTIALS, TASK, place(offsets.task_real_cred)?),
        load_half(UNUSED, CREDENTIALS, place(offsets.cred_uid)?),
        load_half(UNUSED, CREDENTIALS, place(offsets.cred_gid)?),
        load(LEADER, TASK, place(offsets.task_group_leader)?),
        load(UNUSED, LEADER, place(offsets.task_start)?),
        // An address is compared with a number.
        jump_if_equal(CREDENTIALS, UNUSED),
        set(0, 0),
        EXIT,
    ])
}

/// Does the kernel accept a program that runs after `cap_capable`?
pub(super) fn fexit(bpf: &Support, btf: &Support, layout: &Layout) -> Support {
    let Some(function) = layout.function else {
        return absent(
            btf,
            Lack::with_remedy("this kernel's BTF has no function cap_capable", ANOTHER),
        );
    };
    let kind = bpf_attach_type::BPF_TRACE_FEXIT;
    tracing(bpf, kind, function, "fexit programs")
}

/// Does the kernel accept a program at the tracepoint?
pub(super) fn tracepoint(bpf: &Support, btf: &Support, layout: &Layout) -> Support {
    let Some(typedef) = layout.tracepoint else {
        let lack = Lack::with_remedy(
            "this kernel has no tracepoint capability:cap_capable",
            "Linux 6.14 introduced it",
        );
        return absent(btf, lack);
    };
    let kind = bpf_attach_type::BPF_TRACE_RAW_TP;
    tracing(bpf, kind, typedef, "BTF tracepoint programs")
}

/// What to do about a hook that this kernel does not have.
const ANOTHER: &str = "use another hook";

/// If BTF could not be read, something missing from it proves nothing.
fn absent(btf: &Support, lack: Lack) -> Support {
    match btf {
        Support::Yes => Support::No(lack),
        without => without.clone(),
    }
}

fn tracing(bpf: &Support, attach: bpf_attach_type, target: u32, what: &str) -> Support {
    if !bpf.is_yes() {
        return not_tried();
    }
    let kind = bpf_prog_type::BPF_PROG_TYPE_TRACING;
    let Err(error) = try_load(kind, attach as u32, target, TRIVIAL) else {
        return Support::Yes;
    };
    match errno(&error) {
        libc::EPERM | libc::EACCES => Support::No(Lack::with_remedy(
            format!("this kernel refuses {what}, although it loads other BPF programs"),
            ANOTHER,
        )),
        libc::EINVAL | libc::EOPNOTSUPP | ENOTSUPP => Support::No(Lack::with_remedy(
            format!("this kernel does not have {what}"),
            ANOTHER,
        )),
        _ => unclear(&error),
    }
}

/// Does the kernel have the BPF ring buffer (5.8 and later)?
pub(super) fn ring_buffer(bpf: &Support) -> Support {
    if !bpf.is_yes() {
        return not_tried();
    }
    // 64 KiB is a multiple of every page size.
    match sys::create_map(bpf_map_type::BPF_MAP_TYPE_RINGBUF as u32, 0, 0, 65536) {
        Ok(_) => Support::Yes,
        Err(error) if errno(&error) == libc::EINVAL => Support::No(Lack::with_remedy(
            "this kernel has no BPF ring buffer (before 5.8)",
            "perf buffers are used instead",
        )),
        Err(error) => unclear(&error),
    }
}
