//! A check about which everything that was asked for is settled, ready to be counted and sent.

use capable_common::Flags;

use crate::{
    hooked::HookedCheck,
    task,
    verdict::{self, Verdict},
};

/// A check, and who made it.
#[derive(Clone, Copy)]
pub struct SettledCheck {
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
    /// Credentials, namespaces and result. Its flags hold all flags of the check.
    pub verdict: Verdict,
}

impl SettledCheck {
    /// Settles a check of the current task, about which these [`Flags`] are already known.
    #[inline(always)]
    pub fn of(hooked: &HookedCheck, pid: u32, tid: u32, flags: u32) -> Self {
        let task = task::current();
        let mut verdict = verdict::settle(hooked, task);
        verdict.flags |= flags;
        Self {
            pid,
            tid,
            task,
            capability: hooked.capability,
            options: hooked.options,
            verdict,
        }
    }

    /// The result is known.
    #[inline(always)]
    pub fn has_result(&self) -> bool {
        self.verdict.flags & Flags::RESULT_KNOWN != 0
    }

    /// The result; 0 if it is not known.
    #[inline(always)]
    pub fn result(&self) -> i32 {
        self.verdict.result
    }

    /// [`Flags`].
    #[inline(always)]
    pub fn flags(&self) -> u32 {
        self.verdict.flags
    }
}
