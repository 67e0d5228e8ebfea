//! BPF and performance events, where a narrow capability stands for a part of `CAP_SYS_ADMIN`.

use crate::guest::capabilities::{BPF, PERFMON, SYS_ADMIN};
use crate::guest::syscall::{Argument, call};
use crate::guest::trigger::Verdict::{Absent, Any, Denied, Granted};
use crate::guest::trigger::{Trigger, check};

const BPF_CALLERS: &[&str] = &[
    "__sys_bpf",
    "sys_bpf",
    "bpf_capable",
    "bpf_ns_capable",
    "bpf_token_capable",
    "map_create",
    "bpf_prog_load",
];
const PERF_CALLERS: &[&str] = &[
    "sys_perf_event_open",
    "perf_allow_kernel",
    "perf_event_open",
];

/// Triggers about tracing. Debian sets `kernel.unprivileged_bpf_disabled` to 2 and
/// `kernel.perf_event_paranoid` to 3.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "bpf-map",
        "makes a BPF map",
        &[
            check(BPF, [Granted, Denied, Denied], BPF_CALLERS),
            check(SYS_ADMIN, [Absent, Denied, Denied], BPF_CALLERS),
        ],
        |_| {
            // BPF_MAP_CREATE; type hash, keys and values of 4 bytes, 1 entry
            let attributes = [1_u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            call!(SYS_bpf, 0, Argument::read(&attributes), 64)
        },
    ),
    Trigger::new(
        "bpf-program",
        "loads a BPF program for kprobes",
        &[
            check(BPF, [Granted, Denied, Denied], BPF_CALLERS),
            check(SYS_ADMIN, [Absent, Denied, Denied], BPF_CALLERS),
            check(PERFMON, [Granted, Absent, Absent], BPF_CALLERS),
        ],
        |_| {
            // r0 = 0; exit
            let program = [0xb7_u64, 0x95];
            // union bpf_attr of BPF_PROG_LOAD: type kprobe, 2 instructions, licence
            let attributes = [
                2_u64 | 2 << 32,
                std::ptr::from_ref(&program).expose_provenance() as u64,
                c"GPL".as_ptr().expose_provenance() as u64,
                0,
                0,
                0,
            ];
            call!(SYS_bpf, 5, Argument::read(&attributes), 48)
        },
    ),
    Trigger::new(
        "perf-event",
        "counts an event of its own, the kernel included",
        &[
            check(PERFMON, [Granted, Any, Any], PERF_CALLERS),
            // Debian's patch for paranoid 3 asks for the wide one.
            check(SYS_ADMIN, [Any, Denied, Denied], PERF_CALLERS),
        ],
        |_| {
            // struct perf_event_attr: PERF_TYPE_SOFTWARE, size of version 0, PERF_COUNT_SW_CPU_CLOCK
            let mut attributes = [0_u64; 8];
            attributes[0] = 1 | 64 << 32;
            call!(
                SYS_perf_event_open,
                Argument::read(&attributes),
                0,
                -1,
                -1,
                0
            )
        },
    ),
];
