//! Users, groups, and the sets of capabilities themselves.

use super::prelude::*;
use crate::guest::proofs::cage;

/// Credentials in a message to oneself (SCM_CREDENTIALS): pid, user, group.
fn claim(pid: u32, user: u32, group: u32) -> Answer {
    let mut ends = [0; 2];
    call!(
        SYS_socketpair,
        libc::AF_UNIX,
        libc::SOCK_DGRAM,
        0,
        Argument::write(&mut ends)
    )?;
    // struct cmsghdr: length 28, SOL_SOCKET, SCM_CREDENTIALS
    let control = [28_u32, 0, 1, 2, pid, user, group, 0];
    let mut byte = 0_u8;
    let vector = [std::ptr::from_mut(&mut byte).expose_provenance(), 1];
    let message = [
        0,
        0,
        std::ptr::from_ref(&vector).expose_provenance(),
        1,
        std::ptr::from_ref(&control).expose_provenance(),
        size_of_val(&control),
        0,
    ];
    call!(SYS_sendmsg, ends[0], Argument::read(&message), 0)
}

fn own_pid() -> u32 {
    std::process::id()
}

/// Makes inheritable what is not permitted any more.
fn inherit(_: i32) -> Answer {
    const WAKE_ALARM: u64 = 1 << 35;
    let held = cage::held()? & !WAKE_ALARM;
    cage::set(held, 0)?;
    cage::set(held, WAKE_ALARM)
}

/// Proofs about who a process is and what it may.
pub const PROOFS: &[Proof] = &[
    proof("__sys_setuid", "SETUID", |_| call!(SYS_setuid, OTHER)),
    proof("__sys_setreuid", "SETUID", |_| {
        call!(SYS_setreuid, OTHER, u32::MAX)
    }),
    proof("__sys_setreuid#2", "SETUID", |_| {
        call!(SYS_setreuid, u32::MAX, OTHER)
    }),
    proof("__sys_setresuid", "SETUID", |_| {
        call!(SYS_setresuid, OTHER, OTHER, OTHER)
    }),
    proof("__sys_setfsuid", "SETUID", |_| {
        call!(SYS_setfsuid, OTHER)?;
        call!(SYS_setfsuid, u32::MAX)
    })
    .gets_less(),
    proof("__sys_setgid", "SETGID", |_| call!(SYS_setgid, OTHER)),
    proof("__sys_setregid", "SETGID", |_| {
        call!(SYS_setregid, OTHER, u32::MAX)
    }),
    proof("__sys_setregid#2", "SETGID", |_| {
        call!(SYS_setregid, u32::MAX, OTHER)
    }),
    proof("__sys_setresgid", "SETGID", |_| {
        call!(SYS_setresgid, OTHER, OTHER, OTHER)
    }),
    proof("__sys_setfsgid", "SETGID", |_| {
        call!(SYS_setfsgid, OTHER)?;
        call!(SYS_setfsgid, u32::MAX)
    })
    .gets_less(),
    proof("sys_setgroups", "SETGID", |_| call!(SYS_setgroups, 0, 0)),
    proof("scm_check_creds", "SETUID", |_| claim(own_pid(), OTHER, 0)),
    proof("scm_check_creds", "SETGID", |_| claim(own_pid(), 0, OTHER)),
    proof("scm_check_creds", "SYS_ADMIN", |_| claim(1, 0, 0)),
    proof("cap_capset", "SETPCAP", inherit),
    proof("cap_prctl_drop", "SETPCAP", |_| {
        call!(SYS_prctl, libc::PR_CAPBSET_DROP, 35, 0, 0, 0)
    }),
    // SECBIT_NOROOT
    proof("cap_task_prctl@PR_SET_SECUREBITS", "SETPCAP", |_| {
        call!(SYS_prctl, libc::PR_SET_SECUREBITS, 1, 0, 0, 0)
    }),
    proof("audit_set_loginuid_perm", "AUDIT_CONTROL", |_| {
        write(c"/proc/self/loginuid", "1000")
    })
    .staged(|_| number(write(c"/proc/self/loginuid", "0")?)),
    proof("proc_setgroups_open", "SYS_ADMIN", |_| {
        call!(SYS_open, c"/proc/self/setgroups", libc::O_WRONLY)
    }),
    proof("map_write", "SYS_ADMIN", |pid| {
        write(&path_of(pid, "uid_map"), "0 1000 1")
    })
    .staged(|_| outsider(0)),
    proof("proc_uid_map_write", "SETUID", |pid| {
        write(&path_of(pid, "uid_map"), "0 1000 1")
    })
    .staged(|_| outsider(0)),
    proof("proc_gid_map_write", "SETGID", |pid| {
        write(&path_of(pid, "gid_map"), "0 1000 1")
    })
    .staged(|_| outsider(0)),
    proof("verify_root_map via file_ns_capable", "SETFCAP", |pid| {
        write(&path_of(pid, "uid_map"), "0 0 1")
    })
    .staged(|_| outsider(0)),
];
