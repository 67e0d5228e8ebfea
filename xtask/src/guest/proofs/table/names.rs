//! Namespaces: making them, and going into those of others.
//!
//! For most kinds, the kernel asks over the namespace's owner first and over the caller's own user
//! namespace then. The first is refused for a namespace of the machine; the second for one that
//! belongs to a user namespace of the caller's own, over which it has everything as the owner.

use super::prelude::*;

const ADMIN: &str = "SYS_ADMIN";

/// Goes into the namespace that was opened.
fn enter(namespace: i32) -> Answer {
    call!(SYS_setns, namespace, 0)
}

/// Lines about one kind: the machine's, and one of an own user namespace.
macro_rules! kinds {
    ($($owner:literal, $own:literal, $file:literal, $kind:expr;)*) => {
        &[$(
            proof($owner, ADMIN, enter).staged(|scene| others_namespace(scene, $file)),
            proof($own, ADMIN, enter).by_user().staged(|_| own_namespace($kind, $file)),
        )*]
    };
}

/// Proofs about entering them.
pub const ENTERING: &[Proof] = kinds! {
    "mntns_install", "mntns_install#2", "ns/mnt", libc::CLONE_NEWNS;
    "utsns_install", "utsns_install#2", "ns/uts", libc::CLONE_NEWUTS;
    "ipcns_install", "ipcns_install#2", "ns/ipc", libc::CLONE_NEWIPC;
    "netns_install", "netns_install#2", "ns/net", libc::CLONE_NEWNET;
    "pidns_install", "pidns_install#2", "ns/pid_for_children", libc::CLONE_NEWPID;
    "cgroupns_install#2", "cgroupns_install", "ns/cgroup", libc::CLONE_NEWCGROUP;
    // CLONE_NEWTIME
    "timens_install", "timens_install#2", "ns/time_for_children", 0x80;
};

/// Proofs about the rest.
pub const PROOFS: &[Proof] = &[
    proof("mntns_install", "SYS_CHROOT", enter).staged(|scene| others_namespace(scene, "ns/mnt")),
    proof("userns_install", ADMIN, |pid| {
        call!(SYS_setns, open_of(pid, "ns/user", libc::O_RDONLY)?, 0)
    })
    .staged(|_| outsider(0)),
    proof("copy_namespaces", ADMIN, |_| {
        forked(call!(
            SYS_clone,
            libc::CLONE_NEWUTS | libc::SIGCHLD,
            0,
            0,
            0,
            0
        )?)
    }),
    proof("unshare_nsproxy_namespaces", ADMIN, |_| {
        call!(SYS_unshare, libc::CLONE_NEWUTS)
    }),
    proof("sys_sethostname", ADMIN, |_| {
        call!(SYS_sethostname, c"proof", 5)
    })
    .staged(|_| number(call!(SYS_unshare, libc::CLONE_NEWUTS)?)),
    proof("sys_setdomainname", ADMIN, |_| {
        call!(SYS_setdomainname, c"proof", 5)
    })
    .staged(|_| number(call!(SYS_unshare, libc::CLONE_NEWUTS)?)),
    proof("proc_timens_set_offset", "SYS_TIME", |_| {
        write(c"/proc/self/timens_offsets", "monotonic 1 0")
    })
    .staged(|_| number(call!(SYS_unshare, 0x80)?)),
    proof("set_permissions", "SYS_RESOURCE", |_| {
        call!(
            SYS_open,
            c"/proc/sys/user/max_user_namespaces",
            libc::O_WRONLY
        )
    }),
];
