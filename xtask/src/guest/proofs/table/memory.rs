//! Memory that is locked, and what processes share.

use super::prelude::*;

const LOCK: &str = "IPC_LOCK";
const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;

/// No memory may be locked.
fn nothing(_: &Scene) -> Staged {
    number(limit(libc::RLIMIT_MEMLOCK, 0)?)
}

/// A page may be locked.
fn a_page(_: &Scene) -> Staged {
    number(limit(libc::RLIMIT_MEMLOCK, 4096)?)
}

fn lock(length: usize) -> Answer {
    call!(SYS_mlock, page(READ_WRITE, 0, length)?, length)
}

/// A segment of shared memory of four pages that is locked.
fn lock_shared(_: i32) -> Answer {
    let segment = call!(SYS_shmget, libc::IPC_PRIVATE, 4 * 4096, 0o600)?;
    let locked = call!(SYS_shmctl, segment, libc::SHM_LOCK, 0);
    call!(SYS_shmctl, segment, libc::IPC_RMID, 0)?;
    locked
}

/// A place for queues of its own.
fn queues(_: &Scene) -> Staged {
    number(call!(SYS_unshare, libc::CLONE_NEWIPC)?)
}

/// A POSIX queue of so many messages.
fn queue(messages: i64) -> Answer {
    let attributes = [0_i64, messages, 64, 0, 0, 0, 0, 0];
    call!(
        SYS_mq_open,
        c"proof",
        libc::O_CREAT | libc::O_RDWR,
        0o600,
        Argument::read(&attributes)
    )
}

fn others_queue(scene: &Scene) -> Staged {
    Ok(scene.others_queue)
}

fn state(queue: i32) -> Result<libc::msqid_ds, i32> {
    // SAFETY: an all-zero msqid_ds is a valid value of plain integers.
    let mut state: libc::msqid_ds = unsafe { std::mem::zeroed() };
    call!(
        SYS_msgctl,
        queue,
        libc::IPC_STAT,
        Argument::write(&mut state)
    )?;
    Ok(state)
}

/// Proofs about memory and System V objects.
pub const PROOFS: &[Proof] = &[
    proof("do_mlock via can_do_mlock", LOCK, |_| lock(4096)).staged(nothing),
    proof("do_mlock#2", LOCK, |_| lock(4 * 4096)).staged(a_page),
    proof("sys_mlockall via can_do_mlock", LOCK, |_| {
        call!(SYS_mlockall, libc::MCL_CURRENT)
    })
    .staged(nothing),
    proof("sys_mlockall via capable", LOCK, |_| {
        call!(SYS_mlockall, libc::MCL_CURRENT)
    })
    .staged(a_page),
    proof("do_mmap", LOCK, |_| {
        page(READ_WRITE, libc::MAP_LOCKED, 4096)
    })
    .staged(nothing),
    proof("mlock_future_check or mlock_future_ok", LOCK, |_| {
        page(READ_WRITE, libc::MAP_LOCKED, 4 * 4096)
    })
    .staged(a_page)
    .fails(libc::EAGAIN),
    proof("vma_to_resize", LOCK, |_| {
        let start = page(READ_WRITE, libc::MAP_LOCKED, 4096)?;
        call!(SYS_mremap, start, 4096, 4 * 4096, libc::MREMAP_MAYMOVE, 0)
    })
    .staged(a_page),
    proof("user_shm_lock < shmem_lock", LOCK, lock_shared).staged(a_page),
    proof("shmctl_do_lock", LOCK, lock_shared).staged(nothing),
    proof("can_do_hugetlb_shm", LOCK, |_| {
        call!(
            SYS_shmget,
            libc::IPC_PRIVATE,
            2 << 20,
            libc::SHM_HUGETLB | 0o600
        )
    })
    .by_user()
    .staged(nothing),
    proof("cap_mmap_addr", "SYS_RAWIO", |_| {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        call!(SYS_mmap, 4096, 4096, libc::PROT_READ, flags, -1, 0)
    }),
    // MPOL_MF_MOVE_ALL
    proof("do_mbind", "SYS_NICE", |_| {
        call!(SYS_mbind, page(READ_WRITE, 0, 4096)?, 4096, 0, 0, 0, 4)
    }),
    proof("kernel_move_pages", "SYS_NICE", |_| {
        call!(SYS_move_pages, 0, 0, 0, 0, 0, 4)
    }),
    proof("kernel_migrate_pages#2", "SYS_NICE", |_| {
        call!(
            SYS_migrate_pages,
            0,
            64,
            Argument::read(&1_u64),
            Argument::read(&1_u64)
        )
    }),
    proof(
        "sys_userfaultfd or userfaultfd_syscall_allowed",
        "SYS_PTRACE",
        |_| call!(SYS_userfaultfd, 0),
    )
    .while_set("/proc/sys/vm/unprivileged_userfaultfd", "0"),
    // UFFDIO_API with UFFD_FEATURE_EVENT_FORK
    proof("userfaultfd_api", "SYS_PTRACE", |file| {
        ioctl(file, 0xc018_aa3f, [0xaa_u64, 2, 0])
    })
    .staged(|_| number(call!(SYS_userfaultfd, 0)?)),
    proof("pagemap_read", "SYS_ADMIN", |_| {
        let byte = Box::new(1_u8);
        let place = std::ptr::from_ref(&*byte).addr() / 4096 * 8;
        let mut entry = 0_u64;
        let file = open(c"/proc/self/pagemap", libc::O_RDONLY)?;
        call!(SYS_pread64, file, Argument::write(&mut entry), 8, place)?;
        // The frame's number
        Ok((entry & ((1 << 55) - 1)).cast_signed())
    })
    .gets_less(),
    proof("mqueue_create_attr", "SYS_RESOURCE", |_| queue(4)).staged(|scene| {
        queues(scene)?;
        number(write(c"/proc/sys/fs/mqueue/queues_max", "0")?)
    }),
    proof("mqueue_get_inode", "SYS_RESOURCE", |_| queue(100)).staged(queues),
    proof("msgctl_down@IPC_SET", "SYS_RESOURCE", |_| {
        let queue = number(call!(SYS_msgget, libc::IPC_PRIVATE, 0o600)?)?;
        let mut state = state(queue)?;
        state.msg_qbytes = 1 << 24;
        call!(SYS_msgctl, queue, libc::IPC_SET, Argument::read(&state))
    })
    .staged(queues),
    proof("ipcctl_obtain_check", "SYS_ADMIN", |queue| {
        let state = state(queue)?;
        call!(SYS_msgctl, queue, libc::IPC_SET, Argument::read(&state))
    })
    .staged(others_queue),
    proof("ipcperms", "IPC_OWNER", |queue| state(queue).map(|_| 0)).staged(others_queue),
    proof("ipc_permissions", "CHECKPOINT_RESTORE/SYS_ADMIN", |_| {
        call!(SYS_open, c"/proc/sys/kernel/sem_next_id", libc::O_WRONLY)
    }),
];
