//! What the kernel knows of the task that made a check.

use core::mem::MaybeUninit;

use aya_ebpf::helpers::{bpf_get_current_uid_gid, generated};
use capable_common::{COMM_LENGTH, Detail, Flags, NO_OFFSET, SYSCALL_NONE};

use crate::{
    arch::{self, Syscall},
    config,
    memory::{current_task, entry_registers, read, read_some, word_of},
    typed,
};

/// `PF_KTHREAD` (include/linux/sched.h, the same bit from 2.6.27 to 7.x).
const PF_KTHREAD: u32 = 0x0020_0000;

/// Whose credentials a task has, and its name.
pub struct Identity {
    /// Its own credentials, and those that it uses: they differ while they are overridden, as
    /// access(2) and overlayfs do.
    credentials: Option<(u64, u64)>,
    /// Its name, as it lies in the kernel: there may be anything behind its end.
    pub comm: Option<[u64; COMM_LENGTH / 8]>,
}

/// Words from `real_cred` over `cred` to the end of `comm`, on the kernels whose `task_struct` has
/// them so close.
const WINDOW: usize = 6;

/// Whose credentials the current task has, and its name.
#[inline(always)]
pub fn identity(task: u64) -> Identity {
    if config!(typed_task) != 0 {
        let pointer = |offset| typed::word(task, offset);
        return Identity {
            credentials: Some((
                pointer(config!(offsets.task_real_cred)),
                pointer(config!(offsets.task_cred)),
            )),
            comm: Some(typed_comm(task)),
        };
    }
    let (real, current) = (config!(offsets.task_real_cred), config!(offsets.task_cred));
    let name = config!(offsets.task_comm).wrapping_sub(real);
    let close = real != NO_OFFSET
        && current.wrapping_sub(real) == 8
        && name.is_multiple_of(8)
        && (16..=(WINDOW - 2) as u32 * 8).contains(&name);
    if !close {
        return Identity {
            credentials: credentials(task),
            comm: None,
        };
    }
    let mut window = MaybeUninit::<[u64; WINDOW]>::uninit();
    let address = task.wrapping_add(u64::from(real));
    if !read_some(address, name + COMM_LENGTH as u32, &mut window) {
        return Identity {
            credentials: None,
            comm: None,
        };
    }
    // SAFETY: the window was read up to the end of the name.
    unsafe {
        Identity {
            credentials: Some((word_of(&window, 0), word_of(&window, 8))),
            comm: Some([word_of(&window, name), word_of(&window, name + 8)]),
        }
    }
}

impl Identity {
    /// The real user id of the task. The helper gives that of the credentials that it uses, which is
    /// another's while they are overridden (kernel/bpf/helpers.c, `bpf_get_current_uid_gid`).
    #[inline(always)]
    pub fn user(&self) -> u32 {
        let user = match self.credentials {
            Some((real, _)) if config!(typed_task) != 0 => {
                Some(typed::half(real, config!(offsets.cred_uid)))
            }
            Some((real, _)) => read(real, config!(offsets.cred_uid)),
            None => None,
        };
        user.unwrap_or_else(|| bpf_get_current_uid_gid() as u32)
    }

    /// Whose credentials these are.
    #[inline(always)]
    pub fn owner(&self, checked: u64) -> u32 {
        match self.credentials {
            Some((real, _)) if checked == real => Flags::OWNER_KNOWN,
            Some((_, current)) if checked == current => {
                Flags::OWNER_KNOWN | Flags::CREDENTIALS_OVERRIDDEN
            }
            Some(_) => Flags::OWNER_KNOWN | Flags::CREDENTIALS_FOREIGN,
            None => 0,
        }
    }
}

/// The name of a task whose type the verifier knows.
#[inline(always)]
fn typed_comm(task: u64) -> [u64; COMM_LENGTH / 8] {
    let name = config!(offsets.task_comm);
    [typed::word(task, name), typed::word(task, name + 8)]
}

