//! Steps in the life of followed processes.

use capable_common::{self as wire, RecordKind};

use super::{ProcessId, comm_bytes};

/// A step in the life of a followed process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life<'a> {
    /// What it is.
    pub step: LifeStep,
    /// When, in nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// The process whose thread took the step, as the initial pid namespace numbers it.
    pub pid: u32,
    /// The thread, likewise.
    pub tid: u32,
    /// The thread's name: any bytes but NUL.
    pub comm: &'a [u8],
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeStep {
    /// It forked this process.
    Forked(ProcessId),
    /// It executed a program.
    Executed,
    /// This process ended. The step may have been taken by another process: the one that released
    /// it last.
    Ended(u32),
    /// A system call in which a check of this thread was denied returned this.
    Returned(i64),
}

impl<'a> Life<'a> {
    /// What a record says; `None` if its kind is not known.
    pub(crate) fn of(record: &'a wire::Life) -> Option<Self> {
        let &wire::Life {
            kind,
            reserved: _,
            time,
            pid,
            tid,
            value,
            ref comm,
        } = record;
        let step = match kind {
            kind if kind == RecordKind::Fork as u16 => {
                LifeStep::Forked(ProcessId::from_word(value as u64))
            }
            kind if kind == RecordKind::Exec as u16 => LifeStep::Executed,
            kind if kind == RecordKind::Exit as u16 => LifeStep::Ended(value as u32),
            kind if kind == RecordKind::Outcome as u16 => LifeStep::Returned(value),
            _ => return None,
        };
        Some(Self {
            step,
            time,
            pid,
            tid,
            comm: comm_bytes(comm),
        })
    }
}
