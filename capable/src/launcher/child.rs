//! The child, from its fork to its execve. Nothing here allocates, locks or unwinds, because a lock
//! that another thread held at the fork is never released in the child.

use std::{ffi::CString, io, os::fd::RawFd, ptr};

use super::{
    Step,
    dispositions::{self, Reaping},
};
use crate::kernel::bpf::memory_limit;

/// What the child tells its parent: eight bytes, which a pipe keeps together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// It is about to execute this candidate. If no further message follows, it did.
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

    /// Parses a message; `None` if the bytes are not one.
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

/// Everything that the child needs, prepared before the fork.
pub(super) struct Prepared {
    /// The steps into the cage.
    pub steps: Vec<Step>,
    /// The files to try.
    pub candidates: Vec<CString>,
    /// The arguments, beginning with the command's name, and a null at the end.
    pub arguments: Vec<*const libc::c_char>,
    /// The arguments for a script without `#!`: `/bin/sh`, a place for the script, its arguments,
    /// and a null.
    pub shell: Vec<*const libc::c_char>,
    /// What the command finds of SIGCHLD.
    pub reaping: Reaping,
    /// Owns the strings that the two lists point to.
    pub _strings: Vec<CString>,
}

/// The interpreter of a script without `#!` (POSIX, execvp).
pub(super) const SHELL: &std::ffi::CStr = c"/bin/sh";

unsafe extern "C" {
    /// The environment of this process, passed on unchanged.
    static environ: *const *const libc::c_char;
}

/// Waits for a byte on `go`, enters the cage and executes the command. If this fails, reports it on
/// `status` and exits.
///
/// # Safety
///
/// Only to be called in a forked child, with descriptors that belong to it.
pub(super) unsafe fn become_command(prepared: &mut Prepared, go: RawFd, status: RawFd) -> ! {
    if wait(go) {
        dispositions::give_back_sigpipe();
        prepared.reaping.put_back();
        // A limit can always be lowered.
        let _ = memory_limit::put_back();
        let failure = match enter(&prepared.steps) {
            Ok(()) => execute(prepared, status),
            Err(failure) => failure,
        };
        send(status, failure);
    }
    // SAFETY: ends the child without running the exit handlers that the parent registered.
    unsafe { libc::_exit(super::error::FAILED.into()) }
}

/// True if the parent wrote the byte, false if it has ended.
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

/// Tries the candidates as execvp(3) does. Returns only if all failed, with the reason.
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
    // SAFETY: the pointer and the length are those of the array. If the parent has ended, nobody
    // needs the message.
    unsafe { libc::write(status, bytes.as_ptr().cast(), bytes.len()) };
}

fn errno() -> libc::c_int {
    // SAFETY: the address is this thread's own.
    unsafe { *libc::__errno_location() }
}

fn code(error: &io::Error) -> u16 {
    error.raw_os_error().unwrap_or(libc::EIO) as u16
}

/// A null-terminated list of pointers to the strings.
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
