//! A trace: the object loaded with a configuration, its hook attached, its stream open.

use std::time::{Duration, Instant};

use aya::maps::{HashMap, MapData, MapError};
use aya_log::EbpfLogger;
use capable_common::{Config, Counters};
use thiserror::Error;

use super::{
    attach::{AttachError, Attached, Missed},
    configure::{configure, table_sizes},
    counters::CounterTable,
    counts::{Counted, Counts, CountsError},
    filters::FilterError,
    numbers::{Numbers, NumbersError},
    request::PERF_PAGES,
    stream::{Stream, StreamError},
};
use crate::kernel::{
    bpf::object::{Object, ObjectError},
    hook::{Caller, Hook, Transport},
    probe::inlining::InliningError,
};

pub use super::request::Request;

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
    /// Whether checks are inlined could not be learned.
    #[error(transparent)]
    Inlining(#[from] InliningError),
    /// A map could not be read or written.
    #[error("cannot use the map {0}: {1}")]
    Map(&'static str, MapError),
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
