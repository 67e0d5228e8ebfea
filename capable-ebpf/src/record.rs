//! Writes a check straight into the transport's memory.

use aya_ebpf::{EbpfContext, helpers::generated};
use capable_common::{COMM_LENGTH, Check, Detail, Flags, Membership, RecordKind, Wanted};

use crate::{
    clock::now,
    config,
    config::wants,
    hooked::HookedCheck,
    settled::SettledCheck,
    stack,
    task::{self, Identity},
    transport::{Lost, Transport},
    verdict::Verdict,
};

/// The number of bytes of a record; a constant to the verifier.
#[inline(always)]
fn size() -> u64 {
    let frames = u64::from(config!(kernel_frames)) + u64::from(config!(user_frames));
    let mut size = size_of::<Check>() as u64 + frames * 8;
    if wants_membership() {
        size += size_of::<Membership>() as u64;
    }
    if wants(Wanted::DETAIL) {
        size += size_of::<Detail>() as u64;
    }
    size
}

/// Sends a check.
#[inline(always)]
pub fn send<T: Transport, C: EbpfContext>(
    context: &C,
    hooked: &HookedCheck,
    settled: &SettledCheck,
) -> Result<(), Lost> {
    let identity = task::identity(settled.task);
    let (uid, gid) = identity.user_and_group();
    let size = size();
    let record = T::reserve(size, hooked.function);
    if record.is_null() {
        return Err(Lost::Full);
    }
    let mut flags = settled.flags();
    if wants(Wanted::CREDENTIALS) {
        flags |= identity.owner(hooked.credentials);
    }
    let mut end = size_of::<Check>() as u64;
    if wants_membership() {
        // SAFETY: the record has room for the section if it is asked for, and its sections are
        // multiples of eight bytes.
        let membership = unsafe { &mut *record.add(end as usize).cast::<Membership>() };
        flags |= describe_membership(settled.task, gid, membership);
        end += size_of::<Membership>() as u64;
    }
    if wants(Wanted::DETAIL) {
        flags |= task::kind(settled.task);
        // SAFETY: as above.
        let detail = unsafe { &mut *record.add(end as usize).cast::<Detail>() };
        flags |= task::describe(settled.task, detail);
        end += size_of::<Detail>() as u64;
    }
    // SAFETY: the stacks are the last sections of the record, and it has room for both.
    let kernel_stack = unsafe { record.add(end as usize) };
    let kernel_frames = stack::kernel(context, hooked.stack, kernel_stack);
    end += u64::from(config!(kernel_frames)) * 8;
    // SAFETY: as above.
    let user_frames = stack::user(context, unsafe { record.add(end as usize) });

    let check = record.cast::<Check>();
    let time = now();
    // Field by field: as a whole the name would be zeroed first, in a loop of a hundred
    // instructions.
    macro_rules! write {
        ($($field:ident = $value:expr;)+) => {
            // SAFETY: the record has room for a check, and is aligned to eight bytes.
            $(unsafe { (&raw mut (*check).$field).write($value) };)+
        };
    }
    // What helpers return comes first, so that the rest need not survive their calls.
    write! {
        time = time;
        processor = processor();
        cgroup = if wants(Wanted::CGROUP) { task::cgroup() } else { 0 };
    }
    let Verdict {
        effective,
        euid,
        credential_namespace,
        target_namespace,
        result,
        flags: _,
    } = settled.verdict;
    write! {
        kind = RecordKind::Check as u16;
        kernel_frames = kernel_frames;
        user_frames = user_frames;
        effective = effective;
        pid = settled.pid;
        tid = settled.tid;
        uid = uid;
        euid = euid;
        capability = settled.capability;
        options = settled.options;
        result = result;
        target_namespace = target_namespace;
        credential_namespace = credential_namespace;
        flags = flags;
    }
    write_name(check, &identity);
    T::submit(context, record, size, time)
}

/// Whether [`Membership`] is asked for.
#[inline(always)]
fn wants_membership() -> bool {
    config!(wanted).intersects(Wanted::MEMBERSHIP)
}

/// Fills in what is asked for of the task's memberships, and says which of them are known.
#[inline(always)]
fn describe_membership(task: u64, gid: u32, membership: &mut Membership) -> u32 {
    let mut known = 0;
    *membership = Membership {
        gid: 0,
        mount_namespace: 0,
    };
    if wants(Wanted::GROUP) {
        membership.gid = gid;
        known |= Flags::GROUP_KNOWN;
    }
    if wants(Wanted::MOUNT_NAMESPACE)
        && let Some(inode) = task::mount_namespace(task)
    {
        membership.mount_namespace = inode;
        known |= Flags::MOUNT_NAMESPACE_KNOWN;
    }
    known
}

/// Writes the task's name into a check.
#[inline(always)]
fn write_name(check: *mut Check, identity: &Identity) {
    // SAFETY: the record has room for a check, whose name lies at a multiple of eight bytes.
    let name = unsafe { (&raw mut (*check).comm).cast::<[u64; COMM_LENGTH / 8]>() };
    match identity.comm {
        // SAFETY: as above. Word by word: as a whole it would be copied through the stack.
        Some([first, second]) => unsafe {
            (*name)[0] = first;
            (*name)[1] = second;
        },
        // SAFETY: the name has as many bytes as the length says.
        None => unsafe {
            generated::bpf_get_current_comm(name.cast(), COMM_LENGTH as u32);
        },
    }
}

/// The processor that the check runs on.
#[inline(always)]
fn processor() -> u16 {
    // SAFETY: the helper takes nothing.
    unsafe { generated::bpf_get_smp_processor_id() as u16 }
}
