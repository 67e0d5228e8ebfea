//! A trace: the object loaded with a configuration, its hook attached, its stream open.

use std::sync::{Arc, Mutex, PoisonError};

use aya::maps::{HashMap, MapData, MapError};
use aya_log::EbpfLogger;
use capable_common::{Config, Counters, FollowedProcess};

use super::{
    attach::{AttachError, Attached, Missed},
    configure::{configure, table_sizes},
    counters::CounterTable,
    counts::{CountBy, Counts, CountsError},
    error::TracerError,
    followed::{self, Followed, Table},
    losses::Losses,
    numbers::{Numbers, NumbersError},
    settings::{Follow, Settings},
    stream::{Stream, StreamError},
    texts,
};
use crate::event::ProcessId;
use crate::kernel::{
    bpf::object::Object,
    hook::{Caller, Hook, Transport},
};

/// A running trace. Dropping it ends it.
pub struct Tracer {
    attached: Attached,
    /// What the kernel had skipped by the time the hooks were detached.
    missed_before: Missed,
    detached: bool,
    counters: CounterTable,
    /// Set if the kernel side sees other numbers for processes than this process does.
    numbers: Option<Numbers>,
    followed: Option<HashMap<MapData, u32, PodFollowed>>,
    cgroups: Option<Arc<Mutex<Table>>>,
    log: Option<EbpfLogger<&'static dyn log::Log>>,
}

/// A trace that is ready to start: its tables are filled, and nothing is attached. Its output is
/// opened before that, so that nothing is lost.
pub struct Ready {
    settings: Settings,
    config: Config,
    object: Object,
    numbers: Option<Numbers>,
    followed: Option<HashMap<MapData, u32, PodFollowed>>,
    cgroups: Option<Table>,
    attached: Attached,
    gaps: Vec<String>,
}

impl Ready {
    /// Creates the tables for these settings and fills them.
    ///
    /// # Errors
    ///
    /// The kernel refuses the object or a filter.
    pub fn new(mut settings: Settings) -> Result<Self, TracerError> {
        let mut gaps = Vec::new();
        let (numbers, own) = Numbers::translate(&mut settings.filters, &mut gaps)?;
        let config = configure(&settings, own, &mut gaps)?;
        let sizes = table_sizes(&settings, &config);
        let mut object = Object::open(settings.transport, &config, &sizes, settings.log_level)?;
        settings.filters.fill(&mut object)?;
        let followed = follow_first(&settings, &config, &mut object)?;
        let cgroups = Table::open(&mut object, &settings.filters)?;
        Ok(Self {
            settings,
            config,
            object,
            numbers,
            followed,
            cgroups,
            attached: Attached::default(),
            gaps,
        })
    }

    /// Adds what the trace cannot show, in a sentence.
    pub fn add_gap(&mut self, sentence: String) {
        self.gaps.push(sentence);
    }

    /// Opens the stream of records. Call it within a runtime, which waits for them.
    ///
    /// # Errors
    ///
    /// The buffers cannot be made or waited for.
    pub fn stream(&mut self) -> Result<Stream, StreamError> {
        let Settings { transport, .. } = self.settings;
        let pages = self.settings.perf_pages();
        Stream::open(&mut self.object, transport, &self.config, pages)
    }

    /// Opens the table of counts.
    ///
    /// # Errors
    ///
    /// The object does not have it.
    pub fn counts(&mut self, by: CountBy) -> Result<Counts, CountsError> {
        Counts::open(&mut self.object, by)
    }

    /// From now on follows cgroups that are made, if filters name some. Those that exist must be put
    /// into the table that this returns.
    ///
    /// # Errors
    ///
    /// The kernel refuses, or does not tell what this takes.
    pub fn follow_cgroups(&mut self) -> Result<Option<&mut Table>, AttachError> {
        let Some(cgroups) = &mut self.cgroups else {
            return Ok(None);
        };
        followed::is_told(&self.settings.layout.offsets)?;
        self.attached.cgroups(&mut self.object)?;
        Ok(Some(cgroups))
    }

    /// Loads the programs and attaches them: the trace begins. Also returns what it cannot show and
    /// why, so that the user knows before the first row.
    ///
    /// # Errors
    ///
    /// The kernel refuses a program or a hook.
    pub fn attach(self) -> Result<(Tracer, Vec<String>), TracerError> {
        let Self {
            settings,
            config,
            mut object,
            numbers,
            followed,
            cgroups,
            mut attached,
            mut gaps,
        } = self;
        if settings.follow != Follow::Nobody {
            attached.follow(&mut object)?;
        }
        if config.operations != 0 {
            texts::set(&mut object)?;
        }
        if config.outcomes != 0 {
            attached.outcomes(&mut object)?;
        }
        attached.checks(&mut object, settings.hook, &settings.layout)?;
        cover_inlined(&settings, &config, &mut object, &mut attached, &mut gaps)?;
        let tracer = Tracer {
            log: open_log(&settings, &attached),
            attached,
            missed_before: Missed::default(),
            detached: false,
            counters: CounterTable(object.take_map("COUNTERS")?),
            numbers,
            followed,
            cgroups: cgroups.map(|table| Arc::new(Mutex::new(table))),
        };
        Ok((tracer, gaps))
    }
}

