//! A check of which everything is known.

use capable_common::Flags;

/// The flags of a record in which everything is known that a kernel can know, of an audited check
/// over the task's own namespace.
pub const ALL_KNOWN: u32 = Flags::AUDIT_KNOWN
    | Flags::AUDITED
    | Flags::INSETID_KNOWN
    | Flags::RESULT_KNOWN
    | Flags::CREDENTIALS_KNOWN
    | Flags::NAMESPACE_KNOWN
    | Flags::NAMESPACE_OWN
    | Flags::OWNER_KNOWN
    | Flags::TASK_KNOWN
    | Flags::SYSCALL_KNOWN
    | Flags::INNER_PID_KNOWN
    | Flags::PARENT_KNOWN;
