//! One check, from its arguments to its record.

use aya_ebpf::{
    EbpfContext,
    helpers::{bpf_get_current_pid_tgid, generated},
};
use capable_common::{
    AuditArgument, COMM_LENGTH, Check, Detail, Flags, RecordKind, STACK_FAILED, Wanted,
};

use crate::{
    config,
    config::wants,
    count::{self, Novelty},
    filter, life,
    maps::{self, add},
    pair::Frames,
    task,
    transport::{Slot, Transport},
    verdict::{self, Subject, Target},
};

/// `BPF_F_USER_STACK` (include/uapi/linux/bpf.h).
const USER_STACK: u64 = 1 << 8;

/// What a hook gives.
#[derive(Clone, Copy)]
pub struct Asked {
    /// The address of the credentials that are checked.
    pub credentials: u64,
    /// The user namespace over which the capability is asked.
    pub target: Target,
    /// The capability's number.
    pub capability: i32,
    /// The fourth argument, or 0 where the hook does not give it.
    pub options: u32,
    /// What the function returned, where the hook gives it.
    pub result: Option<i32>,
    /// The kernel stack, where the hook has captured it before.
    pub frames: Option<Frames>,
    /// [`Flags`] that the hook itself knows.
    pub flags: u32,
    /// Whose program this is.
    pub slot: Slot,
    /// No other program of this kind runs on the processor meanwhile (kernel/trace/bpf_trace.c,
    /// `trace_call_bpf`, which kprobes go through).
    pub exclusive: bool,
}

/// What is known of a check when it is counted or sent.
#[derive(Clone, Copy)]
pub struct Known {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The address of its `task_struct`: see [`task::current`].
    pub task: u64,
    /// The capability's number.
    pub capability: i32,
    /// The fourth argument.
    pub options: u32,
    /// Credentials, namespaces and result.
    pub subject: Subject,
}

impl Known {
    /// The result is known.
    #[inline(always)]
    pub fn has_result(&self) -> bool {
        self.subject.flags & Flags::RESULT_KNOWN != 0
    }

    /// The result; 0 where it is not known.
    #[inline(always)]
    pub fn result(&self) -> i32 {
        self.subject.result
    }

    /// [`Flags`].
    #[inline(always)]
    pub fn flags(&self) -> u32 {
        self.subject.flags
    }
}

/// Remembers a check of the tracer's own, by which it learns what its hook sees; true where it is
/// one.
#[inline(always)]
pub fn is_own(pid: u32, capability: i32, options: u32) -> bool {
    if pid != config!(own_pid) {
        return false;
    }
    if let Some(own) = maps::OWN_CHECKS.get_ptr_mut(capability as u32) {
        // SAFETY: the entry lives as long as the map, and only the tracer's single checking
        // thread changes it.
        unsafe {
            add(&mut (*own).checks);
            (*own).options = u64::from(options);
        }
    }
    true
}

/// Filters a check, settles what is known of it, counts and sends it.
///
/// `ask` reads what the hook gives: not before it is known that the process is wanted.
///
/// `CALL_PATH`: this hook does not give the audit argument, so it may have to be inferred. The
/// others do without that code and its buffer on the stack.
#[inline(always)]
pub fn observe<const CALL_PATH: bool, T: Transport, C: EbpfContext>(
    context: &C,
    ask: impl Fn() -> Asked,
) {
    let by_argument = !CALL_PATH || config!(audit) != AuditArgument::CallPath as u8;
    let audit_first = config!(only_pid) == 0 && by_argument && config!(audited_only) != 0;
    if audit_first {
        // The commonest answer, before it is asked who the process is. The tracer makes no
        // unaudited check of its own where these are dropped.
        let asked = ask();
        if !filter::keeps_audit(asked.flags | filter::audit_from_argument(asked.options)) {
            maps::count_one(|counters| &mut counters.filtered);
            return;
        }
    }
    let ids = bpf_get_current_pid_tgid();
    let (pid, tid) = ((ids >> 32) as u32, ids as u32);
    if !filter::keeps_process(pid) && pid != config!(own_pid) {
        maps::count_one(|counters| &mut counters.filtered);
        return;
    }
    let asked = &ask();
    if is_own(pid, asked.capability, asked.options) {
        return;
    }
    let mut flags = asked.flags;
    if by_argument && flags & Flags::AUDIT_KNOWN == 0 {
        flags |= filter::audit_from_argument(asked.options);
    }
    if (!audit_first && !filter::keeps_audit(flags))
        || !filter::keeps_capability(asked.capability)
        || !filter::keeps_task(pid, tid)
    {
        maps::count_one(|counters| &mut counters.filtered);
        return;
    }
    if !by_argument && flags & Flags::AUDIT_KNOWN == 0 {
        flags |= filter::audit_from_call_path(context);
        if !filter::keeps_audit(flags) {
            maps::count_one(|counters| &mut counters.filtered);
            return;
        }
    }

    let task = task::current();
    let mut subject = verdict::settle(asked, task);
    subject.flags |= flags;
    let known = Known {
        pid,
        tid,
        task,
        capability: asked.capability,
        options: asked.options,
        subject,
    };
    if !filter::keeps_result(known.flags(), known.result()) {
        maps::count_one(|counters| &mut counters.filtered);
        return;
    }
    maps::count_one(|counters| &mut counters.passed);
    match count::novelty(context, &known) {
        Novelty::New => {}
        Novelty::Repeated => {
            maps::count_one(|counters| &mut counters.repeated);
            return;
        }
        Novelty::CouldNotTell => {
            maps::count_one(|counters| &mut counters.table_full);
            T::log_full(context, "unique");
        }
    }
    life::expect_outcome(&known);
    if config!(count) != 0 {
        let syscall = if config!(count_origin) != 0 {
            task::syscall_number()
        } else {
            0
        };
        if !count::count(context, &known, asked, syscall) {
            maps::count_one(|counters| &mut counters.lost_counts);
            T::log_full(context, "counts");
        }
    }
    if config!(send) != 0 && !send::<T, C>(context, asked, &known) {
        maps::count_one(|counters| &mut counters.lost_full);
        T::log_lost(context, known.capability);
    }
}

