//! Where the kernel's structures hold the numbers of tasks.

use std::path::Path;

use super::error::NumbersError;
use crate::kernel::btf::{Btf, Query, VMLINUX};

/// What is looked up for [`TaskOffsets`].
const QUERY: Query<'static> = Query {
    members: &[
        ("task_struct", "tasks"),
        ("task_struct", "group_leader"),
        ("task_struct", "pid"),
        ("task_struct", "thread_pid"),
        ("task_struct", "signal"),
        ("task_struct", "thread_node"),
        ("signal_struct", "thread_head"),
        ("pid", "level"),
        ("pid", "numbers"),
        ("upid", "nr"),
        ("upid", "ns"),
        ("pid_namespace", "ns.inum"),
    ],
    sizes: &["upid"],
    functions: &[],
    typedefs: &[],
};

/// Offsets, in bytes.
pub(super) struct TaskOffsets {
    pub(super) tasks: u64,
    pub(super) group_leader: u64,
    pub(super) number: u64,
    pub(super) pid: u64,
    pub(super) signal: u64,
    pub(super) thread_node: u64,
    pub(super) thread_head: u64,
    pub(super) pid_level: u64,
    pub(super) pid_numbers: u64,
    pub(super) upid_size: u64,
    pub(super) upid_number: u64,
    pub(super) upid_namespace: u64,
    pub(super) inode: u64,
}

impl TaskOffsets {
    /// Reads the running kernel's.
    pub(super) fn read() -> Result<Self, NumbersError> {
        let btf = Btf::read(Path::new(VMLINUX), &QUERY)?;
        let of = |name, path| match btf.offset(name, path)? {
            Some(offset) => Ok(u64::from(offset)),
            None => Err(NumbersError::Layout(name, path)),
        };
        let size = btf
            .size("upid")?
            .ok_or(NumbersError::Layout("upid", "nr"))?;
        Ok(Self {
            tasks: of("task_struct", "tasks")?,
            group_leader: of("task_struct", "group_leader")?,
            number: of("task_struct", "pid")?,
            pid: of("task_struct", "thread_pid")?,
            signal: of("task_struct", "signal")?,
            thread_node: of("task_struct", "thread_node")?,
            thread_head: of("signal_struct", "thread_head")?,
            pid_level: of("pid", "level")?,
            pid_numbers: of("pid", "numbers")?,
            upid_size: u64::from(size),
            upid_number: of("upid", "nr")?,
            upid_namespace: of("upid", "ns")?,
            inode: of("pid_namespace", "ns.inum")?,
        })
    }
}
