//! A trace: the object loaded with a configuration, its hook attached, its stream open.

use std::time::{Duration, Instant};

use aya::maps::{HashMap, MapData, MapError};
use aya_log::EbpfLogger;
use capable_common::{AuditArgument, Config, Counters, MAX_FRAMES, UniqueBy, Wanted};
use thiserror::Error;

use super::{
    attach::{AttachError, Attached, Missed},
    counters::CounterTable,
    counts::{CountBy, Counted, Counts, CountsError},
    filters::{FilterError, Filters},
    numbers::{Numbers, NumbersError},
    stream::{Stream, StreamError},
};
use crate::{
    context::kernel_symbols,
    kernel::{
        bpf::object::{Object, ObjectError},
        btf::offsets::Layout,
        plan::{Hook, Plan, Transport},
        probe::inlining::{self, Caller},
    },
};

/// Functions that pass `CAP_OPT_NOAUDIT`, whatever they are asked (security/commoncap.c,
/// kernel/capability.c, kernel/ptrace.c, security/security.c, kernel/kallsyms.c).
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

/// The default size of the ring buffer.
pub const RING_BYTES: u32 = 1 << 22;

/// The size of a ring buffer that nothing is sent through: a page.
const SMALLEST_RING: u32 = 4096;

/// The default size of a processor's perf buffer, in pages.
pub const PERF_PAGES: usize = 256;

