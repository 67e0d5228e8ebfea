//! Confines this process to what a reader needs: to compute, and to read what it was given.
//!
//! Everything here is for good, and nothing of a file has been read before. Each layer alone would
//! keep a file that takes the reader over from doing harm; where a kernel lacks one, the others
//! remain.

use std::{fs, io, ptr, time::Duration};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{DEADLINE, FILES, landlock, seccomp};
use crate::{
    capability::CapabilitySet,
    kernel::bpf::privileges::{KeptIds, give_up},
};

/// The address space of a reader, in bytes.
const MEMORY: u64 = 1 << 30;
/// Descriptors: the three standard ones, and for each file that is kept those that belong to it.
const DESCRIPTORS: u64 = 3 + 258 * FILES as u64;

/// Gives up everything but the descriptors that this process has and gets.
///
/// # Errors
///
/// The kernel refuses what it should not.
pub(super) fn confine() -> io::Result<()> {
    close_others();
    // When memory is short, this process is ended first. In a container /proc may be read-only.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Nofile, DESCRIPTORS),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
    ] {
        limit(resource, most)?;
    }
    // No core dump through a pipe either, and nobody of the same user looks at its memory.
    give_up(CapabilitySet::EMPTY, KeptIds::Kept)?;
    landlock::forbid_files()?;
    seccomp::allow_only_reading()
}

/// Closes what was inherited, but for the standard descriptors.
fn close_others() {
    // SAFETY: nothing in this process has opened a descriptor of its own yet.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if closed < 0 {
        // Before 5.9. Ours are all closed by execve(2) anyway; these are others' mistakes.
        for descriptor in 3..1024 {
            // SAFETY: as above.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// Lowers a limit, also the one up to which this process could raise it.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let most = Some(hard.map_or(most, |hard| hard.min(most)));
    let limit = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(setrlimit(resource, limit)?)
}

/// Ends this process when an answer takes much longer than anybody waits: the tracer may be gone.
pub(super) fn limit_time() -> io::Result<()> {
    set_timer(2 * DEADLINE)
}

/// While there is nothing to answer, it may wait for as long as it likes.
pub(super) fn unlimited_time() -> io::Result<()> {
    set_timer(Duration::ZERO)
}

fn set_timer(time: Duration) -> io::Result<()> {
    let after = |seconds| libc::timeval {
        tv_sec: seconds,
        tv_usec: 0,
    };
    let once = libc::itimerval {
        it_interval: after(0),
        it_value: after(time.as_secs() as libc::time_t),
    };
    // SAFETY: the structure outlives the call, which only reads it.
    let result = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const once, ptr::null_mut()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
