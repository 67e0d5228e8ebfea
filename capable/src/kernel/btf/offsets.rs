//! What the kernel side must know about this kernel's structures: taken from BTF, never from the
//! version.

use capable_common::{AuditArgument, Offsets};

use super::{Btf, BtfError, Parameter, Query, TypeKind};
use crate::kernel::hook::Caller;

/// The function that decides every check (security/commoncap.c).
pub const CAP_CAPABLE: &str = "cap_capable";

/// The typedef that stands for the tracepoint `capability:cap_capable`, which exists since 6.14
/// (include/trace/events/capability.h).
pub const CAP_CAPABLE_TRACEPOINT: &str = "btf_trace_cap_capable";

/// The helper that gives a task's registers, as the kernel's functions name it
/// (kernel/trace/bpf_trace.c, since 5.15).
const TASK_REGISTERS: &str = "bpf_task_pt_regs";

/// Creates threads for io_uring (kernel/fork.c).
const CREATE_IO_THREAD: &str = "create_io_thread";

/// `PF_IO_WORKER` (include/linux/sched.h), since commit 01ccf592362a (5.10).
const PF_IO_WORKER: u32 = 0x10;

/// What must be looked up in BTF for [`Layout::resolve`].
pub const QUERY: Query<'static> = Query {
    members: Offsets::MEMBERS,
    sizes: Offsets::SIZES,
    functions: &[
        CAP_CAPABLE,
        CREATE_IO_THREAD,
        TASK_REGISTERS,
        Caller::Overcommit.function(),
        Caller::Capset.function(),
        Caller::Prctl.function(),
        Caller::LowMapping.function(),
    ],
    typedefs: &[CAP_CAPABLE_TRACEPOINT],
};

/// What is known about this kernel's structures and about `cap_capable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The offsets of the members.
    pub offsets: Offsets,
    /// How the fourth argument of `cap_capable` is read.
    pub audit: AuditArgument,
    /// The bit of `task_struct.flags` that marks an io_uring worker, or 0 if such workers are
    /// ordinary kernel threads.
    pub io_worker: u32,
    /// The type number of the function `cap_capable`, for fexit.
    pub function: Option<u32>,
    /// The type number of the tracepoint's typedef.
    pub tracepoint: Option<u32>,
    /// The type numbers of the functions into which `cap_capable` may be inlined, in the order of
    /// [`Caller::ALL`], for fentry.
    pub callers: [Option<u32>; Caller::ALL.len()],
    /// The helper `bpf_task_pt_regs` exists: 5.15 and later.
    pub task_registers: bool,
    /// Programs may read the members of the current task, and of its credentials, without a helper:
    /// 5.11 and later. BTF does not tell; this comes from loading a test program.
    pub typed_task: bool,
}

impl Layout {
    /// Nothing is known, as is the case without BTF.
    pub const UNKNOWN: Self = Self {
        offsets: Offsets::UNKNOWN,
        audit: AuditArgument::Unknown,
        io_worker: 0,
        function: None,
        tracepoint: None,
        callers: [None; Caller::ALL.len()],
        task_registers: false,
        typed_task: false,
    };

    /// Takes what [`QUERY`] asked for. What this kernel lacks is unknown.
    ///
    /// # Errors
    ///
    /// The type information cannot be read or is damaged.
    pub fn resolve(btf: &Btf) -> Result<Self, BtfError> {
        let parameters = btf.parameters(CAP_CAPABLE)?;
        // Before create_io_thread (cc440e8738e5, 5.12; 1500fed00878, 5.10.162), io_uring's
        // workers were kernel threads, and up to 5.9 the bit meant PF_VCPU.
        let io_worker = match btf.function(CREATE_IO_THREAD) {
            Some(_) => PF_IO_WORKER,
            None => 0,
        };
        Ok(Self {
            offsets: Offsets::find(
                |structure, member| btf.offset(structure, member),
                |structure| btf.size(structure),
            )?,
            audit: audit_argument(parameters.as_deref()),
            io_worker,
            function: btf.function(CAP_CAPABLE),
            tracepoint: btf.typedef(CAP_CAPABLE_TRACEPOINT),
            callers: Caller::ALL.map(|caller| btf.function(caller.function())),
            task_registers: btf.function(TASK_REGISTERS).is_some(),
            typed_task: false,
        })
    }
}