/// A trace could not be started, or its counters not be read.
#[derive(Debug, Error)]
pub enum TracerError {
    /// The object could not be made ready.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The hook could not be attached.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The stream could not be opened.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A filter could not be set.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// What was counted could not be read.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// A process that was named cannot be found in the kernel.
    #[error(transparent)]
    Numbers(#[from] NumbersError),
    /// A map could not be read or written.
    #[error("cannot use the map {0}: {1}")]
    Map(&'static str, MapError),
}

/// What a trace is to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// The hook.
    pub hook: Hook,
    /// The transport.
    pub transport: Transport,
    /// What is known of this kernel.
    pub layout: Layout,
    /// Drop checks that are known not to be audited.
    pub audited_only: bool,
    /// Send parent, inner pids and system call.
    pub detail: bool,
    /// Send whose credentials were checked, over which namespace.
    pub credentials: bool,
    /// Send the cgroup's id.
    pub cgroup: bool,
    /// Frames of the kernel stack.
    pub kernel_frames: u32,
    /// Frames of the user stack.
    pub user_frames: u32,
    /// What to keep.
    pub filters: Filters,
    /// Follow the children of the processes to keep.
    pub follow: bool,
    /// Tell how system calls ended in which a check was denied.
    pub outcomes: bool,
    /// Send only what is new.
    pub unique: UniqueBy,
    /// Send records. Without, nothing ever comes out of the stream.
    pub send: bool,
    /// Count checks in the kernel, to be read with [`Tracer::counts`].
    pub count: Option<CountBy>,
    /// Size of the ring buffer, or of all perf buffers together, in bytes.
    pub buffer: Option<u32>,
    /// The level of the kernel side's own log: 0 is off, 5 is trace.
    pub log_level: u8,
}

impl Request {
    /// Every audited check, sent plainly: the least that a trace by this plan can be asked for.
    pub fn of(plan: &Plan) -> Self {
        Self {
            hook: plan.hook,
            transport: plan.transport,
            layout: plan.layout,
            audited_only: true,
            detail: false,
            credentials: false,
            cgroup: false,
            kernel_frames: 0,
            user_frames: 0,
            filters: Filters::default(),
            follow: false,
            outcomes: false,
            unique: UniqueBy::Off,
            send: true,
            count: None,
            buffer: None,
            log_level: 0,
        }
    }
}

/// A trace at work. Dropping it ends it.
pub struct Tracer {
    attached: Attached,
    /// What the kernel had skipped when the hooks were taken away.
    missed_before: Missed,
    detached: bool,
    counters: CounterTable,
    /// Where the numbers of processes here are not those that the kernel side sees.
    numbers: Option<Numbers>,
    followed: Option<HashMap<MapData, u32, u32>>,
    log: Option<EbpfLogger<&'static dyn log::Log>>,
    counts: Option<Counts>,
    /// The stream of records.
    pub stream: Stream,
    /// What this trace cannot show, and why: for the user to know before the first row.
    pub gaps: Vec<String>,
    /// How long it took to load and attach.
    pub started_in: Duration,
}

impl Tracer {
    /// Loads and attaches.
    ///
    /// # Errors
    ///
    /// The kernel refuses the object, a program or the hook.
    pub fn start(request: &Request) -> Result<Self, TracerError> {
        let start = Instant::now();
        let mut gaps = Vec::new();
        let mut request = request.clone();
        let (numbers, own) = Numbers::translate(&mut request.filters, &mut gaps)?;
        let request = &request;
        let config = configure(request, own, &mut gaps)?;
        let sizes = table_sizes(request, &config);
        let mut object = Object::open(request.transport, &config, &sizes, request.log_level)?;
        request.filters.fill(&mut object)?;
        let followed = if config.pids != 0 || config.follow != 0 {
            let mut table: HashMap<MapData, u32, u32> = object.take_map("PIDS")?;
            for pid in &request.filters.pids {
                table
                    .insert(pid, FOLLOWED, 0)
                    .map_err(|error| TracerError::Map("PIDS", error))?;
            }
            Some(table)
        } else {
            None
        };
        let pages = match request.buffer {
            _ if !request.send => 1,
            None => PERF_PAGES,
            Some(bytes) => (bytes as usize / 4096).max(1),
        };
        let stream = Stream::open(&mut object, request.transport, &config, pages)?;

        let counts = match request.count {
            Some(by) => Some(Counts::open(&mut object, by)?),
            None => None,
        };
        let mut attached = Attached::default();
        if request.follow {
            attached.follow(&object)?;
        }
        if request.outcomes {
            attached.outcomes(&object)?;
        }
        attached.checks(&object, request.hook, &request.layout)?;
        cover_inlined(request, &config, &mut object, &mut attached, &mut gaps)?;
        Ok(Self {
            log: open_log(request, &attached),
            attached,
            missed_before: Missed::default(),
            detached: false,
            counters: CounterTable(object.take_map("COUNTERS")?),
            numbers,
            followed,
            counts,
            stream,
            gaps,
            started_in: start.elapsed(),
        })
    }

    /// What happened to the checks so far, over all processors.
    ///
    /// # Errors
    ///
    /// The map cannot be read.
    pub fn counters(&self) -> Result<Counters, TracerError> {
        self.counters
            .read(self.detached)
            .map_err(|error| TracerError::Map("COUNTERS", error))
    }

    /// What was counted so far, in no order; nothing where [`Request::count`] is not set.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn counts(&self) -> Result<Vec<Counted>, TracerError> {
        match &self.counts {
            Some(counts) => Ok(counts.read()?),
            None => Ok(Vec::new()),
        }
    }

    /// Makes room in the table of counts: see [`Counts::fold_ended`].
    ///
    /// # Errors
    ///
    /// The table cannot be read or written.
    pub fn fold_ended_counts(&mut self) -> Result<Vec<u32>, TracerError> {
        match &mut self.counts {
            Some(counts) => Ok(counts.fold_ended()?),
            None => Ok(Vec::new()),
        }
    }

    /// What the kernel skipped so far.
    pub fn missed(&self) -> Missed {
        let attached = self.attached.missed();
        Missed {
            checks: self.missed_before.checks + attached.checks,
            outcomes: self.missed_before.outcomes + attached.outcomes,
            uncounted: self.missed_before.uncounted || attached.uncounted,
        }
    }

