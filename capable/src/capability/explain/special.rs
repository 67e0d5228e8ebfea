//! Capabilities over special files and attributes: device nodes, leases, immutable files.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static SPECIAL: &[(Capability, Explanation)] = &[
    (
        Capability::LINUX_IMMUTABLE,
        Explanation {
            summary: "set and clear the immutable and append-only attributes",
            allows: "Set and clear the attributes that make a file immutable or append-only, for \
             root too (chattr +i and +a).",
            scope: Scope::Host,
            programs: &[
                "chattr",
                "tools that protect /etc/resolv.conf or logs",
                "backup and image tools that restore attributes",
            ],
            syscalls: &[
                "ioctl FS_IOC_SETFLAGS",
                "ioctl FS_IOC_FSSETXATTR",
                "file_setattr",
            ],
            functions: &["fileattr_set_prepare"],
            danger: Danger::Limited,
            holding: "The holder can remove a protection that others rely on: append-only logs, \
             frozen configuration. It gives no access that the permission bits refuse.",
            alternatives: &[
                "Let the administrator set the attribute once, from a shell.",
                "A read-only mount (ReadOnlyPaths= in a unit) protects a file from a service \
                 without it.",
                "fs-verity or a remote log for content that must not change.",
            ],
            see: &["chattr(1)", "ioctl_iflags(2)"],
        },
    ),
    (
        Capability::MKNOD,
        Explanation {
            summary: "create device nodes",
            allows: "Create a node for any character or block device. FIFOs, sockets, regular files and, \
             since 5.8, the whiteouts of overlay file systems need nothing.",
            scope: Scope::Host,
            programs: &[
                "mknod",
                "udev",
                "debootstrap and image builders",
                "tar that unpacks a root file system",
                "containers of docker hold it by default",
            ],
            syscalls: &["mknod", "mknodat"],
            functions: &["vfs_mknod"],
            danger: Danger::EqualsRoot,
            holding: "The holder can create a node for the disk, open it as its owner, and read \
             and write everything. It is harmless only if a device cgroup or a nodev mount \
             prevents the open, as container engines arrange.",
            alternatives: &[
                "devtmpfs creates the nodes: mount it, or bind-mount the single nodes that are \
                 needed.",
                "DeviceAllow= in a unit, --device in docker and podman.",
                "Unpack images in a user namespace with a tool that records nodes instead of \
                 creating them (fakeroot, mmdebstrap).",
            ],
            see: &["mknod(2)", "mount(2), MS_NODEV"],
        },
    ),
    (
        Capability::LEASE,
        Explanation {
            summary: "take leases on files of other users",
            allows: "Take a lease on a file of another user. The holder of a lease is told before \
             another process opens or truncates the file.",
            scope: Scope::Host,
            programs: &["Samba with kernel oplocks", "user space NFS servers"],
            syscalls: &["fcntl F_SETLEASE"],
            functions: &["vfs_setlease"],
            danger: Danger::Limited,
            holding: "The holder can delay others in opening a file until it releases the lease or \
             /proc/sys/fs/lease-break-time has passed. This is a nuisance and gives no access.",
            alternatives: &[
                "Leases on own files need no capability.",
                "inotify(7) reports changes without delaying them.",
                "kernel oplocks = no in smb.conf.",
            ],
            see: &["fcntl(2), Leases"],
        },
    ),
];
