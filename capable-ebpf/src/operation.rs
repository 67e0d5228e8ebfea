//! System calls of followed processes that failed: what they asked for, of what, and with which
//! credentials.
//!
//! All of it is read when the call returns. The kernel has just read the texts, so their pages are
//! mostly there, and another thread may have changed them since.

use aya_ebpf::{helpers::generated, programs::RawTracePointContext};
use capable_common::{
    COMM_LENGTH, CallTexts, MAX_GROUPS, NO_OFFSET, NO_TEXT, Operation, OperationFlags, RecordKind,
    TEXT_LENGTH,
};

use crate::{
    arch,
    clock::now,
    config,
    hooked::HookedFunction,
    maps,
    memory::{read, read_at, read_some},
    names, task,
    transport::{Lost, Transport},
};

/// `PFA_NO_NEW_PRIVS`, a bit's number in `task_struct.atomic_flags` (include/linux/sched.h).
const NO_NEW_PRIVILEGES: u64 = 1 << 0;

/// `SECCOMP_MODE_FILTER` (include/uapi/linux/seccomp.h).
const SECCOMP_FILTER: u32 = 2;

/// Whether user space wants to know of a call with this result.
#[inline(always)]
pub fn is_wanted(result: i64) -> bool {
    /// `MAX_ERRNO` (include/linux/err.h).
    const MAX_ERRNO: i64 = 4095;
    config!(operations) != 0 && (-MAX_ERRNO..0).contains(&result)
}

/// Sends the system call that returns this; `denied` if a check was denied in it.
#[inline(always)]
pub fn send<T: Transport>(
    context: &RawTracePointContext,
    (pid, tid): (u32, u32),
    result: i64,
    denied: bool,
) {
    let size = size_of::<Operation>() as u64;
    let record = T::reserve(size, HookedFunction::Return);
    let sent = if record.is_null() {
        Err(Lost::Full)
    } else {
        let operation = record.cast::<Operation>();
        let time = now();
        macro_rules! write {
            ($($field:ident = $value:expr;)+) => {
                // SAFETY: the record has room for an operation, and is aligned to eight bytes.
                $(unsafe { (&raw mut (*operation).$field).write($value) };)+
            };
        }
        write! {
            kind = RecordKind::Operation as u16;
            time = time;
            result = result;
            pid = pid;
            tid = tid;
        }
        let task = task::current();
        write! {
            flags = if denied { OperationFlags::DENIED } else { OperationFlags::NONE };
            mount_namespace = task::mount_namespace(task).unwrap_or(0);
        }
        call(context.arg(0), task, operation);
        credentials(task, operation);
        confinement(task, operation);
        // SAFETY: the name has as many bytes as the length says.
        unsafe {
            generated::bpf_get_current_comm(
                (&raw mut (*operation).comm).cast(),
                COMM_LENGTH as u32,
            );
        }
        T::submit(context, record, size, time)
    };
    if let Err(lost) = sent {
        maps::count_one(|counters| match lost {
            Lost::Full => &mut counters.lost_life,
            Lost::NoBuffer => &mut counters.lost_life_hotplug,
        });
    }
}

/// Notes what is known. In the record, because the verifier would follow each set of flags apart if
/// it were in a register.
#[inline(always)]
fn note(operation: *mut Operation, known: OperationFlags) {
    // SAFETY: the record has room for an operation, whose flags were written before.
    unsafe {
        let flags = &raw mut (*operation).flags;
        flags.write_volatile(flags.read_volatile() | known);
    }
}

/// Writes the call and what its arguments point to.
#[inline(always)]
fn call(registers: u64, task: u64, operation: *mut Operation) {
    // SAFETY: the record has room for an operation; so do all writes below.
    unsafe {
        (&raw mut (*operation).first_length).write(NO_TEXT);
        (&raw mut (*operation).second_length).write(NO_TEXT);
        (&raw mut (*operation).names_length).write(0);
        (&raw mut (*operation).syscall).write(capable_common::SYSCALL_NONE);
    }
    let Some(entry) = read::<u32>(task, config!(offsets.task_entry)) else {
        return;
    };
    let compat = arch::is_compat(entry);
    let Some(call) = arch::syscall(registers, compat) else {
        return;
    };
    note(operation, OperationFlags::CALL_KNOWN);
    // SAFETY: as above.
    unsafe {
        (&raw mut (*operation).syscall).write(call.number);
        (&raw mut (*operation).arguments).write(call.arguments);
    }
    if compat {
        note(operation, OperationFlags::COMPAT);
        return;
    }
    let Some(&texts) = maps::CALL_TEXTS.get(call.number as u32) else {
        return;
    };
    // From the record, where an argument can be found by a number.
    // SAFETY: as above.
    let arguments = unsafe { (&raw const (*operation).arguments).cast::<u64>() };
    if let Some(address) = argument(arguments, texts.first_argument()) {
        // SAFETY: as above.
        unsafe {
            let length = text((&raw mut (*operation).first).cast(), address);
            (&raw mut (*operation).first_length).write(length);
        }
    }
    if let Some(address) = argument(arguments, texts.second_argument()) {
        // SAFETY: as above.
        unsafe {
            let length = text((&raw mut (*operation).second).cast(), address);
            (&raw mut (*operation).second_length).write(length);
        }
    }
    if let Some(at) = texts.address_argument()
        && let (Some(address), Some(length)) = (
            argument(arguments, Some(at)),
            argument(arguments, Some(at + 1)),
        )
    {
        // SAFETY: as above.
        unsafe {
            let length = socket_address((&raw mut (*operation).first).cast(), address, length);
            (&raw mut (*operation).first_length).write(length);
        }
    }
    file(task, texts, arguments, operation);
}

