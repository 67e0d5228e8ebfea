//! What the kernel knows about the task that made a check.

mod detail;
mod identity;
mod name;
mod namespaces;

use aya_ebpf::helpers::{bpf_get_current_cgroup_id, bpf_get_current_pid_tgid};
use capable_common::{Flags, NO_OFFSET, TICK};

use crate::{
    config,
    memory::{current_task, read},
    typed,
};

pub use detail::{describe, syscall_number};
pub use identity::{Identity, identity};
pub use name::{name, name_words};
pub use namespaces::{mount_namespace, pid_namespace, user_namespace};

/// `PF_KTHREAD` (include/linux/sched.h, the same bit from 2.6.27 to 7.x).
const PF_KTHREAD: u32 = 0x0020_0000;

/// The process and the thread that run, as the initial pid namespace numbers them.
#[inline(always)]
pub fn ids() -> (u32, u32) {
    let ids = bpf_get_current_pid_tgid();
    ((ids >> 32) as u32, ids as u32)
}

/// The current task, with its type if the verifier knows that.
#[inline(always)]
pub fn current() -> u64 {
    if config!(typed_task) != 0 {
        typed::current()
    } else {
        current_task()
    }
}

/// When the current process was started, as [`TICK`] says; 0 if this kernel does not tell.
///
/// By its first thread: if another one executes a program, it takes over the number and the start of
/// the first (`de_thread`, fs/exec.c, 5.5 to 7.3).
#[inline(always)]
pub fn process_started() -> u32 {
    let member = config!(offsets.task_start);
    if member == NO_OFFSET {
        return 0;
    }
    let leader = pointer(current(), config!(offsets.task_group_leader));
    ticks(leader.and_then(|leader| pointer(leader, member)))
}

/// When the current thread was started, likewise.
#[inline(always)]
pub fn thread_started() -> u32 {
    let member = config!(offsets.task_start);
    if member == NO_OFFSET {
        return 0;
    }
    ticks(pointer(current(), member))
}

/// Whether a recorded start is this one, as far as is known.
#[inline(always)]
pub fn is_start(recorded: u32, started: impl Fn() -> u32) -> bool {
    config!(offsets.task_start) == NO_OFFSET || recorded == 0 || recorded == started()
}

/// When any task was started, likewise.
#[inline(always)]
pub fn started(task: u64) -> u32 {
    ticks(read(task, config!(offsets.task_start)))
}

#[inline(always)]
fn ticks(nanoseconds: Option<u64>) -> u32 {
    (nanoseconds.unwrap_or(0) / TICK) as u32
}

/// A member of the current task, or of what such members point to, that is a pointer or another
/// eight bytes: read by an instruction
/// if the verifier knows the type.
#[inline(always)]
fn pointer(base: u64, offset: u32) -> Option<u64> {
    if config!(typed_task) != 0 {
        Some(typed::word(base, offset))
    } else {
        read(base, offset)
    }
}

/// A four-byte member of the current task, or of what its pointer members point to: read by an
/// instruction if the verifier knows the type.
#[inline(always)]
fn member(base: u64, offset: u32) -> Option<u32> {
    if config!(typed_task) != 0 {
        Some(typed::half(base, offset))
    } else {
        read(base, offset)
    }
}

/// The current task's cgroup in the version 2 hierarchy.
#[inline(always)]
pub fn cgroup() -> u64 {
    // SAFETY: the helper takes nothing.
    unsafe { bpf_get_current_cgroup_id() }
}

/// What kind of task it is.
#[inline(always)]
pub fn kind(task: u64) -> u32 {
    let Some(flags) = member(task, config!(offsets.task_flags)) else {
        return 0;
    };
    let mut kind = Flags::TASK_KNOWN;
    if flags & PF_KTHREAD != 0 {
        kind |= Flags::KERNEL_THREAD;
    }
    if flags & config!(io_worker) != 0 {
        kind |= Flags::IO_WORKER;
    }
    kind
}
