//! What kind of task made a check.

use capable_common::Flags;

/// What kind of task made the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A thread of a program.
    User,
    /// A kernel thread.
    KernelThread,
    /// An io_uring worker: a thread of the user's process that only ever runs in the kernel.
    IoWorker,
}

impl Task {
    /// What kind it is, if [`Flags`] tell.
    pub(crate) fn of(flags: u32) -> Option<Self> {
        (flags & Flags::TASK_KNOWN != 0).then_some(if flags & Flags::IO_WORKER != 0 {
            Self::IoWorker
        } else if flags & Flags::KERNEL_THREAD != 0 {
            Self::KernelThread
        } else {
            Self::User
        })
    }
}
