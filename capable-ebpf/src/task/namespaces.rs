//! The namespaces that the current task is in, by inode number, and how they number it.

use capable_common::NO_OFFSET;

use super::{member, pointer};
use crate::{config, memory::read};

/// The inode number of the user namespace that the task's own credentials are in.
#[inline(always)]
pub fn user_namespace(task: u64) -> Option<u32> {
    let credentials = read::<u64>(task, config!(offsets.task_cred))?;
    let namespace = read::<u64>(credentials, config!(offsets.cred_user_ns))?;
    read(namespace, config!(offsets.user_ns_inum))
}

/// The inode number of the task's mount namespace. An exiting task may close its last files after
/// it has left its namespaces (kernel/exit.c, `do_exit`). Then it is in none, and a load through
/// the null pointer reads 0, a number that no namespace has (fs/proc/generic.c,
/// `PROC_DYNAMIC_FIRST`).
#[inline(always)]
pub fn mount_namespace(task: u64) -> Option<u32> {
    let proxy = pointer(task, config!(offsets.task_nsproxy))?;
    let namespace = pointer(proxy, config!(offsets.nsproxy_mnt_ns))?;
    member(namespace, config!(offsets.mnt_ns_inum)).filter(|&inode| inode != 0)
}

/// The inode number of the task's own pid namespace.
#[inline(always)]
pub fn pid_namespace(task: u64) -> Option<u32> {
    let namespace = read::<u64>(innermost(task)?, config!(offsets.upid_ns))?;
    read(namespace, config!(offsets.pid_ns_inum))
}

/// The address of the `struct upid` that numbers a task in its own pid namespace.
#[inline(always)]
fn innermost(task: u64) -> Option<u64> {
    let (numbers, size) = (config!(offsets.pid_numbers), config!(offsets.upid_size));
    if numbers == NO_OFFSET || size == NO_OFFSET {
        return None;
    }
    let pid = read::<u64>(task, config!(offsets.task_thread_pid))?;
    let level = read::<u32>(pid, config!(offsets.pid_level))?;
    Some(pid + u64::from(numbers) + u64::from(level) * u64::from(size))
}

/// The number of a task in its own pid namespace.
#[inline(always)]
pub(super) fn inner_pid(task: u64) -> Option<u32> {
    read(innermost(task)?, config!(offsets.upid_nr))
}