/// How the fourth argument is read, by its name and type.
///
/// Commit c1a85a00ea66 (5.1) turned `int audit` (1 is audited) into `unsigned int opts` (a plain
/// audited check is 0), and was backported, so going by the version would read it the wrong way
/// round.
fn audit_argument(parameters: Option<&[Parameter]>) -> AuditArgument {
    let Some([_, _, _, fourth]) = parameters else {
        return AuditArgument::Unknown;
    };
    match (fourth.name.as_str(), fourth.kind, fourth.signed) {
        ("audit", TypeKind::Int, true) => AuditArgument::Audit,
        ("opts", TypeKind::Int, false) => AuditArgument::Options,
        _ => AuditArgument::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use capable_common::NO_OFFSET;

    use super::super::VMLINUX;
    use super::*;

    fn parameters(name: &str, kind: TypeKind, signed: bool) -> Vec<Parameter> {
        let parameter = |name: &str, kind, signed| Parameter {
            name: name.into(),
            kind,
            type_name: String::new(),
            signed,
        };
        vec![
            parameter("cred", TypeKind::Pointer, false),
            parameter("targ_ns", TypeKind::Pointer, false),
            parameter("cap", TypeKind::Int, true),
            parameter(name, kind, signed),
        ]
    }

    #[test]
    fn the_audit_argument_is_told_by_name_and_type_together() {
        let read = |name, kind, signed| audit_argument(Some(&parameters(name, kind, signed)));
        assert_eq!(read("audit", TypeKind::Int, true), AuditArgument::Audit);
        assert_eq!(read("opts", TypeKind::Int, false), AuditArgument::Options);
        for (name, kind, signed) in [
            ("opts", TypeKind::Int, true),
            ("audit", TypeKind::Int, false),
            ("opts", TypeKind::Pointer, false),
            ("flags", TypeKind::Int, false),
        ] {
            assert_eq!(read(name, kind, signed), AuditArgument::Unknown, "{name}");
        }
        let mut five = parameters("opts", TypeKind::Int, false);
        five.push(five[3].clone());
        assert_eq!(audit_argument(Some(&five)), AuditArgument::Unknown);
        assert_eq!(audit_argument(None), AuditArgument::Unknown);
    }

    /// The kernels in the table, and this one: all are of 5.10 or later.
    #[test]
    fn everything_that_a_check_needs_is_known_on_the_running_kernel() {
        let btf = Btf::read(Path::new(VMLINUX), &QUERY)
            .expect("this test needs a kernel with CONFIG_DEBUG_INFO_BTF");
        let layout = Layout::resolve(&btf).unwrap();
        assert_eq!(layout.audit, AuditArgument::Options);
        assert!(layout.function.is_some());
        let known = format!("{:?}", layout.offsets);
        assert!(!known.contains(&NO_OFFSET.to_string()), "{known}");
    }

    #[test]
    fn a_kernel_that_tells_nothing_leaves_everything_unknown() {
        let path = tempfile::NamedTempFile::new().unwrap();
        // Empty sections: nothing is known, and nothing fails.
        let header: [u32; 6] = [0x0001_eb9f, 24, 0, 0, 0, 0];
        let bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
        std::fs::write(path.path(), bytes).unwrap();
        let btf = Btf::read(path.path(), &QUERY).unwrap();
        assert_eq!(Layout::resolve(&btf).unwrap(), Layout::UNKNOWN);
    }
}