    /// Follows one more process, from its next check on, or, `waiting`, from its next execve(2).
    ///
    /// # Errors
    ///
    /// The table is full, or this trace follows nobody.
    pub fn follow(&mut self, pid: u32, waiting: bool) -> Result<(), TracerError> {
        let pid = match &self.numbers {
            Some(numbers) => match numbers.initial(pid) {
                // It has ended meanwhile.
                Err(NumbersError::NoProcess(_)) => return Ok(()),
                number => number?,
            },
            None => pid,
        };
        let state = if waiting { WAITING } else { FOLLOWED };
        match &mut self.followed {
            Some(table) => table
                .insert(pid, state, 0)
                .map_err(|error| TracerError::Map("PIDS", error)),
            None => Err(TracerError::Map("PIDS", MapError::KeyNotFound)),
        }
    }

    /// Passes on what the kernel side has to say to the program's log.
    pub fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }

    /// Takes the hooks away; what is in the stream can still be read.
    pub fn detach(&mut self) -> Missed {
        self.missed_before = self.missed();
        self.attached.detach();
        self.detached = true;
        self.missed_before
    }
}

/// The entry of `cap_capable` hooked for the tracer's own checks alone; nothing is sent.
pub struct Probe {
    /// The object, for the table of own checks.
    pub object: Object,
    /// Dropping it takes the hook away.
    _attached: Attached,
}

impl Probe {
    /// Loads and attaches the first half of the pair of probes.
    ///
    /// # Errors
    ///
    /// The kernel refuses the object, the program or the hook.
    pub fn start(plan: &Plan) -> Result<Self, TracerError> {
        let request = Request {
            send: false,
            ..Request::of(plan)
        };
        // In a pid namespace this is a stranger's number: then the check is not seen, and the
        // meaning of the argument stays unknown.
        let config = configure(&request, std::process::id(), &mut Vec::new())?;
        let sizes = table_sizes(&request, &config);
        let object = Object::open(request.transport, &config, &sizes, request.log_level)?;
        let mut attached = Attached::default();
        attached.entry_of_pair(&object)?;
        Ok(Self {
            object,
            _attached: attached,
        })
    }
}

/// The kernel side's own log. It is found by a program's number, which takes CAP_SYS_ADMIN; a
/// trace without it is whole.
fn open_log(request: &Request, attached: &Attached) -> Option<EbpfLogger<&'static dyn log::Log>> {
    if request.log_level == 0 || request.transport != Transport::Ring {
        return None;
    }
    EbpfLogger::init_from_id(attached.program_id()?)
        .map_err(|error| log::warn!("cannot read the kernel side's log: {error}"))
        .ok()
}

/// States of a process in the table (capable-ebpf/src/life.rs).
const WAITING: u32 = 0;
const FOLLOWED: u32 = 1;

fn configure(
    request: &Request,
    own_pid: u32,
    gaps: &mut Vec<String>,
) -> Result<Config, TracerError> {
    let frames = |frames: u32| frames.min(MAX_FRAMES as u32);
    let ring_bytes = request.buffer.unwrap_or(RING_BYTES);
    let mut config = Config {
        capabilities: u64::MAX,
        lowest_mapping: inlining::lowest_mapping(),
        unaudited: Default::default(),
        insetid: Default::default(),
        cap_capable: Default::default(),
        offsets: request.layout.offsets,
        own_pid,
        kernel_frames: frames(request.kernel_frames),
        user_frames: frames(request.user_frames),
        only_pid: 0,
        cgroups: 0,
        wakeup_bytes: ring_bytes / 2,
        io_worker: request.layout.io_worker,
        securebits: securebits(&request.layout),
        namespaces: Default::default(),
        audit: request.layout.audit as u8,
        audited_only: u8::from(request.audited_only),
        narrow: 0,
        reserved: 0,
        wakeup_sample: wakeup_sample(ring_bytes),
        typed_task: u8::from(request.layout.typed_task),
        results: 0,
        unique: request.unique as u8,
        wanted: wanted(request),
        pids: 0,
        tids: 0,
        users: 0,
        comms: 0,
        follow: u8::from(request.follow),
        send: u8::from(request.send),
        count: u8::from(request.count.is_some()),
        count_subject: request.count.map_or(0, |by| by.subject as u8),
        count_origin: u8::from(request.count.is_some_and(|by| by.origin)),
        outcomes: u8::from(request.outcomes),
        task_regs_helper: u8::from(request.layout.task_registers),
    };
    if request.hook == Hook::Tracepoint {
        infer_audit(&mut config, gaps);
    }
    request.filters.configure(&mut config)?;
    Ok(config)
}

