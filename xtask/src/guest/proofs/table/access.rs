//! Access to other processes: each caller for the three reasons for which it is refused.

use super::prelude::*;

const PTRACE: &str = "SYS_PTRACE";
/// Up to Linux 6.12 nothing grants access but SYS_PTRACE; later there is PERFMON for some of it.
const WIDER: &[&str] = &["PERFMON", "SYS_ADMIN"];

fn reads(pid: i32, file: &str) -> Answer {
    read_from(number(open_of(pid, file, libc::O_RDONLY)?)?)
}

fn opens(pid: i32, file: &str) -> Answer {
    open_of(pid, file, libc::O_RDONLY)
}

/// Opens a file and says what it is: a namespace, or the folder in which its link is.
fn kind(pid: i32, file: &str) -> Answer {
    // SAFETY: an all-zero stat is a valid value of plain integers.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    call!(SYS_fstat, opens(pid, file)?, Argument::write(&mut status))?;
    Ok(i64::from(status.st_mode & libc::S_IFMT))
}

fn links(pid: i32, file: &str) -> Answer {
    let mut target = [0_u8; 256];
    let path = path_of(pid, file);
    call!(
        SYS_readlink,
        path.as_c_str(),
        Argument::write(&mut target),
        256
    )
}

fn lists(pid: i32, file: &str) -> Answer {
    let mut entries = [0_u8; 1024];
    let folder = open_of(pid, file, libc::O_RDONLY)?;
    // The folder itself and the one above come before it looks.
    call!(SYS_getdents64, folder, Argument::write(&mut entries), 1024)?;
    call!(SYS_getdents64, folder, Argument::write(&mut entries), 1024)
}

/// struct iovec of one byte of this process, which is at the same address in the other
fn copies(number: i64, pid: i32) -> Answer {
    let mut byte = 0_u8;
    let vector = [std::ptr::from_mut(&mut byte).expose_provenance(), 1];
    let [here, there] = [Argument::read(&vector), Argument::read(&vector)];
    by_number(
        number,
        &[pid.into(), here, 1.into(), there, 1.into(), 0.into()],
    )
}

fn handle(pid: i32) -> Answer {
    call!(SYS_pidfd_open, pid, 0)
}

/// Lines about one caller: for another user's process, for one that is not dumpable, and for one
/// that has more capabilities. The last needs a process that lacks one itself.
macro_rules! access {
    ($($caller:literal: $act:expr $(, $and:ident($($with:expr),*))*;)*) => {
        &[$(
            proof(
                concat!("__ptrace_may_access < ", $caller, " via ptrace_has_cap"),
                PTRACE,
                $act,
            )
            .staged(other)
            .lacking(WIDER)
            $(.$and($($with),*))*,
            proof(
                concat!(
                    "__ptrace_may_access < ", $caller, " via task_still_dumpable",
                    " or task_still_dumpable < ", $caller
                ),
                PTRACE,
                $act,
            )
            .staged(undumpable)
            .lacking(WIDER)
            $(.$and($($with),*))*,
            proof(concat!("cap_ptrace_access_check < ", $caller), PTRACE, $act)
                .staged(able)
                .lacking(&["WAKE_ALARM", "PERFMON", "SYS_ADMIN"])
                $(.$and($($with),*))*,
        )*]
    };
}

/// Proofs about `__ptrace_may_access` (kernel/ptrace.c) and what it asks.
pub const PROOFS: &[Proof] = access! {
    "auxv_open": |pid| opens(pid, "auxv");
    "environ_open": |pid| opens(pid, "environ");
    "mem_open": |pid| opens(pid, "mem");
    "pagemap_open": |pid| opens(pid, "pagemap");
    "smaps_rollup_open": |pid| opens(pid, "smaps_rollup");
    "do_io_accounting": |pid| reads(pid, "io");
    "do_task_stat": |pid| reads(pid, "stat");
    "proc_fdinfo_permission": |pid| opens(pid, "fdinfo/1");
    "proc_map_files_readdir": |pid| lists(pid, "map_files");
    "proc_ns_get_link": |pid| opens(pid, "ns/uts"), only_on("6.1+", "5.10 refuses without telling, which is tried apart");
    "proc_ns_readlink": |pid| links(pid, "ns/uts"), only_on("6.1+", "5.10 refuses without telling, which is tried apart");
    "proc_ns_get_link": |pid| kind(pid, "ns/uts"), gets_less(), only_on("5.10", "later ones tell");
    "proc_ns_readlink": |pid| links(pid, "ns/uts"), gets_less(), only_on("5.10", "later ones tell");
    "proc_pid_get_link": |pid| opens(pid, "cwd");
    "proc_pid_readlink": |pid| links(pid, "exe");
    "proc_pid_personality": |pid| reads(pid, "personality");
    "proc_pid_syscall": |pid| reads(pid, "syscall");
    "proc_pid_wchan": |pid| reads(pid, "wchan");
    "ptrace_attach": |pid| call!(SYS_ptrace, libc::PTRACE_SEIZE, pid, 0, 0);
    "sys_get_robust_list": |pid| {
        let mut found = [0_usize; 2];
        let [head, length] = &mut found;
        call!(SYS_get_robust_list, pid, Argument::write(head), Argument::write(length))
    };
    "sys_kcmp": |pid| call!(SYS_kcmp, pid, pid, 1, 0, 0);
    "sys_migrate_pages": |pid| {
        call!(SYS_migrate_pages, pid, 64, Argument::read(&1_u64), Argument::read(&1_u64))
    };
    "sys_move_pages": |pid| call!(SYS_move_pages, pid, 0, 0, 0, 0, 2);
    "sys_pidfd_getfd": |pid| call!(SYS_pidfd_getfd, handle(pid)?, 1, 0);
    "sys_process_vm_readv": |pid| copies(libc::SYS_process_vm_readv, pid);
    "sys_process_vm_writev": |pid| copies(libc::SYS_process_vm_writev, pid);
    "sys_process_madvise": |pid| {
        let vector = [4096_usize, 4096];
        // MADV_COLD
        call!(SYS_process_madvise, handle(pid)?, Argument::read(&vector), 1, 20, 0)
    };
    "sys_setns": |pid| call!(SYS_setns, handle(pid)?, libc::CLONE_NEWUTS), lacking(&["WAKE_ALARM"]);
    // PIDFD_GET_UTS_NAMESPACE
    "pidfd_ioctl": |pid| call!(SYS_ioctl, handle(pid)?, 0xff0a, 0);
};
