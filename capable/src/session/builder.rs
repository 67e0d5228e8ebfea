//! What to trace, and the plan that this kernel allows for.

use super::{
    Session, SessionError, containers::Containers, counting::Counting, descendants, following,
    streaming::Streaming,
};
use crate::event::ProcessId;
use crate::filter::{self, Expression, LowerError};
use crate::kernel::{
    hook::{Hook, Transport},
    plan::{Choice, Plan, PlanError, plan},
    trace::{
        calibration,
        counts::CountBy,
        filters::Filters,
        settings::{Follow, Output, Records, Settings},
        tracer::Ready,
    },
};

/// What to trace: every audited check, with the best hook and transport that this kernel has,
/// unless something else is chosen.
#[derive(Clone, Debug)]
pub struct Builder {
    choice: Choice,
    audited_only: bool,
    filters: Filters,
    follow: Follow,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Every audited check, in the best way that this kernel has.
    pub fn new() -> Self {
        Self {
            choice: Choice::default(),
            audited_only: true,
            filters: Filters::default(),
            follow: Follow::Nobody,
        }
    }

    /// Uses this hook and no other.
    pub fn hook(mut self, hook: Hook) -> Self {
        self.choice.hook = Some(hook);
        self
    }

    /// Uses this transport and no other.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.choice.transport = Some(transport);
        self
    }

    /// Includes checks that are not audited. There are many more of them.
    pub fn unaudited(mut self) -> Self {
        self.audited_only = false;
        self
    }

    /// Keeps only the checks that satisfy this expression, which replaces an earlier one. Processes
    /// and threads are those that have the numbers now, not others that get them later.
    ///
    /// # Errors
    ///
    /// No check can satisfy it, because of what it says or because none of its processes is there;
    /// or the kernel side cannot decide it.
    pub fn filter(mut self, expression: impl Into<Expression>) -> Result<Self, LowerError> {
        let mut filters = filter::lower(&expression.into())?;
        filters.identify().map_err(LowerError::NoTask)?;
        self.filters = filters;
        Ok(self)
    }

    /// Includes the descendants of the processes that the filter names, both existing and future
    /// ones.
    pub fn descendants(mut self) -> Self {
        self.follow = Follow::Descendants;
        self
    }

    /// Probes the kernel and plans how to trace. Nothing is attached.
    ///
    /// # Errors
    ///
    /// Tracing is not possible here, or not in the way that was asked for.
    pub fn plan(self) -> Result<Planned, PlanError> {
        let features = calibration::probe();
        let plan = plan(&features, &self.choice)?;
        Ok(Planned {
            plan,
            numbers_as_here: !features.initial_pid_namespace.is_no(),
            asked: self,
        })
    }

    /// Plans, and begins to stream records: see [`Planned::records`].
    ///
    /// # Errors
    ///
    /// Tracing is not possible here, or the kernel refuses.
    pub fn records(self, records: Records) -> Result<Session<Streaming>, SessionError> {
        self.plan()?.records(records)
    }

    /// Plans, and begins to count: see [`Planned::counts`].
    ///
    /// # Errors
    ///
    /// Tracing is not possible here, or the kernel refuses.
    pub fn counts(self, by: CountBy) -> Result<Session<Counting>, SessionError> {
        self.plan()?.counts(by)
    }
}

/// What to trace, and how. Several sessions can begin from it, one after another.
#[derive(Clone, Debug)]
pub struct Planned {
    plan: Plan,
    numbers_as_here: bool,
    asked: Builder,
}

impl Planned {
    /// How it will be traced, and what will be unknown.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether records number processes as `/proc` does here. Inside a pid namespace they do not:
    /// records have the numbers of the initial namespace.
    pub fn numbers_as_here(&self) -> bool {
        self.numbers_as_here
    }

    /// Keeps only a process that waits to become a command, from its next execve(2) on, and all of
    /// its descendants: for example the process of a [`Waiting`](crate::launcher::Waiting).
    pub fn command(mut self, pid: u32) -> Self {
        // Without `/proc` it is known by its number, which stays its own until it is waited for.
        let id = ProcessId::of(pid).unwrap_or(ProcessId { pid, started: 0 });
        self.asked.filters.pids = vec![id];
        self.asked.follow = Follow::FromExecve;
        self
    }

    /// Begins to stream a record of each check. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn records(&self, records: Records) -> Result<Session<Streaming>, SessionError> {
        let by = records.count;
        let (mut ready, containers) = self.ready(Output::Records(records))?;
        let stream = ready.stream().map_err(SessionError::refused)?;
        let counts = by.map(|by| ready.counts(by)).transpose();
        let counts = counts.map_err(SessionError::refused)?;
        self.begin(ready, containers, Streaming { stream, counts })
    }

    /// Begins to count checks in the kernel; there is no output until the table is read.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn counts(&self, by: CountBy) -> Result<Session<Counting>, SessionError> {
        let (mut ready, containers) = self.ready(Output::Counts(by))?;
        let counts = ready.counts(by).map_err(SessionError::refused)?;
        self.begin(ready, containers, Counting { counts })
    }

    /// Makes the tables, and follows the cgroups that the filter names.
    fn ready(&self, output: Output) -> Result<(Ready, Option<Containers>), SessionError> {
        let filters = &self.asked.filters;
        let mut ready = self.tables(filters.clone(), output.clone())?;
        let refused = match following::begin(&mut ready)? {
            Ok(containers) => return Ok((ready, containers)),
            Err(refused) => refused,
        };
        let mut ready = self.tables(following::existing(filters, &refused)?, output)?;
        ready.add_gap(following::gap(filters, &refused));
        Ok((ready, None))
    }

    /// Makes the tables.
    fn tables(&self, mut filters: Filters, output: Output) -> Result<Ready, SessionError> {
        let Builder {
            choice: _,
            audited_only,
            filters: _,
            follow,
        } = &self.asked;
        filters.pids.extend(self.descendants());
        Ready::new(Settings {
            audited_only: *audited_only,
            filters,
            follow: *follow,
            output,
            // aya-log has the same levels as the log crate: the kernel side logs as much as this
            // side.
            log_level: log::max_level() as u8,
            ..Settings::of(&self.plan)
        })
        .map_err(SessionError::refused)
    }

    /// Attaches.
    fn begin<T>(
        &self,
        ready: Ready,
        containers: Option<Containers>,
        output: T,
    ) -> Result<Session<T>, SessionError> {
        let (mut tracer, mut gaps) = ready.attach().map_err(SessionError::refused)?;
        // Descendants that were created after the tables.
        for process in self.descendants() {
            tracer.follow(process).map_err(SessionError::refused)?;
        }
        let watching = containers.zip(tracer.cgroup_table());
        let watching = watching.map(|(containers, table)| containers.watch(table));
        let containers = watching.transpose().unwrap_or_else(|error| {
            gaps.push(format!(
                "a container that is made anew is not followed if it gets another id: {error}"
            ));
            None
        });
        Ok(Session {
            plan: self.plan.clone(),
            gaps,
            tracer,
            output,
            containers,
        })
    }

    /// The descendants, as they are now, of the processes that were named.
    fn descendants(&self) -> Vec<ProcessId> {
        let Builder {
            filters, follow, ..
        } = &self.asked;
        match follow {
            Follow::Descendants => filters
                .pids
                .iter()
                .flat_map(|&pid| descendants::of(pid))
                .collect(),
            // A process that waits to become a command has none.
            Follow::Nobody | Follow::FromExecve => Vec::new(),
        }
    }
}
