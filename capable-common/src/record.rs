//! The records that the kernel side sends.
//!
//! A record begins with its [`RecordKind`]. A [`Check`] is followed by the sections that the
//! configuration asks for, each of a constant size, in this order: [`Membership`], [`Detail`], the
//! kernel stack, the user stack (arrays of `u64` addresses, as many as the configuration says). So
//! all checks of a run have records of the same size.

/// Length of a task's name in the kernel, the closing NUL included (`TASK_COMM_LEN`).
pub const COMM_LENGTH: usize = 16;

/// The most stack frames that one record can carry, per stack.
///
/// The kernel's own limit is `kernel.perf_event_max_stack`, 127 by default.
pub const MAX_FRAMES: usize = 127;

/// The size of the largest record: a check with all sections.
pub const LARGEST_RECORD: usize =
    size_of::<Check>() + size_of::<Membership>() + size_of::<Detail>() + 2 * MAX_FRAMES * 8;

/// In place of a number of frames: the kernel could not capture this stack.
pub const STACK_FAILED: u16 = u16::MAX;

/// In place of the number of a system call: the check was made outside of one.
pub const SYSCALL_NONE: i32 = -1;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum RecordKind {
    /// A [`Check`].
    Check = 1,
    /// A [`Life`]: a followed process forked; `value` is the child, as [`crate::process_word`] has
    /// it.
    Fork = 2,
    /// A [`Life`]: a followed process executed a program.
    Exec = 3,
    /// A [`Life`]: a followed process ended.
    Exit = 4,
    /// A [`Life`]: a system call in which a check was denied returned; `value` is its result.
    Outcome = 5,
    /// An [`Operation`](crate::Operation): a system call failed.
    Operation = 6,
}

/// What is known about a check, bit by bit. A bit that is not set means "no" only if the
/// corresponding "known" bit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags;

impl Flags {
    /// The audit flag is known.
    pub const AUDIT_KNOWN: u32 = 1 << 0;
    /// A denial of this check would be logged: it was not made with `CAP_OPT_NOAUDIT`.
    pub const AUDITED: u32 = 1 << 1;
    /// The audit flag was inferred from the call path, not read from an argument.
    pub const AUDIT_INFERRED: u32 = 1 << 2;
    /// The check was made by set*id (`CAP_OPT_INSETID`). Known whenever the audit flag is, except
    /// on kernels before 5.1.
    pub const INSETID: u32 = 1 << 3;
    /// Whether the check was made by set*id is known.
    pub const INSETID_KNOWN: u32 = 1 << 4;
    /// `result` is known.
    pub const RESULT_KNOWN: u32 = 1 << 5;
    /// `result` was evaluated from credentials and namespaces, not returned by the kernel.
    pub const RESULT_EVALUATED: u32 = 1 << 6;
    /// `euid`, `effective` and `credential_namespace` are known.
    pub const CREDENTIALS_KNOWN: u32 = 1 << 7;
    /// `target_namespace` is known.
    pub const NAMESPACE_KNOWN: u32 = 1 << 8;
    /// Whose credentials were checked is known.
    pub const OWNER_KNOWN: u32 = 1 << 9;
    /// The checked credentials are `current->cred`, and that differs from `current->real_cred`.
    pub const CREDENTIALS_OVERRIDDEN: u32 = 1 << 10;
    /// The checked credentials are neither `current->cred` nor `current->real_cred`.
    pub const CREDENTIALS_FOREIGN: u32 = 1 << 11;
    /// The target namespace is the one of the checked credentials.
    pub const NAMESPACE_OWN: u32 = 1 << 12;
    /// The target namespace lies below the one of the checked credentials.
    pub const NAMESPACE_BELOW: u32 = 1 << 13;
    /// Granted because the checked credentials own the target namespace or one above it, not
    /// because of the capability's bit.
    pub const BY_OWNERSHIP: u32 = 1 << 14;
    /// The current task is a kernel thread.
    pub const KERNEL_THREAD: u32 = 1 << 15;
    /// The current task is an io_uring worker.
    pub const IO_WORKER: u32 = 1 << 16;
    /// Whether the task is a kernel thread or an io_uring worker is known.
    pub const TASK_KNOWN: u32 = 1 << 17;
    /// The system call and its arguments are known.
    pub const SYSCALL_KNOWN: u32 = 1 << 18;
    /// The system call was made through the 32-bit entry.
    pub const SYSCALL_COMPAT: u32 = 1 << 19;
    /// The pids inside the process's own pid namespace are known.
    pub const INNER_PID_KNOWN: u32 = 1 << 20;
    /// The parent's pid is known.
    pub const PARENT_KNOWN: u32 = 1 << 21;
    /// The check was seen in a function that the compiler inlined it into, not in `cap_capable`.
    pub const INLINED: u32 = 1 << 22;
    /// The checked credentials own the target namespace or one above it, so the check is granted
    /// whatever the capability's bit is.
    pub const NAMESPACE_OWNED: u32 = 1 << 23;
    /// The target namespace is the initial one. Only in the keys of counts: a record has its
    /// number.
    pub const NAMESPACE_INITIAL: u32 = 1 << 24;
    /// The real group id is known.
    pub const GROUP_KNOWN: u32 = 1 << 25;
    /// The mount namespace is known.
    pub const MOUNT_NAMESPACE_KNOWN: u32 = 1 << 26;
}

