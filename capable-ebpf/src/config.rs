//! The configuration, a constant by the time that the verifier sees it.

use aya_ebpf::Global;
use capable_common::{Config, NamespaceFilter, Offsets};

/// What user space sets before it loads a program.
///
/// The verifier of 5.5 and later reads frozen read-only maps as constants and drops the branches
/// that cannot be taken (kernel/bpf/verifier.c, `check_mem_access` with `bpf_map_is_rdonly`).
#[unsafe(no_mangle)]
pub static CONFIG: Global<Config> = Global::new(Config {
    capabilities: u64::MAX,
    lowest_mapping: 0,
    unaudited: [capable_common::AddressRange { start: 0, end: 0 }; 8],
    insetid: [capable_common::AddressRange { start: 0, end: 0 }; 2],
    cap_capable: capable_common::AddressRange { start: 0, end: 0 },
    offsets: Offsets::UNKNOWN,
    own_pid: 0,
    kernel_frames: 0,
    user_frames: 0,
    only_pid: 0,
    cgroups: 0,
    wakeup_bytes: 0,
    io_worker: 0,
    securebits: 0,
    namespaces: NamespaceFilter {
        user: 0,
        mount: 0,
        pid: 0,
        reserved: 0,
    },
    audit: 0,
    audited_only: 0,
    reserved: [0; 2],
    wakeup_sample: 0,
    typed_task: 0,
    results: 3,
    unique: 0,
    wanted: 0,
    pids: 0,
    tids: 0,
    users: 0,
    comms: 0,
    follow: 0,
    send: 1,
    count: 0,
    count_subject: 0,
    count_origin: 0,
    outcomes: 0,
    task_regs_helper: 0,
});

/// Reads one field of [`CONFIG`]: a load that the verifier folds, not a copy of the whole.
#[macro_export]
macro_rules! config {
    ($($field:tt)+) => {{
        let config = (&raw const $crate::config::CONFIG).cast::<::capable_common::Config>();
        // SAFETY: `Global<T>` is a transparent wrapper of an initialised `T`, and a static is
        // valid for reads; volatile, because user space writes it after compilation.
        unsafe { ::core::ptr::read_volatile(&raw const (*config).$($field)+) }
    }};
}

/// Whether something is asked for, of [`capable_common::Wanted`].
#[inline(always)]
pub fn wants(what: u8) -> bool {
    crate::config!(wanted) & what != 0
}
