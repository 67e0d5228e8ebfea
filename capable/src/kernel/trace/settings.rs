//! What a trace is told to do.

use capable_common::{UniqueBy, Wanted};

use super::{counts::CountBy, filters::Filters};
use crate::kernel::{
    btf::offsets::Layout,
    hook::{Hook, Transport},
    plan::Plan,
};

/// The default size of the ring buffer, in bytes.
const RING_BYTES: u32 = 1 << 22;

/// The default size of a processor's perf buffer, in bytes.
const PERF_BYTES: u32 = 1 << 20;

/// What a trace is told to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The hook.
    pub hook: Hook,
    /// The transport.
    pub transport: Transport,
    /// What is known of this kernel.
    pub layout: Layout,
    /// Drop checks that are known not to be audited.
    pub audited_only: bool,
    /// What to keep.
    pub filters: Filters,
    /// Whose descendants to keep too.
    pub follow: Follow,
    /// What becomes of the checks that are kept.
    pub output: Output,
    /// The level of the kernel side's own log: 0 is off, 5 is trace.
    pub log_level: u8,
}

/// Whose descendants are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// Nobody's.
    #[default]
    Nobody,
    /// Those of the processes that the filters name.
    Descendants,
    /// Likewise, but the processes themselves are kept only from their next execve(2) on: until
    /// then each is a launcher.
    FromExecve,
}

/// What becomes of the checks that are kept.
#[derive(Clone, Debug)]
pub enum Output {
    /// Nothing. The tracer only looks at its own checks.
    Nothing,
    /// A record of each is sent.
    Records(Records),
    /// They are counted in the kernel.
    Counts(CountBy),
}

/// What records hold and when they are sent.
#[derive(Clone, Debug)]
pub struct Records {
    /// What to send besides the plain check.
    pub wanted: Wanted,
    /// Frames of the kernel stack.
    pub kernel_frames: u32,
    /// Frames of the user stack.
    pub user_frames: u32,
    /// Send only checks that are new by this.
    pub unique: UniqueBy,
    /// Also report the results of system calls in which a check was denied.
    pub outcomes: bool,
    /// Also report system calls of followed processes that failed: those that were refused, whether
    /// or not a capability was asked for, and those in which a check was denied. Takes
    /// [`Self::outcomes`].
    pub operations: bool,
    /// Also count, whether or not a record gets through; what `unique` drops is not counted.
    pub count: Option<CountBy>,
    /// Size of the ring buffer, or of each processor's perf buffer, in bytes.
    pub buffer: Option<u32>,
}

impl Default for Records {
    /// The plain check and nothing else.
    fn default() -> Self {
        Self {
            wanted: Wanted::NOTHING,
            kernel_frames: 0,
            user_frames: 0,
            unique: UniqueBy::Off,
            outcomes: false,
            operations: false,
            count: None,
            buffer: None,
        }
    }
}

impl Records {
    /// Enough frames to see who asked, past the tracer's own, `cap_capable` and its helpers.
    pub const CALLER_FRAMES: u32 = 12;
}

impl Settings {
    /// Every audited check, with no output: the least that a plan can be used for.
    pub fn of(plan: &Plan) -> Self {
        Self {
            hook: plan.hook,
            transport: plan.transport,
            layout: plan.layout,
            audited_only: true,
            filters: Filters::default(),
            follow: Follow::Nobody,
            output: Output::Nothing,
            log_level: 0,
        }
    }

    /// The records, if any are sent.
    pub fn records(&self) -> Option<&Records> {
        match &self.output {
            Output::Records(records) => Some(records),
            Output::Nothing | Output::Counts(_) => None,
        }
    }

    /// What is counted by, if anything is counted.
    pub fn count(&self) -> Option<CountBy> {
        match &self.output {
            Output::Nothing => None,
            Output::Records(records) => records.count,
            Output::Counts(by) => Some(*by),
        }
    }

    /// The size of the ring buffer.
    pub(super) fn ring_bytes(&self) -> u32 {
        match self.records() {
            Some(records) => records.buffer.unwrap_or(RING_BYTES),
            // The smallest possible.
            None => page(),
        }
    }

    /// The size of a processor's perf buffer, in pages.
    pub(super) fn perf_pages(&self) -> usize {
        let buffer = self.records().and_then(|records| records.buffer);
        (buffer.unwrap_or(PERF_BYTES) / page()).max(1) as usize
    }
}

/// The size of a page, in bytes. No architecture has pages of 4 GiB.
fn page() -> u32 {
    u32::try_from(rustix::param::page_size()).unwrap_or(u32::MAX)
}