/// One capability check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Check {
    /// [`RecordKind::Check`].
    pub kind: u16,
    /// Frames of the kernel stack that were captured, or [`STACK_FAILED`].
    pub kernel_frames: u16,
    /// Frames of the user stack that were captured, or [`STACK_FAILED`].
    pub user_frames: u16,
    /// The processor that made the check.
    pub processor: u16,
    /// When the check was made, in nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// The id of the task's cgroup in the version 2 hierarchy.
    pub cgroup: u64,
    /// The effective set of the checked credentials.
    pub effective: u64,
    /// The process, as the initial pid namespace numbers it (the kernel's tgid).
    pub pid: u32,
    /// The thread, as the initial pid namespace numbers it (the kernel's pid).
    pub tid: u32,
    /// The task's real user id, in the initial user namespace.
    pub uid: u32,
    /// The effective user id of the checked credentials.
    pub euid: u32,
    /// The capability's number.
    pub capability: i32,
    /// The fourth argument of `cap_capable`, as the kernel passed it.
    pub options: u32,
    /// 0 when granted, a negative errno when denied.
    pub result: i32,
    /// The inode number of the user namespace over which the capability was asked.
    pub target_namespace: u32,
    /// The inode number of the user namespace of the checked credentials.
    pub credential_namespace: u32,
    /// [`Flags`].
    pub flags: u32,
    /// The task's name: any bytes, closed by NUL.
    pub comm: [u8; COMM_LENGTH],
}

/// What the task belongs to besides its user and its cgroup. Each field is set if it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Membership {
    /// The task's real group id, in the initial user namespace.
    pub gid: u32,
    /// The inode number of the task's mount namespace.
    pub mount_namespace: u32,
}

/// What only some columns need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Detail {
    /// The parent process (tgid of `real_parent`), in the initial pid namespace.
    pub parent: u32,
    /// The process as its own pid namespace numbers it.
    pub inner_pid: u32,
    /// The thread as its own pid namespace numbers it.
    pub inner_tid: u32,
    /// The system call's number, or [`SYSCALL_NONE`].
    pub syscall: i32,
    /// The system call's six arguments. capset(2) has two: the third one here is the inheritable
    /// set that it asks for, or [`UNKNOWN_SET`].
    pub arguments: [u64; 6],
}

/// A set of capabilities that could not be read: it holds more than the kernel has.
pub const UNKNOWN_SET: u64 = u64::MAX;

/// A step in the life of a followed process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Life {
    /// A [`RecordKind`] other than `Check` and `Operation`.
    pub kind: u16,
    /// Zero.
    pub reserved: [u16; 3],
    /// When it happened, in nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// The process, in the initial pid namespace.
    pub pid: u32,
    /// The thread, in the initial pid namespace.
    pub tid: u32,
    /// What [`RecordKind`] says.
    pub value: i64,
    /// The task's name.
    pub comm: [u8; COMM_LENGTH],
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A larger record makes every check slower for every user, so growth must be accepted here on
    /// purpose.
    #[test]
    fn the_records_have_the_sizes_that_the_kernel_side_was_built_with() {
        assert_eq!(size_of::<Check>(), 88);
        assert_eq!(size_of::<Membership>(), 8);
        assert_eq!(size_of::<Detail>(), 64);
        assert_eq!(size_of::<Life>(), 48);
        assert!(size_of::<crate::Operation>() <= LARGEST_RECORD);
    }
}
