//! The table of columns, in the order in which JSON has them.

use super::{Column, Shown, values as v};
use crate::output::{RowNeeds, cell};

/// What a column shows. The closure is compiled for this one value, so its kind and format are
/// known at compile time.
macro_rules! shown {
    ($value:ident) => {
        Shown {
            value: v::$value,
            put: |row, place, align, clock| cell::put(place, align, v::$value(row), clock),
        }
    };
}

/// All columns. Fields of the same JSON object are kept together.
pub const COLUMNS: &[Column] = &[
    Column::text("time", "TIME", 8, shown!(time), "when the check was made"),
    Column::number("uid", "UID", 6, shown!(uid), "real user id of the task").by_kind(),
    Column::text("user", "USER", 10, shown!(user), "name of the real user id")
        .data(v::user_name)
        .least(8)
        .needs(RowNeeds::USER)
        .by_kind(),
    Column::number("gid", "GID", 6, shown!(gid), "real group id of the task")
        .needs(RowNeeds::GROUP_ID)
        .by_kind(),
    Column::text(
        "group",
        "GROUP",
        10,
        shown!(group),
        "name of the real group id",
    )
    .data(v::group_name)
    .least(8)
    .needs(RowNeeds::GROUP.union(RowNeeds::GROUP_ID))
    .by_kind(),
    Column::number(
        "pid",
        "PID",
        7,
        shown!(pid),
        "process, as the host numbers it",
    ),
    Column::number(
        "tid",
        "TID",
        7,
        shown!(tid),
        "thread, as the host numbers it",
    ),
    Column::number("ppid", "PPID", 7, shown!(ppid), "parent process").needs(RowNeeds::DETAIL),
    Column::number(
        "nspid",
        "NSPID",
        7,
        shown!(inner_pid),
        "process, as its own pid namespace numbers it",
    )
    .field("inner_pid")
    .needs(RowNeeds::DETAIL),
    Column::number(
        "nstid",
        "NSTID",
        7,
        shown!(inner_tid),
        "thread, as its own pid namespace numbers it",
    )
    .field("inner_tid")
    .needs(RowNeeds::DETAIL),
    Column::text("comm", "COMM", 15, shown!(comm), "name of the task"),
    Column::text(
        "comm_bytes",
        "COMM_BYTES",
        30,
        shown!(comm_bytes),
        "bytes of the name, where it is not valid UTF-8",
    ),
    Column::text(
        "task",
        "TASK",
        13,
        shown!(task),
        "what runs: user, kernel_thread or io_worker (of io_uring)",
    )
    .needs(RowNeeds::DETAIL)
    .by_kind(),
    Column::number(
        "cpu",
        "CPU",
        3,
        shown!(processor),
        "processor that made the check",
    )
    .field("processor"),
    Column::number(
        "cap",
        "CAP",
        3,
        shown!(capability_number),
        "number of the capability",
    )
    .field("capability_number")
    .by_kind(),
    Column::text(
        "name",
        "NAME",
        22,
        shown!(capability),
        "name of the capability",
    )
    .field("capability")
    .by_kind(),
    Column::number(
        "audit",
        "AUDIT",
        5,
        shown!(audit),
        "1: a denial of this check is logged",
    )
    .by_kind(),
    Column::number(
        "inferred",
        "INFERRED",
        8,
        shown!(audit_inferred),
        "1: AUDIT was inferred from the call path",
    )
    .field("audit_inferred")
    .by_kind(),
    Column::number(
        "insetid",
        "INSETID",
        7,
        shown!(insetid),
        "1: asked by set*id",
    )
    .by_kind(),
    Column::text(
        "result",
        "RESULT",
        7,
        shown!(result),
        "granted; userns: granted over a user namespace that is not the initial one; owner: granted \
         for owning that; denied",
    )
    .data(v::result_word)
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::text(
        "by",
        "BY",
        10,
        shown!(granted_by),
        "what granted it: capability (the bit) or ownership (of the namespace)",
    )
    .field("granted_by")
    .by_kind()
    .needs(RowNeeds::CREDENTIALS),
    Column::text("errno", "ERRNO", 5, shown!(errno_name), "error of a denial")
        .data(v::errno)
        .by_kind(),
    Column::text(
        "caller",
        "CALLER",
        24,
        shown!(caller),
        "kernel function that asked",
    )
    .least(18)
    .needs(RowNeeds::CALLER),
    Column::text(
        "why",
        "WHY",
        60,
        shown!(why),
        "what would fail or differ without the capability, as the atlas says of the place",
    )
    .least(24)
    .needs(
        RowNeeds::PLACE
            .union(RowNeeds::CALLER)
            .union(RowNeeds::DETAIL),
    ),
    Column::text(
        "syscall",
        "SYSCALL",
        16,
        shown!(syscall),
        "system call it was made in",
    )
    .field("syscall.name")
    .data(v::syscall_name)
    .least(12)
    .needs(RowNeeds::DETAIL.union(RowNeeds::SYSCALL)),
    Column::number(
        "sysno",
        "SYSNO",
        5,
        shown!(syscall_number),
        "number of the system call",
    )
    .field("syscall.number")
    .needs(RowNeeds::DETAIL),
    Column::number(
        "compat",
        "COMPAT",
        6,
        shown!(syscall_compat),
        "1: the system call came by the 32-bit entry",
    )
    .field("syscall.compat")
    .needs(RowNeeds::DETAIL),
    Column::text(
        "arguments",
        "ARGUMENTS",
        40,
        shown!(arguments),
        "arguments of the system call",
    )
    .field("syscall.arguments")
    .least(20)
    .needs(RowNeeds::DETAIL),
    Column::number(
        "euid",
        "EUID",
        6,
        shown!(euid),
        "effective user id of the checked credentials",
    )
    .field("credentials.euid")
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::text(
        "effective",
        "EFFECTIVE",
        18,
        shown!(effective),
        "effective set of the checked credentials, as a mask",
    )
    .field("credentials.effective")
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::text(
        "cred",
        "CRED",
        10,
        shown!(credential_owner),
        "whose credentials: own, overridden (access(2), overlayfs) or foreign",
    )
    .field("credentials.owner")
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::number(
        "credns",
        "CREDNS",
        10,
        shown!(credential_namespace),
        "user namespace of the credentials, by inode number",
    )
    .field("credentials.namespace")
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::text(
        "namespace",
        "NAMESPACE",
        10,
        shown!(namespace),
        "user namespace over which it was asked: initial, or its inode number",
    )
    .field("target_namespace.inode")
    .data(v::namespace_inode)
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::text(
        "relation",
        "RELATION",
        8,
        shown!(relation),
        "that namespace to the credentials' one: own, below or outside",
    )
    .field("target_namespace.relation")
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::number(
        "initial",
        "INITIAL",
        7,
        shown!(namespace_initial),
        "1: it is the initial user namespace",
    )
    .field("target_namespace.initial")
    .needs(RowNeeds::CREDENTIALS)
    .by_kind(),
    Column::text(
        "mntns",
        "MNTNS",
        10,
        shown!(mount_namespace),
        "mount namespace of the task: initial, or its inode number",
    )
    .field("mount_namespace")
    .data(v::mount_namespace_inode)
    .needs(RowNeeds::MOUNT_NAMESPACE)
    .by_kind(),
    Column::text("unit", "UNIT", 24, shown!(unit), "systemd unit")
        .least(14)
        .needs(RowNeeds::UNIT.union(RowNeeds::CGROUP_ID)),
    Column::text(
        "container",
        "CONTAINER",
        12,
        shown!(container),
        "id of the container",
    )
    .field("container.id")
    .data(v::container_id)
    .needs(RowNeeds::CONTAINER.union(RowNeeds::CGROUP_ID)),
    Column::text(
        "runtime",
        "RUNTIME",
        10,
        shown!(runtime),
        "runtime of the container",
    )
    .field("container.runtime")
    .needs(RowNeeds::CONTAINER.union(RowNeeds::CGROUP_ID)),
    Column::text(
        "container_name",
        "CONTAINER_NAME",
        20,
        shown!(container_name),
        "what users call the container",
    )
    .field("container.name")
    .least(14)
    .needs(RowNeeds::CONTAINER.union(RowNeeds::CGROUP_ID)),
    Column::text(
        "image",
        "IMAGE",
        24,
        shown!(image),
        "image of the container, as its user named it",
    )
    .field("container.image")
    .least(12)
    .needs(RowNeeds::CONTAINER.union(RowNeeds::CGROUP_ID)),
    Column::text(
        "pod",
        "POD",
        24,
        shown!(pod),
        "pod of the container: namespace and name, or its id",
    )
    .field("container.pod")
    .data(v::whole_pod)
    .least(12)
    .needs(RowNeeds::CONTAINER.union(RowNeeds::CGROUP_ID)),
    Column::text("cgroup", "CGROUP", 40, shown!(cgroup), "path of the cgroup")
        .field("cgroup.path")
        .least(16)
        .needs(RowNeeds::CGROUP.union(RowNeeds::CGROUP_ID)),
    Column::number(
        "cgroup_id",
        "CGROUP_ID",
        9,
        shown!(cgroup_id),
        "id of the cgroup",
    )
    .field("cgroup.id")
    .needs(RowNeeds::CGROUP_ID)
    .by_kind(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own_and_room_for_its_header() {
        for (index, column) in COLUMNS.iter().enumerate() {
            assert!(
                column.header.len() <= usize::from(column.width),
                "{column:?}"
            );
            assert!(
                column.header.len() <= usize::from(column.least),
                "{column:?}"
            );
            assert_eq!(column.key.to_uppercase(), column.header, "{column:?}");
            for other in &COLUMNS[..index] {
                assert_ne!(column.key, other.key);
                assert_ne!(column.field, other.field);
            }
        }
    }
}
