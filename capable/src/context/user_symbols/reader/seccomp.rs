//! Forbids every system call but a few, with seccomp(2).
//!
//! What is allowed: memory that is not executable, reading and writing with descriptors that are
//! there, a timer, and to end. Nothing opens a file, starts a process or reaches another one. Any
//! other call ends the process.

use std::{io, mem::offset_of};

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW,
    SECCOMP_RET_KILL_PROCESS, seccomp_data, sock_filter, sock_fprog,
};

use crate::arch::AUDIT_ARCH;

/// Calls that are allowed with any arguments.
const ALLOWED: &[libc::c_long] = &[
    // Descriptors: the socket, and the files that came through it.
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_close,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // What the C library and the runtime do by themselves, the time limit, and the end.
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_setitimer,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Lets this process do nothing else from now on. no_new_privs must be set.
///
/// # Errors
///
/// The kernel has no seccomp filters, or refuses.
pub(super) fn allow_only_reading() -> io::Result<()> {
    let mut filter = filter(std::process::id());
    let program = sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: the program outlives the call, and the filter is as long as is said.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The filter, for the process of that number.
fn filter(own: u32) -> Vec<sock_filter> {
    let mut filter = vec![
        load(offset_of!(seccomp_data, arch)),
        skip_if_equal(AUDIT_ARCH, 1),
        end(SECCOMP_RET_KILL_PROCESS),
        load(offset_of!(seccomp_data, nr)),
    ];
    for &call in ALLOWED {
        filter.extend(when(call, &[end(SECCOMP_RET_ALLOW)]));
    }
    // Memory becomes executable by neither of them.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        filter.extend(when(
            call,
            &[
                load(argument(2)),
                jump(BPF_JSET, libc::PROT_EXEC as u32, 1, 0),
                end(SECCOMP_RET_ALLOW),
                end(SECCOMP_RET_KILL_PROCESS),
            ],
        ));
    }
    // abort(3) sends itself a signal, by which the tracer knows that memory ran out.
    for call in [libc::SYS_tgkill, libc::SYS_tkill, libc::SYS_kill] {
        filter.extend(when(
            call,
            &[
                load(argument(0)),
                skip_if_equal(own, 1),
                end(SECCOMP_RET_KILL_PROCESS),
                end(SECCOMP_RET_ALLOW),
            ],
        ));
    }
    // The standard library asks whether a descriptor is open before it closes it.
    filter.extend(when(
        libc::SYS_fcntl,
        &[
            load(argument(1)),
            skip_if_equal(libc::F_GETFD as u32, 1),
            end(SECCOMP_RET_KILL_PROCESS),
            end(SECCOMP_RET_ALLOW),
        ],
    ));
    filter.push(end(SECCOMP_RET_KILL_PROCESS));
    filter
}

/// Instructions for one call. They must end the filter.
fn when(call: libc::c_long, then: &[sock_filter]) -> Vec<sock_filter> {
    let mut filter = vec![jump(BPF_JEQ, call as u32, 0, then.len() as u8)];
    filter.extend_from_slice(then);
    filter
}

/// Where the lower half of an argument is: x86-64 and all that we may come to have the lower byte
/// first.
fn argument(index: usize) -> usize {
    offset_of!(seccomp_data, args) + 8 * index
}

fn load(offset: usize) -> sock_filter {
    sock_filter {
        code: (BPF_LD | BPF_W | BPF_ABS) as u16,
        jt: 0,
        jf: 0,
        k: offset as u32,
    }
}

fn skip_if_equal(value: u32, count: u8) -> sock_filter {
    jump(BPF_JEQ, value, count, 0)
}

fn jump(condition: u32, value: u32, if_true: u8, if_false: u8) -> sock_filter {
    sock_filter {
        code: (BPF_JMP | condition | BPF_K) as u16,
        jt: if_true,
        jf: if_false,
        k: value,
    }
}

fn end(answer: u32) -> sock_filter {
    sock_filter {
        code: (BPF_RET | BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 4711;

    /// What the filter answers to a call.
    fn answer(arch: u32, call: u32, arguments: [u64; 3]) -> u32 {
        let filter = filter(OWN);
        let mut value = 0;
        let mut next = 0;
        loop {
            let sock_filter { code, jt, jf, k } = filter[next];
            next += 1;
            let code = u32::from(code);
            let go = |to: bool| usize::from(if to { jt } else { jf });
            if code == BPF_LD | BPF_W | BPF_ABS {
                value = match k as usize {
                    0 => call,
                    4 => arch,
                    offset => arguments[(offset - 16) / 8] as u32,
                };
            } else if code == BPF_JMP | BPF_JEQ | BPF_K {
                next += go(value == k);
            } else if code == BPF_JMP | BPF_JSET | BPF_K {
                next += go(value & k != 0);
            } else {
                assert_eq!(code, BPF_RET | BPF_K);
                return k;
            }
        }
    }

    fn allowed(call: libc::c_long, arguments: [u64; 3]) -> bool {
        match answer(AUDIT_ARCH, call as u32, arguments) {
            SECCOMP_RET_ALLOW => true,
            SECCOMP_RET_KILL_PROCESS => false,
            other => panic!("{other:#x}"),
        }
    }

    #[test]
    fn reading_is_allowed_and_nothing_else() {
        let listed = (0..1024).filter(|&call| allowed(call, [0; 3]));
        let mut expected: Vec<_> = ALLOWED.to_vec();
        expected.extend([libc::SYS_mmap, libc::SYS_mprotect]);
        expected.sort_unstable();
        assert_eq!(listed.collect::<Vec<_>>(), expected);
        for call in [
            libc::SYS_openat,
            libc::SYS_execve,
            libc::SYS_socket,
            libc::SYS_clone,
            libc::SYS_ptrace,
            libc::SYS_ioctl,
        ] {
            assert!(!expected.contains(&call));
        }
    }

    #[test]
    fn memory_that_is_executable_is_not() {
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            let with = |protection: i32| allowed(call, [0, 4096, protection as u64]);
            assert!(with(libc::PROT_READ | libc::PROT_WRITE));
            assert!(!with(libc::PROT_READ | libc::PROT_EXEC));
        }
    }

    #[test]
    fn only_itself_gets_a_signal() {
        for call in [libc::SYS_tgkill, libc::SYS_tkill, libc::SYS_kill] {
            assert!(allowed(call, [OWN.into(), 0, 0]));
            for other in [1, 0, u64::MAX, 4712] {
                assert!(!allowed(call, [other, 0, 0]));
            }
        }
    }

    #[test]
    fn descriptors_are_asked_for_but_not_changed() {
        let with = |command: i32| allowed(libc::SYS_fcntl, [0, command as u64, 0]);
        assert!(with(libc::F_GETFD));
        for command in [
            libc::F_DUPFD,
            libc::F_SETFL,
            libc::F_SETOWN,
            libc::F_SETLEASE,
        ] {
            assert!(!with(command));
        }
    }

    #[test]
    fn calls_of_other_entries_are_not_allowed() {
        // AUDIT_ARCH_I386 and AUDIT_ARCH_AARCH64.
        for arch in [0x4000_0003, 0xc000_00b7] {
            assert_eq!(
                answer(arch, libc::SYS_read as u32, [0; 3]),
                SECCOMP_RET_KILL_PROCESS
            );
        }
        // Those of x32 (__X32_SYSCALL_BIT).
        let x32 = libc::SYS_read as u32 | 0x4000_0000;
        assert_eq!(answer(AUDIT_ARCH, x32, [0; 3]), SECCOMP_RET_KILL_PROCESS);
    }
}
