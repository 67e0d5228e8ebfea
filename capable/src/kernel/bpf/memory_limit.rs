//! The limit on locked memory, which kernels before 5.11 charge maps and programs to.
//!
//! All programs and maps of a user count together, so a single small program can already be too
//! much where another tracer runs. The limit is lifted for this process, and a command that it
//! starts gets the limit of before: with a lifted one it would not ask for CAP_IPC_LOCK.

use std::{io, sync::OnceLock};

/// The limit before it was lifted.
static BEFORE: OnceLock<libc::rlimit> = OnceLock::new();

/// Lifts the limit for this process and what it starts from now on.
///
/// # Errors
///
/// The kernel refuses: it takes CAP_SYS_RESOURCE.
pub(in crate::kernel) fn lift() -> io::Result<()> {
    let before = current()?;
    let unlimited = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    set(&unlimited)?;
    // If it was lifted before, the first one is that of the user.
    BEFORE.get_or_init(|| before);
    Ok(())
}

/// Puts back the limit of before, in a forked child. It makes one system call, neither allocates nor
/// locks, and needs no privilege, because a limit may always be lowered.
///
/// # Errors
///
/// What the kernel answers.
pub(crate) fn put_back() -> io::Result<()> {
    BEFORE.get().map_or(Ok(()), set)
}

/// The limit in bytes; `None` if there is none.
pub(in crate::kernel) fn bytes() -> Option<u64> {
    let limit = current().ok()?.rlim_cur;
    (limit != libc::RLIM_INFINITY).then_some(limit)
}

fn current() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel writes to the limit, which outlives the call.
    check(unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) })?;
    Ok(limit)
}

fn set(limit: &libc::rlimit) -> io::Result<()> {
    // SAFETY: the limit outlives the call.
    check(unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, limit) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