/// The value of an argument, by its number.
#[inline(always)]
fn argument(arguments: *const u64, number: Option<u32>) -> Option<u64> {
    let number = number? as usize;
    // The comparison bounds the number for the verifier.
    if number >= 6 {
        return None;
    }
    // SAFETY: there are six.
    Some(unsafe { arguments.add(number).read() })
}

/// Reads a text that NUL closes from the process's memory, and returns its length.
///
/// # Safety
///
/// There must be room for [`TEXT_LENGTH`] bytes.
#[inline(always)]
unsafe fn text(to: *mut u8, address: u64) -> i16 {
    // SAFETY: the caller vouches for the room; the helper checks the source.
    let bytes = unsafe {
        generated::bpf_probe_read_user_str(to.cast(), TEXT_LENGTH as u32, address as *const _)
    };
    // The size includes the NUL.
    if bytes > 0 { bytes as i16 - 1 } else { NO_TEXT }
}

/// Reads the address of a socket from the process's memory, and returns its length.
///
/// # Safety
///
/// There must be room for 128 bytes.
#[inline(always)]
unsafe fn socket_address(to: *mut u8, address: u64, length: u64) -> i16 {
    /// `struct sockaddr_storage` (include/uapi/linux/socket.h).
    const LARGEST: u64 = 128;
    if length == 0 || length > LARGEST {
        return NO_TEXT;
    }
    // SAFETY: the caller vouches for the room; the helper checks the source.
    let error =
        unsafe { generated::bpf_probe_read_user(to.cast(), length as u32, address as *const _) };
    if error == 0 { length as i16 } else { NO_TEXT }
}

/// Writes the facts and the names of the file that a descriptor stands for, or of the current
/// directory.
#[inline(always)]
fn file(task: u64, texts: CallTexts, arguments: *const u64, operation: *mut Operation) {
    /// `AT_FDCWD` (include/uapi/linux/fcntl.h).
    const CURRENT: i32 = -100;
    let descriptor = argument(arguments, texts.descriptor_argument()).map(|value| value as i32);
    let found = match descriptor {
        Some(CURRENT) => current_directory(task),
        Some(descriptor) => open_file(task, descriptor),
        None if texts.is_in_current_directory() => current_directory(task),
        None => None,
    };
    let Some((mount, entry)) = found else {
        return;
    };
    // SAFETY: the record has room for an operation.
    let (length, complete) =
        unsafe { names::write(mount, entry, (&raw mut (*operation).names).cast()) };
    // SAFETY: as above.
    unsafe { (&raw mut (*operation).names_length).write(length) };
    if complete {
        note(operation, OperationFlags::NAMES_COMPLETE);
    }
    let facts = || {
        let inode = read::<u64>(entry, config!(offsets.entry_inode))?;
        Some((
            read::<u16>(inode, config!(offsets.inode_mode))?,
            read::<u32>(inode, config!(offsets.inode_uid))?,
            read::<u32>(inode, config!(offsets.inode_gid))?,
            read::<u32>(inode, config!(offsets.inode_flags))?,
        ))
    };
    let Some((mode, uid, gid, flags)) = facts() else {
        return;
    };
    // SAFETY: as above.
    unsafe {
        (&raw mut (*operation).file_mode).write(u32::from(mode));
        (&raw mut (*operation).file_uid).write(uid);
        (&raw mut (*operation).file_gid).write(gid);
        (&raw mut (*operation).file_flags).write(flags);
    }
    note(operation, OperationFlags::FILE_KNOWN);
}

/// The mount and the entry of the task's current directory.
#[inline(always)]
fn current_directory(task: u64) -> Option<(u64, u64)> {
    let fs = read::<u64>(task, config!(offsets.task_fs))?;
    Some((
        read(fs, config!(offsets.fs_pwd_mount))?,
        read(fs, config!(offsets.fs_pwd_entry))?,
    ))
}

