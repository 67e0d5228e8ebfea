//! What only some columns need: the parent, the pids inside the process's pid namespace, and the
//! system call.

use capable_common::{Detail, Flags, SYSCALL_NONE, UNKNOWN_SET};

use super::{current, namespaces::inner_pid};
use crate::{
    arch::{self, Syscall},
    config,
    memory::{entry_registers, read, read_user},
};

/// Fills in the parent, the pids inside the process's pid namespace and the system call, and says
/// which of them are known.
#[inline(always)]
pub fn describe(task: u64, detail: &mut Detail) -> u32 {
    let mut known = 0;
    *detail = Detail {
        parent: 0,
        inner_pid: 0,
        inner_tid: 0,
        syscall: SYSCALL_NONE,
        arguments: [0; 6],
    };
    if let Some(parent) = read::<u64>(task, config!(offsets.task_real_parent))
        && let Some(pid) = read::<u32>(parent, config!(offsets.task_tgid))
    {
        detail.parent = pid;
        known |= Flags::PARENT_KNOWN;
    }
    if let Some(leader) = read::<u64>(task, config!(offsets.task_group_leader))
        && let (Some(pid), Some(tid)) = (inner_pid(leader), inner_pid(task))
    {
        detail.inner_pid = pid;
        detail.inner_tid = tid;
        known |= Flags::INNER_PID_KNOWN;
    }
    known | syscall(task, detail)
}

/// The address of the registers with which the task entered the kernel.
#[inline(always)]
fn registers(task: u64) -> Option<u64> {
    if config!(task_regs_helper) != 0 {
        return Some(entry_registers());
    }
    read(task, config!(offsets.task_stack)).map(arch::entry_registers)
}

/// The number of the system call that the current task is in, or [`SYSCALL_NONE`].
#[inline(always)]
pub fn syscall_number() -> i32 {
    registers(current())
        .and_then(arch::syscall_number)
        .unwrap_or(SYSCALL_NONE)
}

/// Fills in the system call that the task is in, and its arguments.
#[inline(always)]
fn syscall(task: u64, detail: &mut Detail) -> u32 {
    let (Some(entry), Some(registers)) = (
        read::<u32>(task, config!(offsets.task_entry)),
        registers(task),
    ) else {
        return 0;
    };
    let compat = arch::is_compat(entry);
    let Some(Syscall {
        number,
        mut arguments,
    }) = arch::syscall(registers, compat)
    else {
        return 0;
    };
    if number == arch::CAPSET && !compat {
        arguments[2] = requested_inheritable(arguments[1]);
    }
    detail.syscall = number;
    detail.arguments = arguments;
    if compat {
        Flags::SYSCALL_KNOWN | Flags::SYSCALL_COMPAT
    } else {
        Flags::SYSCALL_KNOWN
    }
}

/// The inheritable set that capset(2) asks for, by the address of its second argument: three words
/// for each half, the third of which is the inheritable one (`struct __user_cap_data_struct`,
/// include/uapi/linux/capability.h). [`UNKNOWN_SET`] if it cannot be read. A caller that uses the
/// first version of the interface has only one half, and whatever follows it may be taken for the
/// other.
#[inline(always)]
fn requested_inheritable(data: u64) -> u64 {
    match read_user::<[u32; 6]>(data) {
        Some([_, _, low, _, _, high]) => u64::from(high) << 32 | u64::from(low),
        None => UNKNOWN_SET,
    }
}
