//! What a trace cannot tell about a check.

use capable_common::{AuditArgument, NO_OFFSET, Offsets};

use crate::kernel::{
    btf::offsets::Layout,
    hook::Hook,
    probe::features::{Features, Lack, Support},
};

/// Something that a trace cannot tell about a check, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What is shown as `-`, or null in JSON.
    pub what: &'static str,
    /// Why.
    pub lack: Lack,
}

/// What a hook cannot say with this layout.
pub(super) fn of(features: &Features, hook: Hook, layout: &Layout) -> Vec<Unknown> {
    let reads = why_no_reads(features, hook);
    let o = &layout.offsets;
    let fields: [(&str, &[u32]); 9] = [
        (
            "the checked credentials, and whether ownership granted",
            &[
                o.cred_euid,
                o.cred_effective,
                o.cred_user_ns,
                o.user_ns_inum,
            ],
        ),
        ("the target user namespace", &[o.user_ns_inum]),
        (
            "whose credentials were checked",
            &[o.task_cred, o.task_real_cred],
        ),
        ("kernel threads and io_uring workers", &[o.task_flags]),
        ("the parent process", &[o.task_real_parent, o.task_tgid]),
        (
            "pids inside containers",
            &[
                o.task_group_leader,
                o.task_thread_pid,
                o.pid_level,
                o.pid_numbers,
                o.upid_size,
                o.upid_nr,
            ],
        ),
        (
            "mount and pid namespaces",
            &[
                o.task_nsproxy,
                o.nsproxy_mnt_ns,
                o.mnt_ns_inum,
                o.upid_ns,
                o.pid_ns_inum,
            ],
        ),
        ("the system call", &syscall(layout)),
        (
            "a process from an earlier one that had its PID",
            &[o.task_group_leader, o.task_start],
        ),
    ];
    let mut unknown = audit(features, hook, layout);
    for (what, offsets) in fields {
        if offsets.contains(&NO_OFFSET) {
            let lack = reads
                .clone()
                .unwrap_or_else(|| Lack::new("this kernel's BTF does not describe it"));
            unknown.push(Unknown { what, lack });
        }
    }
    if let Support::No(lack) = &features.symbols {
        unknown.push(Unknown {
            what: "names of kernel functions: the caller and kernel stacks",
            lack: lack.clone(),
        });
    }
    unknown
}

/// The offsets that are needed to find a system call.
fn syscall(layout: &Layout) -> [u32; 2] {
    let Offsets {
        task_entry,
        task_stack,
        ..
    } = layout.offsets;
    let registers = if layout.task_registers {
        task_entry
    } else {
        task_stack
    };
    [task_entry, registers]
}

/// The reason that applies to all structures, if there is one.
fn why_no_reads(features: &Features, hook: Hook) -> Option<Lack> {
    if let Support::No(lack) = &features.kernel_reads {
        return Some(lack.clone());
    }
    if let Support::No(lack) = &features.btf {
        return Some(lack.clone());
    }
    (hook == Hook::KprobePair).then(|| {
        Lack::with_remedy(
            "this hook reads no kernel structures",
            "use --hook kprobe if it works here",
        )
    })
}

fn audit(features: &Features, hook: Hook, layout: &Layout) -> Vec<Unknown> {
    const AUDIT: &str = "the audit flag";
    const INSETID: &str = "whether a set*id call made the check";
    let unknown = |what, lack: &Lack| Unknown {
        what,
        lack: lack.clone(),
    };
    match (layout.audit, &features.symbols, &features.btf) {
        (AuditArgument::Options | AuditArgument::CallPath, ..) => Vec::new(),
        (AuditArgument::Audit, ..) => {
            let lack = Lack::new("kernels before 5.1 do not tell");
            vec![unknown(INSETID, &lack)]
        }
        (AuditArgument::Unknown, Support::No(lack), _) if hook == Hook::Tracepoint => {
            vec![unknown(AUDIT, lack), unknown(INSETID, lack)]
        }
        (AuditArgument::Unknown, _, Support::No(lack)) => {
            vec![unknown(AUDIT, lack), unknown(INSETID, lack)]
        }
        (AuditArgument::Unknown, ..) => {
            let lack = Lack::new("this kernel's BTF does not describe cap_capable's 4th argument");
            vec![unknown(AUDIT, &lack), unknown(INSETID, &lack)]
        }
    }
}