/// The mount and the entry of an open file.
#[inline(always)]
fn open_file(task: u64, descriptor: i32) -> Option<(u64, u64)> {
    let files = read::<u64>(task, config!(offsets.task_files))?;
    let table = read::<u64>(files, config!(offsets.files_table))?;
    let most = read::<u32>(table, config!(offsets.files_most))?;
    if descriptor as u32 >= most {
        return None;
    }
    let open = read::<u64>(table, config!(offsets.files_open))?;
    let file = read_at::<u64>(open.wrapping_add(u64::from(descriptor as u32) * 8))?;
    Some((
        read(file, config!(offsets.file_mount))?,
        read(file, config!(offsets.file_entry))?,
    ))
}

/// Writes the credentials that the task uses.
#[inline(always)]
fn credentials(task: u64, operation: *mut Operation) {
    let Some(held) = read::<u64>(task, config!(offsets.task_cred)) else {
        return;
    };
    let mut known = true;
    macro_rules! copy {
        ($($field:ident = $member:ident;)+) => {
            $(match read(held, config!(offsets.$member)) {
                // SAFETY: the record has room for an operation.
                Some(value) => unsafe { (&raw mut (*operation).$field).write(value) },
                None => known = false,
            })+
        };
    }
    copy! {
        effective = cred_effective;
        permitted = cred_permitted;
        inheritable = cred_inheritable;
        bounding = cred_bounding;
        ambient = cred_ambient;
        uid = cred_uid;
        euid = cred_euid;
        fsuid = cred_fsuid;
        fsgid = cred_fsgid;
        securebits = cred_securebits;
    }
    let namespace = read::<u64>(held, config!(offsets.cred_user_ns))
        .and_then(|namespace| read::<u32>(namespace, config!(offsets.user_ns_inum)));
    match namespace {
        // SAFETY: as above.
        Some(inode) => unsafe { (&raw mut (*operation).user_namespace).write(inode) },
        None => known = false,
    }
    if known {
        note(operation, OperationFlags::CREDENTIALS_KNOWN);
    }
    groups(held, operation);
    landlock(held, operation);
}

/// Writes the first supplementary groups.
#[inline(always)]
fn groups(held: u64, operation: *mut Operation) {
    let first = config!(offsets.groups_first);
    let count = || {
        let groups = read::<u64>(held, config!(offsets.cred_groups))?;
        Some((groups, read::<u32>(groups, config!(offsets.groups_count))?))
    };
    let Some((groups, count)) = count().filter(|_| first != NO_OFFSET) else {
        return;
    };
    // SAFETY: the record has room for an operation. What lies behind the last group is not used.
    let read = unsafe {
        (&raw mut (*operation).group_count).write(count);
        let to = &mut *(&raw mut (*operation).groups).cast();
        read_some::<[u32; MAX_GROUPS]>(
            groups.wrapping_add(u64::from(first)),
            size_of::<[u32; MAX_GROUPS]>() as u32,
            to,
        )
    };
    if read {
        note(operation, OperationFlags::GROUPS_KNOWN);
    }
}

/// Whether Landlock restricts these credentials: the first word of its part of their security
/// (`struct landlock_cred_security`, security/landlock/cred.h, 5.13 to 7.3) points to what it
/// enforces. Where that part begins is in `landlock_blob_sizes.lbs_cred`, its first member.
#[inline(always)]
fn landlock(held: u64, operation: *mut Operation) {
    let sizes = config!(landlock);
    if sizes == 0 {
        return;
    }
    let domain = || {
        let start = read_at::<u32>(sizes)?;
        let security = read::<u64>(held, config!(offsets.cred_security))?;
        read_at::<u64>(security.wrapping_add(u64::from(start)))
    };
    if let Some(domain) = domain() {
        note(operation, OperationFlags::LANDLOCK_KNOWN);
        if domain != 0 {
            note(operation, OperationFlags::LANDLOCK);
        }
    }
}

/// Writes what confines the task besides its credentials.
#[inline(always)]
fn confinement(task: u64, operation: *mut Operation) {
    if let Some(flags) = read::<u64>(task, config!(offsets.task_atomic_flags)) {
        note(operation, OperationFlags::PRIVILEGES_KNOWN);
        if flags & NO_NEW_PRIVILEGES != 0 {
            note(operation, OperationFlags::NO_NEW_PRIVILEGES);
        }
    }
    if let Some(mode) = read::<u32>(task, config!(offsets.task_seccomp)) {
        note(operation, OperationFlags::SECCOMP_KNOWN);
        if mode == SECCOMP_FILTER {
            note(operation, OperationFlags::SECCOMP);
        }
    }
}
