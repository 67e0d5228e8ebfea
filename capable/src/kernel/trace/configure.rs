//! Turns settings into the configuration, which is frozen before the programs load, and into the
//! sizes of its tables.

use capable_common::{AuditArgument, Config, MAX_FRAMES, UniqueBy, Wanted};

use super::{
    counts::CountBy,
    filters::FilterError,
    settings::{Follow, Records, Settings},
};
use crate::kernel::{
    btf::offsets::Layout,
    hook::{Hook, Transport},
    probe::inlining,
    symbols,
};

/// Functions that always pass `CAP_OPT_NOAUDIT` (security/commoncap.c, kernel/capability.c,
/// kernel/ptrace.c, security/security.c, kernel/kallsyms.c).
const UNAUDITED: [&str; 8] = [
    "ns_capable_noaudit",
    "has_capability_noaudit",
    "has_ns_capability_noaudit",
    "ptracer_capable",
    "cap_vm_enough_memory",
    "security_vm_enough_memory_mm",
    "kallsyms_show_value",
    "__vm_enough_memory",
];

/// Functions that pass `CAP_OPT_INSETID` (kernel/capability.c).
const INSETID: [&str; 1] = ["ns_capable_setid"];

/// Says where Landlock's part of a task's security begins (security/landlock/setup.c).
const LANDLOCK_SIZES: &str = "landlock_blob_sizes";

/// What the kernel side is told. Whatever it cannot be told goes to `gaps`.
///
/// # Errors
///
/// A filter is larger than the kernel side can take.
pub(super) fn configure(
    settings: &Settings,
    own_pid: u32,
    gaps: &mut Vec<String>,
) -> Result<Config, FilterError> {
    let frames = |frames: u32| frames.min(MAX_FRAMES as u32);
    let ring_bytes = settings.ring_bytes();
    let records = settings.records().cloned().unwrap_or_default();
    let count = settings.count();
    let mut config = Config {
        lowest_mapping: inlining::lowest_mapping(),
        offsets: settings.layout.offsets,
        own_pid,
        kernel_frames: frames(records.kernel_frames),
        user_frames: frames(records.user_frames),
        wakeup_bytes: ring_bytes / 2,
        io_worker: settings.layout.io_worker,
        securebits: securebits(&settings.layout),
        audit: settings.layout.audit as u8,
        audited_only: u8::from(settings.audited_only),
        wakeup_sample: wakeup_sample(ring_bytes),
        typed_task: u8::from(settings.layout.typed_task),
        unique: records.unique as u8,
        wanted: wanted(&records, count),
        follow: u8::from(settings.follow != Follow::Nobody),
        send: u8::from(settings.records().is_some()),
        count: u8::from(count.is_some()),
        count_subject: count.map_or(0, |by| by.subject as u8),
        count_origin: u8::from(count.is_some_and(|by| by.origin)),
        outcomes: u8::from(records.outcomes),
        operations: u8::from(records.outcomes && records.operations),
        task_regs_helper: u8::from(settings.layout.task_registers),
        // The fields for filters are set below.
        ..Config::PLAIN
    };
    if config.operations != 0 {
        config.landlock = symbols::find_data(LANDLOCK_SIZES).unwrap_or(0);
    }
    if settings.hook == Hook::Tracepoint {
        infer_audit(&mut config, gaps);
    }
    settings.filters.configure(&mut config)?;
    Ok(config)
}

/// Which records query how full a ring buffer of this size is: one in 16 if half of it has room for
/// more than a thousand checks, otherwise each.
fn wakeup_sample(ring_bytes: u32) -> u8 {
    if ring_bytes >= 1 << 18 { 15 } else { 0 }
}

/// The securebits that a kernel knows: those for scripts came with 6.14
/// (include/uapi/linux/securebits.h, commit a5874fde3c08), as did the tracepoint.
fn securebits(layout: &Layout) -> u32 {
    if layout.tracepoint.is_some() {
        0xFFF
    } else {
        0xFF
    }
}

/// What is asked for besides the plain check. Counting by origin includes credentials and
/// namespaces, as records can.
fn wanted(records: &Records, count: Option<CountBy>) -> Wanted {
    if count.is_some_and(|by| by.origin) {
        records.wanted | Wanted::CREDENTIALS
    } else {
        records.wanted
    }
}

/// Tells the kernel side where the functions are from which it infers the audit flag.
fn infer_audit(config: &mut Config, gaps: &mut Vec<String>) {
    let names: Vec<&str> = [&["cap_capable"][..], &UNAUDITED, &INSETID].concat();
    let ranges = match symbols::find(&names) {
        Ok(ranges) => ranges,
        Err(error) => {
            config.audit = AuditArgument::Unknown as u8;
            gaps.push(format!("the audit flag is unknown: {error}"));
            return;
        }
    };
    let mut ranges = ranges.into_iter().map(Option::unwrap_or_default);
    config.audit = AuditArgument::CallPath as u8;
    config.cap_capable = ranges.next().unwrap_or_default();
    for slot in config.unaudited.iter_mut() {
        *slot = ranges.next().unwrap_or_default();
    }
    for (slot, range) in config.insetid.iter_mut().zip(ranges) {
        *slot = range;
    }
}

/// Tables that a trace does not use are made as small as possible.
pub(super) fn table_sizes(settings: &Settings, config: &Config) -> Vec<(&'static str, u32)> {
    let mut sizes = Vec::new();
    let mut unless = |used: bool, name| {
        if !used {
            sizes.push((name, 1));
        }
    };
    unless(config.pids != 0 || config.follow != 0, "PIDS");
    unless(config.unique != 0, "UNIQUE");
    unless(config.operations != 0, "CALL_TEXTS");
    unless(
        config.count_origin != 0 || config.unique == UniqueBy::Stack as u8,
        "STACKS",
    );
    unless(
        settings.hook == Hook::KprobePair && config.kernel_frames != 0,
        "PENDING_FRAMES",
    );
    sizes.extend(settings.filters.empty_tables().map(|name| (name, 1)));
    sizes.push(("COUNTS", settings.count().map_or(1, |by| by.entries)));
    if settings.hook != Hook::KprobePair {
        sizes.push(("PENDING", 64));
    }
    if config.outcomes == 0 {
        sizes.push(("DENIED", 64));
    }
    if settings.transport == Transport::Ring {
        sizes.push(("EVENTS", settings.ring_bytes()));
    }
    sizes
}
