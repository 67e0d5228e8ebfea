//! Keeps a command from typing into the terminal that it shares with the user.
//!
//! Two ioctls put characters into the input of a terminal, as if they had been typed: TIOCSTI, for
//! every terminal, and TIOCLINUX, which pastes on a virtual console (drivers/tty/tty_io.c,
//! drivers/tty/vt/vt.c, 6.1). What they put there stays after the command has ended, and a shell of
//! root executes it. A seccomp filter refuses both. In contrast to a terminal of its own, the
//! command keeps job control, the size of the window, and pipes.

use std::{fs::OpenOptions, io, os::fd::AsRawFd as _, os::unix::fs::OpenOptionsExt as _};

use crate::arch::IOCTL_CALLS;

/// `BPF_LD | BPF_W | BPF_ABS`, `BPF_JMP | BPF_JEQ | BPF_K` and `BPF_RET | BPF_K`
/// (include/uapi/linux/bpf_common.h).
const LOAD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Where `struct seccomp_data` has the number of the call, the processor's form of call, and the
/// lower half of the second argument on little-endian machines. The kernel looks at no more of an
/// ioctl's number (include/uapi/linux/seccomp.h; `SYSCALL_DEFINE3(ioctl`, fs/ioctl.c).
const NUMBER: u32 = 0;
const FORM: u32 = 4;
const REQUEST: u32 = 24;

/// Instructions before the request is looked at: four for each form of the call, and a return.
const BEFORE: usize = 4 * IOCTL_CALLS.len() + 1;
const LENGTH: usize = BEFORE + 5;

/// The filter, complete before the fork: nothing is allocated between it and execve.
static FILTER: [libc::sock_filter; LENGTH] = filter();

const fn instruction(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

const fn filter() -> [libc::sock_filter; LENGTH] {
    let allow = instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0);
    let mut filter = [allow; LENGTH];
    let mut call = 0;
    while call < IOCTL_CALLS.len() {
        let (form, number) = IOCTL_CALLS[call];
        let at = 4 * call;
        filter[at] = instruction(LOAD, FORM, 0, 0);
        filter[at + 1] = instruction(JUMP_IF_EQUAL, form, 0, 2);
        filter[at + 2] = instruction(LOAD, NUMBER, 0, 0);
        let distance = BEFORE - (at + 3) - 1;
        filter[at + 3] = instruction(JUMP_IF_EQUAL, number, distance as u8, 0);
        call += 1;
    }
    // The last instruction before is the return of every other call.
    filter[BEFORE] = instruction(LOAD, REQUEST, 0, 0);
    filter[BEFORE + 1] = instruction(JUMP_IF_EQUAL, libc::TIOCSTI as u32, 2, 0);
    filter[BEFORE + 2] = instruction(JUMP_IF_EQUAL, libc::TIOCLINUX as u32, 1, 0);
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    filter[BEFORE + 4] = instruction(RETURN, refuse, 0, 0);
    filter
}

/// Whether a command would share a terminal with the user: one that controls this process, or one
/// on standard input, output or error.
pub(super) fn is_shared() -> bool {
    let controls = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open("/dev/tty")
        .is_ok();
    // SAFETY: the call takes a number.
    let is_terminal = |descriptor| unsafe { libc::isatty(descriptor) } == 1;
    controls
        || [
            io::stdin().as_raw_fd(),
            io::stdout().as_raw_fd(),
            io::stderr().as_raw_fd(),
        ]
        .into_iter()
        .any(is_terminal)
}

/// Refuses the two ioctls to this process and all that it starts. It needs CAP_SYS_ADMIN or
/// no_new_privs (`seccomp_prepare_filter`, kernel/seccomp.c).
///
/// # Errors
///
/// What the kernel answers.
pub(super) fn refuse() -> io::Result<()> {
    let program = libc::sock_fprog {
        len: LENGTH as u16,
        filter: (&raw const FILTER).cast_mut().cast(),
    };
    // SAFETY: the program is as long as is said, and the kernel only reads it.
    let result = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER as libc::c_ulong,
            &raw const program,
            0,
            0,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers, worked out as the kernel does.
    fn answer(form: u32, number: u32, request: u64) -> u32 {
        let mut at = 0;
        let mut value = 0;
        loop {
            let instruction = FILTER[at];
            at += 1;
            match (instruction.code, instruction.k) {
                (LOAD, NUMBER) => value = number,
                (LOAD, FORM) => value = form,
                (LOAD, REQUEST) => value = request as u32,
                (JUMP_IF_EQUAL, k) if value == k => at += usize::from(instruction.jt),
                (JUMP_IF_EQUAL, _) => at += usize::from(instruction.jf),
                (RETURN, k) => return k,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn only_the_two_ioctls_are_refused_in_every_form_of_call() {
        let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
        for &(form, number) in IOCTL_CALLS {
            for request in [libc::TIOCSTI, libc::TIOCLINUX] {
                assert_eq!(answer(form, number, request), refused);
                // The kernel takes the lower half only.
                assert_eq!(answer(form, number, request | 1 << 32), refused);
            }
            for request in [libc::TIOCGWINSZ, libc::TCGETS, 0] {
                assert_eq!(answer(form, number, request), libc::SECCOMP_RET_ALLOW);
            }
            assert_eq!(
                answer(form, number + 1, libc::TIOCSTI),
                libc::SECCOMP_RET_ALLOW
            );
            assert_eq!(
                answer(!form, number, libc::TIOCSTI),
                libc::SECCOMP_RET_ALLOW
            );
        }
    }
}
