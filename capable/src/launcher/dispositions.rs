//! How signals are disposed of: a command gets this as the program that started us had it.

use std::{
    io, mem, ptr,
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether SIGPIPE was ignored when this program was executed. Rust's start-up code ignores it
/// before `main`, so this is looked up earlier.
static SIGPIPE_IGNORED: AtomicBool = AtomicBool::new(false);

extern "C" fn look_at_sigpipe() {
    SIGPIPE_IGNORED.store(is_ignored(libc::SIGPIPE), Ordering::Relaxed);
}

/// Run by the dynamic linker or the C library before Rust's start-up code.
// SAFETY: the section holds pointers to functions, and this one needs nothing of Rust's runtime.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_SIGPIPE: extern "C" fn() = look_at_sigpipe;

/// Gives SIGPIPE back the disposition that it had before Rust's start-up code. Safe between fork and
/// exec.
pub(super) fn give_back_sigpipe() {
    let action = if SIGPIPE_IGNORED.load(Ordering::Relaxed) {
        libc::SIG_IGN
    } else {
        libc::SIG_DFL
    };
    // SAFETY: neither action is a function.
    unsafe { libc::signal(libc::SIGPIPE, action) };
}

/// Makes the end of a child something that can be waited for: a process that ignores SIGCHLD is
/// never told how its children ended (`do_notify_parent`, kernel/signal.c, 6.1). What was before is
/// put back when this is dropped.
pub(super) struct Reaping(Option<libc::sigaction>);

impl Reaping {
    /// From now on, children wait to be reaped.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    pub(super) fn begin() -> io::Result<Self> {
        let before = current(libc::SIGCHLD)?;
        if !ignores(&before) && before.sa_flags & libc::SA_NOCLDWAIT == 0 {
            return Ok(Self(None));
        }
        let mut waits = before;
        waits.sa_flags &= !libc::SA_NOCLDWAIT;
        if ignores(&before) {
            waits.sa_sigaction = libc::SIG_DFL;
        }
        set(libc::SIGCHLD, &waits)?;
        Ok(Self(Some(before)))
    }

    /// Puts back what was before. Safe between fork and exec.
    pub(super) fn put_back(&self) {
        if let Some(before) = &self.0 {
            // The kernel takes what it gave.
            let _ = set(libc::SIGCHLD, before);
        }
    }
}

impl Drop for Reaping {
    fn drop(&mut self) {
        self.put_back();
    }
}

/// Whether this process ignores a signal, as nohup(1) has it ignore SIGHUP.
pub(crate) fn is_ignored(signal: libc::c_int) -> bool {
    current(signal).is_ok_and(|action| ignores(&action))
}

fn ignores(action: &libc::sigaction) -> bool {
    action.sa_sigaction == libc::SIG_IGN
}

fn current(signal: libc::c_int) -> io::Result<libc::sigaction> {
    // SAFETY: every member of the structure may be zero.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: the kernel only writes to the structure, which outlives the call.
    let result = unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(action)
}

fn set(signal: libc::c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the action is one that the kernel gave, or the default one.
    let result = unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
