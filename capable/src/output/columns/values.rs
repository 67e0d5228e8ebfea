//! Where the value of each column comes from.

use crate::{
    event::{self, CredentialOwner, Decision, Relation, Task, Verdict},
    output::{Row, value::Value},
};

pub fn time<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::Time(row.event.check.time)
}

pub fn uid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::Number(row.event.check.uid.into())
}

/// A user without a name is shown by number, as ls(1) does.
pub fn user<'a>(row: &'a Row<'_>) -> Value<'a> {
    row.user.map_or_else(|| uid(row), Value::Text)
}

pub fn user_name<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.user)
}

pub fn gid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.gid())
}

/// A group without a name is shown by number, as ls(1) does.
pub fn group<'a>(row: &'a Row<'_>) -> Value<'a> {
    row.group.map_or_else(|| gid(row), Value::Text)
}

pub fn group_name<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.group)
}

pub fn pid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::Number(row.event.check.pid.into())
}

pub fn tid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::Number(row.event.check.tid.into())
}

pub fn ppid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.parent())
}

pub fn inner_pid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.inner_pids().map(|(pid, _)| pid))
}

pub fn inner_tid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.inner_pids().map(|(_, tid)| tid))
}

pub fn comm<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::Comm(&row.event.check.comm)
}

pub fn comm_bytes<'a>(row: &'a Row<'_>) -> Value<'a> {
    let bytes = event::comm_bytes(&row.event.check.comm);
    match str::from_utf8(bytes) {
        Ok(_) => Value::Unknown,
        Err(_) => Value::Bytes(bytes),
    }
}

pub fn task<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::word(row.event.task().map(|task| match task {
        Task::User => "user",
        Task::KernelThread => "kernel_thread",
        Task::IoWorker => "io_worker",
    }))
}

pub fn processor<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::Number(row.event.check.processor.into())
}

pub fn capability_number<'a>(row: &'a Row<'_>) -> Value<'a> {
    let number = row.event.check.capability;
    match u64::try_from(number) {
        Ok(number) => Value::Number(number),
        Err(_) => Value::Signed(number.into()),
    }
}

pub fn capability<'a>(row: &'a Row<'_>) -> Value<'a> {
    let capability = row.event.capability();
    match capability.name() {
        Some(name) => Value::Word(name),
        None => Value::Numbered("CAP_", capability.number().into()),
    }
}

pub fn audit<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::flag(row.event.audit().map(|audit| audit.audited))
}

pub fn audit_inferred<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::flag(row.event.audit().map(|audit| audit.inferred))
}

pub fn insetid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::flag(row.event.insetid())
}

pub fn result<'a>(row: &'a Row<'_>) -> Value<'a> {
    let target = row.event.target_namespace();
    let elsewhere =
        target.is_some_and(|target| !target.initial) && row.event.target_inode().is_some();
    Value::word(row.event.verdict().map(|verdict| match verdict {
        Verdict::Granted | Verdict::GrantedByBoth if elsewhere => "userns",
        Verdict::Granted | Verdict::GrantedByBoth => "granted",
        Verdict::GrantedByOwnership => "owner",
        Verdict::Denied(_) => "denied",
    }))
}

pub fn result_word<'a>(row: &'a Row<'_>) -> Value<'a> {
    let verdict = row.event.verdict();
    Value::word(verdict.map(|verdict| Decision::of(Some(verdict)).word()))
}

/// Without the credentials, what granted it is unknown.
pub fn granted_by<'a>(row: &'a Row<'_>) -> Value<'a> {
    let known = row.event.credentials().is_some();
    Value::word(row.event.verdict().and_then(|verdict| match verdict {
        Verdict::GrantedByOwnership => Some("ownership"),
        Verdict::Granted | Verdict::GrantedByBoth => known.then_some("capability"),
        Verdict::Denied(_) => None,
    }))
}

fn denied_with(row: &Row<'_>) -> Option<i32> {
    match row.event.verdict()? {
        Verdict::Denied(errno) => Some(errno),
        Verdict::Granted | Verdict::GrantedByOwnership | Verdict::GrantedByBoth => None,
    }
}

pub fn errno<'a>(row: &'a Row<'_>) -> Value<'a> {
    denied_with(row).map_or(Value::Unknown, |errno| Value::Signed(errno.into()))
}

