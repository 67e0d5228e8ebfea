//! One check, from what its hook gives to its record.

use aya_ebpf::EbpfContext;
use capable_common::{AuditArgument, Flags};

use crate::{
    audit, config, count, filter,
    hooked::HookedCheck,
    life, maps, own, record,
    settled::SettledCheck,
    task,
    transport::{Lost, Transport},
    unique::{self, Novelty},
};

/// Filters a check, completes it, counts it and sends it.
///
/// `hooked` reads what the hook gives. It is called only once it is known that the process is
/// wanted.
///
/// `CALL_PATH`: this hook does not give the audit argument, so it may have to be inferred. The
/// other hooks do without that code and its buffer on the stack.
#[inline(always)]
pub fn observe<const CALL_PATH: bool, T: Transport, C: EbpfContext>(
    context: &C,
    hooked: impl Fn() -> HookedCheck,
) {
    let by_argument = !CALL_PATH || config!(audit) != AuditArgument::CallPath as u8;
    // The most common case, decided before looking at the process. The tracer makes no unaudited
    // checks of its own when these are dropped.
    let audit_first = config!(only_pid) == 0 && by_argument;
    if audit_first && config!(audited_only) != 0 {
        let HookedCheck { flags, options, .. } = hooked();
        if !audit::keeps_options(flags, options) {
            return maps::count_one(|counters| &mut counters.filtered);
        }
    }

    let (pid, tid) = task::ids();
    if !filter::keeps_process(pid) && !own::is_tracer(pid) {
        return maps::count_one(|counters| &mut counters.filtered);
    }
    let hooked = &hooked();
    if own::is_tracer(pid) {
        return own::remember(hooked.capability, hooked.options);
    }

    let mut flags = hooked.flags;
    if by_argument && flags & Flags::AUDIT_KNOWN == 0 {
        flags |= audit::from_argument(hooked.options);
    }
    if (!audit_first && !audit::keeps(flags))
        || !filter::keeps_capability(hooked.capability)
        || !filter::keeps_task(pid, tid)
    {
        return maps::count_one(|counters| &mut counters.filtered);
    }
    if !by_argument && flags & Flags::AUDIT_KNOWN == 0 {
        flags |= audit::from_call_path(context);
        if !audit::keeps(flags) {
            return maps::count_one(|counters| &mut counters.filtered);
        }
    }
    let settled = &SettledCheck::of(hooked, pid, tid, flags);
    if !filter::keeps_result(settled.flags(), settled.result()) {
        return maps::count_one(|counters| &mut counters.filtered);
    }
    if audit::is_undecided(settled.flags()) {
        return maps::count_one(|counters| &mut counters.undecided);
    }

    maps::count_one(|counters| &mut counters.passed);
    match unique::novelty(context, settled) {
        Novelty::New => {}
        Novelty::Repeated => return maps::count_one(|counters| &mut counters.repeated),
        Novelty::CouldNotTell => {
            maps::count_one(|counters| &mut counters.unique_full);
            T::log_full(context, "unique");
        }
    }
    life::expect_outcome(settled);
    if config!(count) != 0 && !count::count(context, hooked, settled) {
        maps::count_one(|counters| &mut counters.lost_counts);
        T::log_full(context, "counts");
    }
    if config!(send) != 0
        && let Err(lost) = record::send::<T, C>(context, hooked, settled)
    {
        maps::count_one(|counters| match lost {
            Lost::Full => &mut counters.lost_full,
            Lost::NoBuffer => &mut counters.lost_hotplug,
        });
        T::log_lost(context, settled.capability);
    }
}
