//! The child, from its fork to its execve. Nothing here allocates, locks or unwinds: other
//! threads' locks are frozen in a forked child.

use std::{ffi::CString, io, os::fd::RawFd, ptr};

use super::Step;

/// What the child tells its parent: eight bytes, which a pipe keeps together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// It tries this candidate now: if nothing follows, it became it.
    Trying(u32),
    /// This step into the cage failed with this errno.
    StepFailed(u16, u16),
    /// Executing this candidate failed with this errno.
    ExecFailed(u16, u16),
}

impl Message {
    /// The bytes of a message.
    pub(super) const LENGTH: usize = 8;

    fn encode(self) -> [u8; Self::LENGTH] {
        let (kind, value) = match self {
            Self::Trying(index) => (0u32, index),
            Self::StepFailed(index, error) => (1, u32::from(index) << 16 | u32::from(error)),
            Self::ExecFailed(index, error) => (2, u32::from(index) << 16 | u32::from(error)),
        };
        (u64::from(kind) << 32 | u64::from(value)).to_ne_bytes()
    }

    /// Reads a message; `None` for bytes that are none.
    pub(super) fn decode(bytes: [u8; Self::LENGTH]) -> Option<Self> {
        let word = u64::from_ne_bytes(bytes);
        let value = word as u32;
        let (index, error) = ((value >> 16) as u16, value as u16);
        match word >> 32 {
            0 => Some(Self::Trying(value)),
            1 => Some(Self::StepFailed(index, error)),
            2 => Some(Self::ExecFailed(index, error)),
            _ => None,
        }
    }
}

/// All that the child needs, made before the fork.
pub(super) struct Prepared {
    /// The way into the cage.
    pub steps: Vec<Step>,
    /// The files to try.
    pub candidates: Vec<CString>,
    /// The arguments, the command's name first, and a null behind the last.
    pub arguments: Vec<*const libc::c_char>,
    /// For a script without `#!`: `/bin/sh`, a place for the script, its arguments, and a null.
    pub shell: Vec<*const libc::c_char>,
    /// Keeps what the two lists point to.
    pub _strings: Vec<CString>,
}

/// What runs a script that does not say what runs it (posix, execvp).
pub(super) const SHELL: &std::ffi::CStr = c"/bin/sh";

unsafe extern "C" {
    /// The environment as the C library has it: handed on as it came.
    static environ: *const *const libc::c_char;
}

/// Waits for a byte on `go`, goes into the cage and becomes the command. Where that fails, says so
/// on `status` and ends.
///
/// # Safety
///
/// To be called in a forked child only, with descriptors that are its own.
pub(super) unsafe fn become_command(prepared: &mut Prepared, go: RawFd, status: RawFd) -> ! {
    if wait(go) {
        // The C library's start-up code for Rust ignores SIGPIPE; a command expects it not to be.
        // SAFETY: the default action is no function.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let failure = match enter(&prepared.steps) {
            Ok(()) => execute(prepared, status),
            Err(failure) => failure,
        };
        send(status, failure);
    }
    // SAFETY: ends the child without running what the parent registered for its own end.
    unsafe { libc::_exit(super::error::FAILED.into()) }
}

/// True where the parent says go, false where it is gone.
fn wait(go: RawFd) -> bool {
    let mut byte = 0u8;
    loop {
        // SAFETY: there is room for the byte.
        let read = unsafe { libc::read(go, (&raw mut byte).cast(), 1) };
        if read < 0 && errno() == libc::EINTR {
            continue;
        }
        return read == 1;
    }
}

fn enter(steps: &[Step]) -> Result<(), Message> {
    for (index, step) in (0..).zip(steps) {
        if let Err(error) = step.apply() {
            return Err(Message::StepFailed(index, code(&error)));
        }
    }
    Ok(())
}

/// Tries the candidates as execvp(3) does; returns why none became the command.
fn execute(prepared: &mut Prepared, status: RawFd) -> Message {
    let mut refused = None;
    let arguments = prepared.arguments.as_ptr();
    for (index, candidate) in (0..).zip(&prepared.candidates) {
        send(status, Message::Trying(u32::from(index)));
        // SAFETY: all three are lists or strings that end as execve wants them to.
        unsafe { libc::execve(candidate.as_ptr(), arguments, environ) };
        match errno() {
            libc::ENOEXEC => {
                if let Some(script) = prepared.shell.get_mut(1) {
                    *script = candidate.as_ptr();
                }
                // SAFETY: as above.
                unsafe { libc::execve(SHELL.as_ptr(), prepared.shell.as_ptr(), environ) };
                return Message::ExecFailed(index, libc::ENOEXEC as u16);
            }
            libc::EACCES => refused = refused.or(Some(index)),
            libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
            other => return Message::ExecFailed(index, other as u16),
        }
    }
    match refused {
        Some(index) => Message::ExecFailed(index, libc::EACCES as u16),
        None => Message::ExecFailed(0, libc::ENOENT as u16),
    }
}

fn send(status: RawFd, message: Message) {
    let bytes = message.encode();
    // SAFETY: the bytes are as many as is said. A parent that is gone needs no answer.
    unsafe { libc::write(status, bytes.as_ptr().cast(), bytes.len()) };
}

fn errno() -> libc::c_int {
    // SAFETY: the address is this thread's own.
    unsafe { *libc::__errno_location() }
}

fn code(error: &io::Error) -> u16 {
    error.raw_os_error().unwrap_or(libc::EIO) as u16
}

/// A list of pointers to the strings, closed by a null.
pub(super) fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_back_as_they_were_sent() {
        for message in [
            Message::Trying(7),
            Message::StepFailed(3, libc::EPERM as u16),
            Message::ExecFailed(65535, libc::EACCES as u16),
        ] {
            assert_eq!(Message::decode(message.encode()), Some(message));
        }
        assert_eq!(Message::decode([0xff; 8]), None);
    }
}
