//! A tracing session, from the request to its orderly end.
//!
//! A [`Builder`] takes what to trace. It probes the kernel and plans how to trace, once
//! ([`Planned`]). A session that begins from the plan either streams a record of each check or
//! counts checks in the kernel. The two are different types, so that nobody waits for records that
//! never come:
//!
//! ```text
//! Builder ──plan──> Planned ──records──> Session<Streaming> ──finish──> Summary
//!                           └──counts──> Session<Counting>  ──finish──> Summary
//! ```
//!
//! The [root page](crate) shows each of them, and [`learn`](crate::learn) shows what else begins
//! with a [`Builder`].

mod builder;
mod containers;
mod counting;
mod descendants;
mod error;
mod following;
mod streaming;

pub use builder::{Builder, Planned};
use containers::Watching;
pub use counting::Counting;
pub use error::{KernelError, SessionError};
pub use streaming::Streaming;

#[cfg(test)]
pub(crate) use crate::kernel::trace::losses::tests::every_cause;
pub use crate::kernel::{
    bpf::privileges::KeptIds,
    hook::{Hook, Transport},
    plan::{Plan, PlanError, Unknown},
    probe::features::Lack,
    trace::{
        counts::{CountBy, CountSubject, Counted, CountedStack, OTHER_PROGRAMS, Who},
        followed::Followed,
        losses::{Cause, Loss, LossEffect, Losses},
        record::Record,
        settings::Records,
        stream::monotonic_now as now,
    },
};
use crate::{
    capability::{Capability, CapabilitySet},
    kernel::{bpf::privileges, trace::tracer::Tracer},
};
pub use capable_common::{UniqueBy, Wanted};

/// A running session. Dropping it ends it; [`Session::finish`] ends it and reports what happened.
///
/// `Output` says what is done with the checks: [`Streaming`] or [`Counting`].
pub struct Session<Output> {
    plan: Plan,
    gaps: Vec<String>,
    tracer: Tracer,
    output: Output,
    /// Looks for the ids of containers that are followed by name.
    containers: Option<Watching>,
}

/// What happened in a session, from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many checks there were, whether or not a filter kept them.
    pub seen: u64,
    /// What is known to be missing.
    pub losses: Losses,
    /// What was counted, in no particular order; empty if counting was not asked for.
    pub counts: Vec<Counted>,
    /// What was seen of the units and containers that the filter names, in no particular order.
    pub followed: Vec<Followed>,
}

impl Summary {
    /// The summary of a trace whose hooks are detached.
    fn of(tracer: &Tracer, counts: Vec<Counted>) -> Result<Self, SessionError> {
        let losses = tracer.losses().map_err(SessionError::refused)?;
        let counters = tracer.counters().map_err(SessionError::refused)?;
        Ok(Self {
            seen: counters.seen() + losses.by(Cause::HookSkipped),
            losses,
            counts,
            followed: tracer.cgroups().map_err(SessionError::refused)?,
        })
    }
}

impl<Output> Session<Output> {
    /// How it traces, and what it cannot know on this kernel.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the session found at the start that it cannot show, and why, in a sentence each.
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    /// How many checks reached the hook so far, whether or not a filter kept them.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn seen(&self) -> Result<u64, SessionError> {
        let counters = self.tracer.counters();
        Ok(counters.map_err(SessionError::refused)?.seen())
    }

    /// What is known to be missing so far.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn losses(&self) -> Result<Losses, SessionError> {
        self.tracer.losses().map_err(SessionError::refused)
    }

    /// What was seen so far of the units and containers that the filter names; empty if it names none, or if this
    /// kernel does not let them be followed.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn followed(&self) -> Result<Vec<Followed>, SessionError> {
        self.tracer.cgroups().map_err(SessionError::refused)
    }

    /// Gives up, for good, every capability except those to keep and what the session needs to
    /// continue: where the kernel refuses bpf(2) without it even for maps that are open (before
    /// 5.19, if `kernel.unprivileged_bpf_disabled` is not 0), CAP_BPF. With [`KeptIds::Unused`], the
    /// process also becomes a user whom nobody else is, if it may. It sets no_new_privs, and no other
    /// process of its user may trace it any more.
    ///
    /// Nothing else in this library gives up a privilege. Capabilities belong to threads: call this
    /// while there is only one; those that it starts later have what it has then. No other session
    /// can be started afterwards.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn give_up_privileges(
        &self,
        keep: CapabilitySet,
        ids: KeptIds,
    ) -> Result<(), SessionError> {
        privileges::rest(CapabilitySet::EMPTY).map_err(SessionError::Privileges)?;
        let for_maps = match self.tracer.counters() {
            Err(error) if error.is_refusal() => privileges::for_maps(),
            _ => Ok(CapabilitySet::EMPTY),
        };
        let mut keep = keep;
        if self.containers.is_some() {
            // To read what engines keep, and to find cgroups.
            keep.insert(Capability::DAC_READ_SEARCH);
        }
        let keep = keep.union(for_maps.map_err(SessionError::Privileges)?);
        privileges::give_up(keep, ids).map_err(SessionError::Privileges)
    }
}
