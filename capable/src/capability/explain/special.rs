//! What is asked for special files and attributes: device nodes, leases, locks on content.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static SPECIAL: &[(Capability, Explanation)] = &[
    (
        Capability::LINUX_IMMUTABLE,
        Explanation {
            summary: "set and clear the immutable and append-only attributes",
            allows: "Set and clear the attributes with which nobody can change a file, or can only append \
             to it (chattr +i and +a).",
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
            holding: "Undoes a protection that other programs rely on: append-only logs, frozen \
             configuration. It opens no file that the permission bits close.",
            alternatives: &[
                "Set the attribute once, from the administrator's shell.",
                "A read-only mount (ReadOnlyPaths= in a unit) protects a file for a service \
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
            functions: &["vfs_mknod", "init_mknod"],
            danger: Danger::EqualsRoot,
            holding: "Make a node for the disk, open it as its owner, and read and write everything. \
             Harmless only where a device cgroup or a nodev mount stops the open, as container \
             engines arrange.",
            alternatives: &[
                "devtmpfs makes the nodes: mount it, or bind-mount the single nodes that are \
                 needed.",
                "DeviceAllow= in a unit, --device in docker and podman.",
                "Unpack images in a user namespace with a tool that records nodes instead of \
                 making them (fakeroot, mmdebstrap).",
            ],
            see: &["mknod(2)", "mount(2), MS_NODEV"],
        },
    ),
    (
        Capability::LEASE,
        Explanation {
            summary: "take leases on files of others",
            allows: "Be told, by a lease, before another process opens or truncates a file, also where \
             the file belongs to another user.",
            scope: Scope::Host,
            programs: &["Samba with kernel oplocks", "user space NFS servers"],
            syscalls: &["fcntl F_SETLEASE"],
            functions: &["vfs_setlease"],
            danger: Danger::Limited,
            holding: "Holds up others' opens of a file until the lease is given back or \
             /proc/sys/fs/lease-break-time has passed: a nuisance, no access.",
            alternatives: &[
                "Leases on own files need nothing.",
                "inotify(7) tells of changes without delaying them.",
                "kernel oplocks = no in smb.conf.",
            ],
            see: &["fcntl(2), Leases"],
        },
    ),
];
