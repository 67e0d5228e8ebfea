//! Namespaces: created, entered, mapped and owned.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;

use crate::guest::capabilities::SYS_ADMIN;
use crate::guest::fork::{Child, sleep_forever};
use crate::guest::identity::Identity;
use crate::guest::scene::{Scene, open};
use crate::guest::syscall::call;
use crate::guest::trigger::Verdict::{Absent, Denied, Granted, Owned};
use crate::guest::trigger::{Trigger, check};

/// Triggers about namespaces.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "unshare",
        "makes a namespace for the host's name",
        &[check(
            SYS_ADMIN,
            [Granted, Denied, Granted],
            &["unshare_nsproxy_namespaces", "ksys_unshare"],
        )],
        |_| call!(SYS_unshare, libc::CLONE_NEWUTS),
    ),
    Trigger::new(
        "setns",
        "enters the namespace of the host's name that it is in",
        &[
            check(SYS_ADMIN, [Granted, Denied, Denied], &["utsns_install"]),
            // Over the namespace, then over its own user namespace.
            check(SYS_ADMIN, [Granted, Absent, Absent], &["utsns_install"]),
        ],
        |given| call!(SYS_setns, given.prepared, libc::CLONE_NEWUTS),
    )
    .staged(|_| open("/proc/self/ns/uts")),
    Trigger::new(
        "setns-owned",
        "enters a user namespace that a child of it made, which it owns",
        // Root holds the capability, so it does not need to own the namespace.
        &[check(SYS_ADMIN, [Granted, Owned, Granted], &["userns_install"]).over_initial(false)],
        |given| call!(SYS_setns, given.prepared, libc::CLONE_NEWUSER),
    )
    .staged(child_namespace),
    Trigger::new(
        "setns-nested",
        "enters a user namespace made inside of one that it owns",
        &[check(SYS_ADMIN, [Granted, Owned, Granted], &["userns_install"]).over_initial(false)],
        |given| call!(SYS_setns, given.prepared, libc::CLONE_NEWUSER),
    )
    .staged(grandchild_namespace),
    Trigger::new(
        "uid-map",
        "maps itself in a new user namespace",
        // The opener's credentials over the new namespace, in which it has all capabilities.
        &[check(
            SYS_ADMIN,
            [Granted, Granted, Granted],
            &["map_write", "proc_uid_map_write"],
        )
        .over_initial(false)],
        |given| {
            // Its own user, which the namespace above may number as 0 or 1000.
            let map: &[u8] = match given.prepared >> 16 {
                0 => b"0 0 1\n",
                _ => b"0 1000 1\n",
            };
            call!(SYS_write, given.prepared & 0xffff, map, map.len())
        },
    )
    .staged(unmapped_namespace),
    Trigger::new(
        "hostname",
        "sets the host's name",
        &[check(
            SYS_ADMIN,
            [Granted, Denied, Denied],
            &["sys_sethostname"],
        )],
        |_| call!(SYS_sethostname, c"guest", 5),
    )
    .harmful(),
    Trigger::new(
        "hostname-own",
        "sets the host's name in a namespace of its own",
        &[check(SYS_ADMIN, [Absent, Absent, Granted], &["sys_sethostname"]).over_initial(false)],
        |_| call!(SYS_sethostname, c"guest", 5),
    )
    .staged(|_| {
        call!(SYS_unshare, libc::CLONE_NEWUTS).map_err(io::Error::from_raw_os_error)?;
        Ok(-1)
    })
    .only_as(&[Identity::Userns]),
];

/// A child that has entered `depth` new user namespaces; returns a descriptor of its namespace.
fn namespace_at(depth: u32) -> io::Result<i32> {
    let (mut reader, mut writer) = io::pipe()?;
    let raw = reader.as_raw_fd();
    let child = Child::start(|| {
        // SAFETY: the child does not use its copy of the reader.
        unsafe { libc::close(raw) };
        for _ in 0..depth {
            if crate::guest::identity::enter_child_namespace().is_err() {
                return 1;
            }
        }
        match writer.write_all(&[1]) {
            Ok(()) => sleep_forever(),
            Err(_) => 1,
        }
    })?;
    drop(writer);
    reader.read_exact(&mut [0])?;
    open(&format!("/proc/{}/ns/user", child.pid()))
}

fn child_namespace(_: &Scene) -> io::Result<i32> {
    namespace_at(1)
}

fn grandchild_namespace(_: &Scene) -> io::Result<i32> {
    namespace_at(2)
}

/// Enters a user namespace without maps; returns the open map and, in the high half, whether the
/// process's own user is not root of the namespace above.
fn unmapped_namespace(_: &Scene) -> io::Result<i32> {
    // SAFETY: geteuid takes no arguments.
    let user = unsafe { libc::geteuid() } != 0;
    call!(SYS_unshare, libc::CLONE_NEWUSER).map_err(io::Error::from_raw_os_error)?;
    let map = std::fs::OpenOptions::new()
        .write(true)
        .open("/proc/self/uid_map")?;
    Ok(std::os::fd::IntoRawFd::into_raw_fd(map) | i32::from(user) << 16)
}
