//! A check as a hook gives it.

use capable_common::Flags;

use crate::{audit, stack::EntryStack};

/// What a hook tells about a check.
#[derive(Clone, Copy)]
pub struct HookedCheck {
    /// The address of the credentials that are checked.
    pub credentials: u64,
    /// The user namespace over which the capability is asked for.
    pub target: TargetNamespace,
    /// The capability's number.
    pub capability: i32,
    /// The fourth argument, or 0 if the hook does not give it.
    pub options: u32,
    /// What the function returned, if the hook gives it.
    pub result: Option<i32>,
    /// The kernel stack, if the hook has already captured it.
    pub stack: Option<EntryStack>,
    /// [`Flags`] that the hook itself knows.
    pub flags: u32,
    /// The function that was hooked.
    pub function: HookedFunction,
    /// Whether no other program of this kind can run on the processor at the same time
    /// (kernel/trace/bpf_trace.c, `trace_call_bpf`, which kprobes go through).
    pub exclusive: bool,
}

/// The namespace that is asked about.
#[derive(Clone, Copy)]
pub enum TargetNamespace {
    /// The one at this address.
    At(u64),
    /// That of the credentials themselves.
    Own,
    /// The initial one, whose address is not known.
    Initial,
}

/// The functions that are hooked. If a task can be preempted in one of their programs, several can
/// be running on one processor at once.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum HookedFunction {
    /// `cap_capable`
    Capable,
    /// `cap_vm_enough_memory`
    Overcommit,
    /// `cap_capset`
    Capset,
    /// `cap_task_prctl`
    Prctl,
    /// `cap_mmap_addr`
    LowMapping,
    /// The return of a system call, which is no check.
    Return,
}

impl HookedFunction {
    /// How many there are.
    pub const COUNT: u32 = Self::Return as u32 + 1;
}

impl HookedCheck {
    /// A call of `cap_capable` with these arguments, about which the hook knows nothing more.
    #[inline(always)]
    pub fn of_call(credentials: u64, target: u64, capability: i32, options: u32) -> Self {
        Self {
            credentials,
            target: TargetNamespace::At(target),
            capability,
            options,
            result: None,
            stack: None,
            flags: 0,
            function: HookedFunction::Capable,
            exclusive: false,
        }
    }

    /// A check of the current task's credentials that the compiler inlined into its caller, which
    /// passes these options.
    #[inline(always)]
    pub fn inlined(
        function: HookedFunction,
        credentials: u64,
        target: TargetNamespace,
        capability: i32,
        options: u32,
    ) -> Self {
        let audited = if options & audit::NOAUDIT == 0 {
            Flags::AUDITED
        } else {
            0
        };
        Self {
            credentials,
            target,
            capability,
            options,
            result: None,
            stack: None,
            flags: Flags::INLINED | Flags::AUDIT_KNOWN | Flags::INSETID_KNOWN | audited,
            function,
            exclusive: false,
        }
    }
}