impl Tracer {
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

    /// What is known to be missing so far.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn losses(&self) -> Result<Losses, TracerError> {
        let mut counters = self.counters()?;
        if let Some(table) = &self.cgroups {
            let table = table.lock().unwrap_or_else(PoisonError::into_inner);
            counters.lost_cgroups += table.lost;
        }
        Ok(Losses::of(&counters, self.missed()))
    }

    /// What the kernel skipped so far.
    fn missed(&self) -> Missed {
        let attached = self.attached.missed();
        Missed {
            checks: self.missed_before.checks + attached.checks,
            outcomes: self.missed_before.outcomes + attached.outcomes,
            uncounted: self.missed_before.uncounted || attached.uncounted,
        }
    }

    /// What was seen of the cgroups that filters name, for each name.
    ///
    /// # Errors
    ///
    /// The map cannot be read.
    pub fn cgroups(&self) -> Result<Vec<Followed>, TracerError> {
        let Some(table) = &self.cgroups else {
            return Ok(Vec::new());
        };
        let table = table.lock().unwrap_or_else(PoisonError::into_inner);
        table
            .seen()
            .map_err(|error| TracerError::Map("CGROUP_PATTERNS", error))
    }

    /// The table of the cgroups that filters name, to change it while the trace runs.
    pub fn cgroup_table(&self) -> Option<Arc<Mutex<Table>>> {
        self.cgroups.clone()
    }

    /// Follows one more process, from its next check on.
    ///
    /// # Errors
    ///
    /// The table is full, or this trace follows nobody.
    pub fn follow(&mut self, mut id: ProcessId) -> Result<(), TracerError> {
        if let Some(numbers) = &self.numbers {
            id.pid = match numbers.initial(id.pid) {
                // It has ended in the meantime.
                Err(NumbersError::NoProcess(_)) => return Ok(()),
                number => number?,
            };
        }
        match &mut self.followed {
            Some(table) => table
                .insert(id.pid, followed(id, FollowedProcess::RUNNING), 0)
                .map_err(|error| TracerError::Map("PIDS", error)),
            None => Err(TracerError::Map("PIDS", MapError::KeyNotFound)),
        }
    }

    /// Passes the messages of the kernel side on to the program's log.
    pub fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }

    /// Detaches the hooks; what is in the stream can still be read.
    pub fn detach(&mut self) {
        self.missed_before = self.missed();
        self.attached.detach();
        self.detached = true;
    }
}

/// The kernel side's own log. It is found by a program's id, which takes CAP_SYS_ADMIN; a trace is
/// complete without it.
fn open_log(settings: &Settings, attached: &Attached) -> Option<EbpfLogger<&'static dyn log::Log>> {
    if settings.log_level == 0 || settings.transport != Transport::Ring {
        return None;
    }
    EbpfLogger::init_from_id(attached.program_id()?)
        .map_err(|error| log::warn!("cannot read the kernel side's log: {error}"))
        .ok()
}

/// An entry of the table of processes, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct PodFollowed(FollowedProcess);

// SAFETY: the entry is made of integers and has no padding (capable-common pins its size).
unsafe impl aya::Pod for PodFollowed {}

fn followed(id: ProcessId, state: u32) -> PodFollowed {
    let started = id.started;
    PodFollowed(FollowedProcess { state, started })
}

/// The table of processes, with those that the filters name; `None` if the trace does not use it.
fn follow_first(
    settings: &Settings,
    config: &Config,
    object: &mut Object,
) -> Result<Option<HashMap<MapData, u32, PodFollowed>>, TracerError> {
    if config.pids == 0 && config.follow == 0 {
        return Ok(None);
    }
    let state = match settings.follow {
        Follow::FromExecve => FollowedProcess::WAITING,
        Follow::Nobody | Follow::Descendants => FollowedProcess::RUNNING,
    };
    let mut table: HashMap<MapData, u32, PodFollowed> = object.take_map("PIDS")?;
    for &id in &settings.filters.pids {
        table
            .insert(id.pid, followed(id, state), 0)
            .map_err(|error| TracerError::Map("PIDS", error))?;
    }
    Ok(Some(table))
}

/// Makes checks of the kind that compilers inline. If one does not arrive, hooks the function that
/// it is inlined into. The tracepoint is in the body of `cap_capable` and is inlined with it.
fn cover_inlined(
    settings: &Settings,
    config: &Config,
    object: &mut Object,
    attached: &mut Attached,
    gaps: &mut Vec<String>,
) -> Result<(), TracerError> {
    if settings.hook == Hook::Tracepoint {
        return Ok(());
    }
    for caller in Caller::ALL {
        if !caller.is_asked_for(config) || !caller.is_inlined(object)? {
            continue;
        }
        let hooked = if settings.hook == Hook::KprobePair && caller == Caller::Prctl {
            Err("without BTF capable cannot tell when it asks".to_owned())
        } else {
            attached
                .caller(object, settings.hook, caller, &settings.layout)
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