/// The number of bytes of a record; a constant to the verifier.
#[inline(always)]
fn record_size() -> u64 {
    let frames = u64::from(config!(kernel_frames)) + u64::from(config!(user_frames));
    let detail = if wants(Wanted::DETAIL) {
        size_of::<Detail>() as u64
    } else {
        0
    };
    size_of::<Check>() as u64 + detail + frames * 8
}

/// Writes the record straight into the transport's memory.
#[inline(always)]
fn send<T: Transport, C: EbpfContext>(context: &C, asked: &Asked, known: &Known) -> bool {
    let identity = task::identity(known.task);
    let uid = identity.user();
    let size = record_size();
    let record = T::reserve(size, asked.slot);
    if record.is_null() {
        return false;
    }
    let mut flags = known.flags();
    if wants(Wanted::CREDENTIALS) {
        flags |= identity.owner(asked.credentials);
    }
    let mut end = size_of::<Check>() as u64;
    if wants(Wanted::DETAIL) {
        flags |= task::kind(known.task);
        // SAFETY: the record has room for the detail where it is asked for, and its sections are
        // multiples of eight bytes.
        let detail = unsafe { &mut *record.add(end as usize).cast::<Detail>() };
        flags |= task::describe(known.task, detail);
        end += size_of::<Detail>() as u64;
    }
    let kernel_frames = match asked.frames {
        Some(frames) => copy(frames, record, end, config!(kernel_frames)),
        None => capture(context, record, end, config!(kernel_frames), 0),
    };
    end += u64::from(config!(kernel_frames)) * 8;
    let user_frames = capture(context, record, end, config!(user_frames), USER_STACK);

    let check = record.cast::<Check>();
    let time = now();
    // Field by field: as a whole the name would be zeroed first, in a loop of a hundred
    // instructions.
    macro_rules! write {
        ($($field:ident = $value:expr;)+) => {
            // SAFETY: the record has room for a check, and is aligned to eight bytes.
            $(unsafe { (&raw mut (*check).$field).write($value) };)+
        };
    }
    // First what helpers give: the rest then need not survive their calls.
    write! {
        time = time;
        processor = processor();
        cgroup = if wants(Wanted::CGROUP) { filter::current_cgroup() } else { 0 };
    }
    let Subject {
        effective,
        euid,
        credential_namespace,
        target_namespace,
        result,
        flags: _,
    } = known.subject;
    write! {
        kind = RecordKind::Check as u16;
        kernel_frames = kernel_frames;
        user_frames = user_frames;
        effective = effective;
        pid = known.pid;
        tid = known.tid;
        uid = uid;
        euid = euid;
        capability = known.capability;
        options = known.options;
        result = result;
        target_namespace = target_namespace;
        credential_namespace = credential_namespace;
        flags = flags;
    }
    // SAFETY: the record has room for a check, whose name lies at a multiple of eight bytes.
    let name = unsafe { (&raw mut (*check).comm).cast::<[u64; COMM_LENGTH / 8]>() };
    match identity.comm {
        // SAFETY: as above. Word by word: as a whole it would go over the stack.
        Some([first, second]) => unsafe {
            (*name)[0] = first;
            (*name)[1] = second;
        },
        // SAFETY: the name has as many bytes as is said.
        None => unsafe {
            generated::bpf_get_current_comm(name.cast(), COMM_LENGTH as u32);
        },
    }
    T::submit(context, record, size, time)
}

/// The processor that the check runs on.
#[inline(always)]
fn processor() -> u16 {
    // SAFETY: the helper takes nothing.
    unsafe { generated::bpf_get_smp_processor_id() as u16 }
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[inline(always)]
fn now() -> u64 {
    // SAFETY: the helper takes nothing.
    unsafe { generated::bpf_ktime_get_ns() }
}

/// Copies a stack that was captured before into the record; the number of its frames.
#[inline(always)]
fn copy(kept: Frames, record: *mut u8, start: u64, frames: u32) -> u16 {
    // SAFETY: the record has room for this many frames at `start`; the helper checks the source.
    let error = unsafe {
        generated::bpf_probe_read_kernel(
            record.add(start as usize).cast(),
            frames * 8,
            kept.address as *const _,
        )
    };
    if error < 0 || kept.bytes < 0 {
        maps::count_one(|counters| &mut counters.lost_stacks);
        return STACK_FAILED;
    }
    (kept.bytes / 8) as u16
}

/// Captures a stack into the record; the number of its frames.
#[inline(always)]
fn capture<C: EbpfContext>(
    context: &C,
    record: *mut u8,
    start: u64,
    frames: u32,
    flags: u64,
) -> u16 {
    if frames == 0 {
        return 0;
    }
    // SAFETY: the record has room for this many frames at `start`.
    let bytes = unsafe {
        generated::bpf_get_stack(
            context.as_ptr(),
            record.add(start as usize).cast(),
            frames * 8,
            flags,
        )
    };
    if bytes < 0 {
        maps::count_one(|counters| &mut counters.lost_stacks);
        return STACK_FAILED;
    }
    (bytes / 8) as u16
}