/// `cap_capable` returns only one error, EPERM (security/commoncap.c); any other is shown by
/// number.
pub fn errno_name<'a>(row: &'a Row<'_>) -> Value<'a> {
    match denied_with(row) {
        Some(libc::EPERM) => Value::Word("EPERM"),
        _ => errno(row),
    }
}

pub fn caller<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.caller)
}

pub fn why<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.why)
}

pub fn syscall_name<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.syscall)
}

/// The name of the system call, or its number if it has none; for a kernel thread or an io_uring
/// worker, what it is.
pub fn syscall<'a>(row: &'a Row<'_>) -> Value<'a> {
    if let Some(name) = row.syscall {
        return Value::Text(name);
    }
    match (row.event.task(), row.event.syscall()) {
        (Some(Task::KernelThread), _) => Value::Word("(kernel)"),
        (Some(Task::IoWorker), _) => Value::Word("(io_uring)"),
        (_, Some(call)) => Value::Numbered("syscall_", call.number.into()),
        (_, None) => Value::Unknown,
    }
}

pub fn syscall_number<'a>(row: &'a Row<'_>) -> Value<'a> {
    row.event
        .syscall()
        .map_or(Value::Unknown, |call| Value::Signed(call.number.into()))
}

pub fn syscall_compat<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::flag(row.event.syscall().map(|call| call.compat))
}

pub fn arguments<'a>(row: &'a Row<'_>) -> Value<'a> {
    match (row.event.syscall(), row.event.detail) {
        (Some(_), Some(detail)) => Value::Arguments(&detail.arguments),
        _ => Value::Unknown,
    }
}

pub fn euid<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.credentials().map(|credentials| credentials.euid))
}

pub fn effective<'a>(row: &'a Row<'_>) -> Value<'a> {
    row.event
        .credentials()
        .map_or(Value::Unknown, |credentials| {
            Value::Mask(credentials.effective.bits())
        })
}

pub fn credential_owner<'a>(row: &'a Row<'_>) -> Value<'a> {
    let owner = row.event.credentials().and_then(|cred| cred.owner);
    Value::word(owner.map(|owner| match owner {
        CredentialOwner::Own => "own",
        CredentialOwner::Overridden => "overridden",
        CredentialOwner::Foreign => "foreign",
    }))
}

pub fn credential_namespace<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.credentials().map(|cred| cred.namespace))
}

pub fn namespace<'a>(row: &'a Row<'_>) -> Value<'a> {
    match row.event.target_namespace() {
        Some(namespace) if namespace.initial => Value::Word("initial"),
        _ => namespace_inode(row),
    }
}

pub fn namespace_inode<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.target_inode())
}

pub fn namespace_initial<'a>(row: &'a Row<'_>) -> Value<'a> {
    let target = row.event.target_namespace();
    Value::flag(target.map(|target| target.initial))
}

pub fn relation<'a>(row: &'a Row<'_>) -> Value<'a> {
    let target = row.event.target_namespace();
    Value::word(target.map(|target| match target.relation {
        Relation::Own => "own",
        Relation::Below => "below",
        Relation::Outside => "outside",
    }))
}

pub fn mount_namespace<'a>(row: &'a Row<'_>) -> Value<'a> {
    match row.event.mount_namespace() {
        inode @ Some(_) if inode == row.initial_mount_namespace => Value::Word("initial"),
        inode => Value::number(inode),
    }
}

pub fn mount_namespace_inode<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::number(row.event.mount_namespace())
}

pub fn unit<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.unit)
}

pub fn container<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.container.map(|container| container.short_id))
}

pub fn container_id<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.container.map(|container| container.id))
}

pub fn runtime<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.container.and_then(|container| container.runtime))
}

pub fn container_name<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.container.and_then(|container| container.name))
}

pub fn image<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.container.and_then(|container| container.image))
}

pub fn pod<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.container.and_then(|container| container.short_pod))
}

pub fn whole_pod<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.container.and_then(|container| container.pod))
}

pub fn cgroup<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::text(row.cgroup)
}

pub fn cgroup_id<'a>(row: &'a Row<'_>) -> Value<'a> {
    Value::Number(row.event.check.cgroup)
}