/// Which records ask how full a ring buffer of this size is: one of 16 where half of it has room for
/// more than a thousand checks, else each.
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

fn wanted(request: &Request) -> u8 {
    [
        (request.detail, Wanted::DETAIL),
        (request.credentials, Wanted::CREDENTIALS),
        (request.cgroup, Wanted::CGROUP),
    ]
    .into_iter()
    .filter(|(asked, _)| *asked)
    .fold(0, |wanted, (_, bit)| wanted | bit)
}

/// Tells the kernel side where the functions are by which it infers the audit flag.
fn infer_audit(config: &mut Config, gaps: &mut Vec<String>) {
    let names: Vec<&str> = [&["cap_capable"][..], &UNAUDITED, &INSETID].concat();
    let ranges = match kernel_symbols::find(&names) {
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

/// The tables that a trace does not use are made as small as can be.
fn table_sizes(request: &Request, config: &Config) -> Vec<(&'static str, u32)> {
    let mut sizes = Vec::new();
    let mut unless = |used: bool, name| {
        if !used {
            sizes.push((name, 1));
        }
    };
    unless(config.pids != 0 || config.follow != 0, "PIDS");
    unless(config.tids != 0, "TIDS");
    unless(config.users != 0, "USERS");
    unless(config.cgroups != 0, "CGROUPS");
    unless(config.unique != 0, "UNIQUE");
    unless(
        config.count_origin != 0 || request.unique == UniqueBy::Stack,
        "STACKS",
    );
    unless(
        request.hook == Hook::KprobePair && config.kernel_frames != 0,
        "PENDING_FRAMES",
    );
    sizes.push(("COUNTS", request.count.map_or(1, |by| by.entries)));
    if request.hook != Hook::KprobePair {
        sizes.push(("PENDING", 64));
    }
    if !request.outcomes {
        sizes.push(("DENIED", 64));
    }
    if request.transport == Transport::Ring {
        let bytes = if request.send {
            request.buffer.unwrap_or(RING_BYTES)
        } else {
            SMALLEST_RING
        };
        sizes.push(("EVENTS", bytes));
    }
    sizes
}

/// Makes checks of the kind that compilers inline, and hooks the function that one is inlined into
/// where it does not arrive. The tracepoint is in the body, and is inlined with it.
fn cover_inlined(
    request: &Request,
    config: &Config,
    object: &mut Object,
    attached: &mut Attached,
    gaps: &mut Vec<String>,
) -> Result<(), TracerError> {
    if request.hook == Hook::Tracepoint {
        return Ok(());
    }
    for caller in Caller::ALL {
        if !caller.is_asked_for(config) || !caller.is_inlined(object)? {
            continue;
        }
        let hooked = if request.hook == Hook::KprobePair && caller == Caller::Prctl {
            Err("without BTF it cannot be told when it asks".to_owned())
        } else {
            attached
                .caller(object, request.hook, caller, &request.layout)
                .map_err(|error| error.to_string())
        };
        if let Err(error) = hooked {
            gaps.push(format!(
                "cap_capable is inlined into {} on this kernel, so its checks for {} do not \
                 appear: {error}",
                caller.function(),
                caller.purpose(),
            ));
        }
    }
    Ok(())
}
