//! What a process has while it acts.

use std::fs;

use crate::guest::identity::USER;
use crate::guest::syscall::{Answer, Argument, call};

/// The number of a capability, by its name without `CAP_`.
pub fn number(name: &str) -> Option<u32> {
    // include/uapi/linux/capability.h
    const NAMES: &str = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID \
        SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK \
        IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE \
        SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP \
        MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF \
        CHECKPOINT_RESTORE";
    let place = NAMES.split_whitespace().position(|it| it == name)?;
    u32::try_from(place).ok()
}

/// Takes these capabilities from all sets of the process, and its other ones if it becomes a user
/// stay.
pub fn drop_all(taken: u64, becomes_user: bool) -> Answer {
    const NUMBERS: u32 = 41;
    for number in (0..NUMBERS).filter(|number| taken >> number & 1 == 1) {
        call!(SYS_prctl, libc::PR_CAPBSET_DROP, number, 0, 0, 0)?;
    }
    if becomes_user {
        call!(SYS_prctl, libc::PR_SET_KEEPCAPS, 1, 0, 0, 0)?;
        call!(SYS_setgroups, 0, 0)?;
        call!(SYS_setresgid, USER, USER, USER)?;
        call!(SYS_setresuid, USER, USER, USER)?;
    }
    let [low, high] = permitted()?.map(u64::from);
    set((low | high << 32) & !taken, 0)?;
    call!(SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0)
}

/// include/uapi/linux/capability.h, `_LINUX_CAPABILITY_VERSION_3`; this process.
const HEADER: [u32; 2] = [0x2008_0522, 0];

fn permitted() -> Result<[u32; 2], i32> {
    let mut sets = [0_u32; 6];
    call!(
        SYS_capget,
        Argument::read(&HEADER),
        Argument::write(&mut sets)
    )?;
    Ok([sets[1], sets[4]])
}

/// Sets the effective and the permitted set to `held`.
pub fn set(held: u64, inheritable: u64) -> Answer {
    let low = |set: u64| (set & u64::from(u32::MAX)) as u32;
    let high = |set: u64| (set >> 32) as u32;
    let [held_low, held_high] = [low(held), high(held)];
    let sets = [
        held_low,
        held_low,
        low(inheritable),
        held_high,
        held_high,
        high(inheritable),
    ];
    call!(SYS_capset, Argument::read(&HEADER), Argument::read(&sets))
}

/// What is permitted now, as one number.
pub fn held() -> Result<u64, i32> {
    let [low, high] = permitted()?.map(u64::from);
    Ok(low | high << 32)
}

/// Goes into a user namespace of its own as root there, with the other kinds that belong to it.
pub fn enter_namespace() -> Answer {
    let kinds = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS;
    let entered = call!(SYS_unshare, kinds)?;
    for (file, text) in [
        ("setgroups", "deny"),
        ("gid_map", "0 0 1"),
        ("uid_map", "0 0 1"),
    ] {
        let written = fs::write(format!("/proc/self/{file}"), text);
        written.map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
    }
    Ok(entered)
}
