//! What a trace is asked to do.

use capable_common::UniqueBy;

use super::{counts::CountBy, filters::Filters};
use crate::kernel::{
    btf::offsets::Layout,
    hook::{Hook, Transport},
    plan::Plan,
};

/// The default size of the ring buffer.
pub const RING_BYTES: u32 = 1 << 22;

/// The default size of a processor's perf buffer, in pages.
pub const PERF_PAGES: usize = 256;

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