/// A task's own credentials, and those that it uses.
#[inline(always)]
fn credentials(task: u64) -> Option<(u64, u64)> {
    let (real, current) = (config!(offsets.task_real_cred), config!(offsets.task_cred));
    if current.wrapping_sub(real) == 8 && real != NO_OFFSET {
        let [real, current] = read::<[u64; 2]>(task, real)?;
        return Some((real, current));
    }
    Some((read(task, real)?, read(task, current)?))
}

/// The real user id of the current task.
#[inline(always)]
pub fn user(task: u64) -> u32 {
    identity(task).user()
}

/// The current task's name, with nothing behind its end: what is left there would tell equal names
/// apart in the keys of tables.
#[inline(always)]
pub fn comm(task: u64) -> [u64; COMM_LENGTH / 8] {
    let name = if config!(typed_task) != 0 {
        Some(typed_comm(task))
    } else {
        read::<[u64; COMM_LENGTH / 8]>(task, config!(offsets.task_comm))
    };
    let [first, second] = name.unwrap_or_else(|| {
        // Two words: bytes would be zeroed in a loop of a hundred instructions. Not every kernel
        // writes what is behind the name's end (seen on 6.1: bpf_get_current_comm,
        // kernel/bpf/helpers.c, calls strscpy there).
        let mut name = [0u64; COMM_LENGTH / 8];
        // SAFETY: the buffer holds as many bytes as its size says.
        unsafe {
            generated::bpf_get_current_comm(name.as_mut_ptr().cast(), COMM_LENGTH as u32);
        }
        name
    });
    let (first, ended) = closed(first);
    [first, if ended { 0 } else { closed(second).0 }]
}

/// A word of a name with zeros behind the first NUL, and whether there is one.
#[inline(always)]
fn closed(word: u64) -> (u64, bool) {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    // The highest bit of each byte that is 0, and perhaps of some behind the first of them.
    let ends = word.wrapping_sub(LOWEST) & !word & (LOWEST << 7);
    let before = (ends & ends.wrapping_neg()) >> 7;
    (word & before.wrapping_sub(1), ends != 0)
}

/// What kind of task it is.
#[inline(always)]
pub fn kind(task: u64) -> u32 {
    let flags = if config!(typed_task) != 0 {
        Some(typed::half(task, config!(offsets.task_flags)))
    } else {
        read::<u32>(task, config!(offsets.task_flags))
    };
    let Some(flags) = flags else {
        return 0;
    };
    let mut kind = Flags::TASK_KNOWN;
    if flags & PF_KTHREAD != 0 {
        kind |= Flags::KERNEL_THREAD;
    }
    if flags & config!(io_worker) != 0 {
        kind |= Flags::IO_WORKER;
    }
    kind
}

/// The inode number of the user namespace that the task's own credentials are in.
#[inline(always)]
pub fn user_namespace(task: u64) -> Option<u32> {
    let credentials = read::<u64>(task, config!(offsets.task_cred))?;
    let namespace = read::<u64>(credentials, config!(offsets.cred_user_ns))?;
    read(namespace, config!(offsets.user_ns_inum))
}

/// The inode number of the task's mount namespace.
#[inline(always)]
pub fn mount_namespace(task: u64) -> Option<u32> {
    let proxy = read::<u64>(task, config!(offsets.task_nsproxy))?;
    let namespace = read::<u64>(proxy, config!(offsets.nsproxy_mnt_ns))?;
    read(namespace, config!(offsets.mnt_ns_inum))
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
    let number =
        |task| innermost(task).and_then(|upid| read::<u32>(upid, config!(offsets.upid_nr)));
    if let Some(leader) = read::<u64>(task, config!(offsets.task_group_leader))
        && let (Some(pid), Some(tid)) = (number(leader), number(task))
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
    let Some(Syscall { number, arguments }) = arch::syscall(registers, compat) else {
        return 0;
    };
    detail.syscall = number;
    detail.arguments = arguments;
    if compat {
        Flags::SYSCALL_KNOWN | Flags::SYSCALL_COMPAT
    } else {
        Flags::SYSCALL_KNOWN
    }
}

/// The current task: with its type, where the verifier knows that.
#[inline(always)]
pub fn current() -> u64 {
    if config!(typed_task) != 0 {
        typed::current()
    } else {
        current_task()
    }
}
