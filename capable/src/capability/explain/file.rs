//! Capabilities over files: owners and permissions.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static FILE: &[(Capability, Explanation)] = &[
    (
        Capability::CHOWN,
        Explanation {
            summary: "change any file's owner and group",
            allows: "Give any file to any user and any group. Without it, only the owner of a file \
             may change its group, and only to a group that the owner is in.",
            scope: Scope::Mixed,
            programs: &[
                "chown",
                "tar and rsync, restoring owners as root",
                "package managers",
                "install -o",
                "container entrypoints that prepare a data directory",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &["chown", "fchown", "lchown", "fchownat"],
            functions: &["setattr_prepare", "chown_ok", "chgrp_ok"],
            danger: Danger::EqualsRoot,
            holding: "The holder can take over /etc/shadow, edit it, and become root; or take over \
             a directory from which root runs programs.",
            alternatives: &[
                "Create the files as the right user in the first place: User= and StateDirectory= \
                 in a unit, USER in an image, install -o at build time.",
                "tmpfiles.d(5), so that systemd sets owners at boot and the program need not.",
                "An id-mapped mount (mount_setattr(2), X-mount.idmap of mount(8)) shows files with \
                 another owner without changing them.",
                "A shared group and a set-group-ID directory, if only the group has to change.",
            ],
            see: &["chown(2)", "path_resolution(7)", "mount_setattr(2)"],
        },
    ),
    (
        Capability::DAC_OVERRIDE,
        Explanation {
            summary: "ignore the permission bits of files and directories",
            allows: "Skip the permission bits and ACLs of every file and directory: read, write, \
             search, create and delete. Executing a file still requires at least one x bit. \
             Immutable files and security modules still refuse.",
            scope: Scope::Namespace,
            programs: &[
                "programs that run as root and access files of other users",
                "backup and restore tools",
                "services that write below a directory owned by another user",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &[
                "open",
                "openat",
                "unlink",
                "rename",
                "mkdir",
                "execve",
                "any other call that walks a path",
            ],
            functions: &["generic_permission", "capable_wrt_inode_uidgid"],
            danger: Danger::EqualsRoot,
            holding: "The holder can write to /etc/shadow, /etc/sudoers or any program that root \
             runs. For files this is the same as being root.",
            alternatives: &[
                "Give the program its own user and give that user the files: chown, a group, or \
                 an ACL (setfacl(1)).",
                "CAP_DAC_READ_SEARCH, if the program only reads.",
                "A root service often asks for it only because a single file has another owner: \
                 correct the owner and drop the capability.",
                "Pass the program open files: systemd's LoadCredential= or OpenFile=, or a \
                 socket.",
            ],
            see: &["path_resolution(7)", "acl(5)", "access(2)"],
        },
    ),
    (
        Capability::DAC_READ_SEARCH,
        Explanation {
            summary: "read every file and search every directory",
            allows: "Read any file and list and search any directory, whatever the permission bits \
             and ACLs say. Open files by handle instead of by path. Give a name to an open file \
             (linkat with AT_EMPTY_PATH).",
            scope: Scope::Mixed,
            programs: &[
                "backup agents",
                "indexers such as updatedb",
                "virus scanners and file integrity checkers",
                "user space NFS servers (open_by_handle_at)",
                "any root program that looks up a path through directories closed to it: the \
                 kernel asks for this first and then for CAP_DAC_OVERRIDE",
            ],
            syscalls: &[
                "open",
                "openat",
                "stat",
                "readlink",
                "open_by_handle_at",
                "linkat",
                "name lookups in /proc",
            ],
            functions: &[
                "generic_permission",
                "handle_to_path",
                "capable_wrt_inode_uidgid",
            ],
            danger: Danger::Serious,
            holding: "The holder can read every secret on the host (password hashes, private keys, \
             tokens) and with those often become root. With open_by_handle_at it can also read \
             files outside a container's root if the file system is shared, so do not give it to \
             containers.",
            alternatives: &[
                "A group or an ACL with read access to the files that the program has to read.",
                "LoadCredential= of systemd, or an open descriptor, for single secrets.",
                "Often none is needed: many of these checks come from a directory in $PATH or the \
                 library path that the program may not read, and it continues without.",
            ],
            see: &["open_by_handle_at(2)", "path_resolution(7)", "linkat(2)"],
        },
    ),
    (
        Capability::FOWNER,
        Explanation {
            summary: "act as the owner of any file",
            allows: "Do to any file what otherwise only its owner may: change its mode, times, \
             ACL, and some of its attributes and labels; delete files of others from a sticky \
             directory such as /tmp; open a file with O_NOATIME; create hard links despite their \
             protection.",
            scope: Scope::Mixed,
            programs: &[
                "chmod, touch and setfacl run as root",
                "tar and rsync, restoring modes and times",
                "systemd-tmpfiles and others that clean /tmp",
                "package managers",
                "backup tools that preserve access times",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &[
                "chmod",
                "fchmodat",
                "utimensat",
                "setxattr",
                "unlink",
                "rename",
                "link",
                "open with O_NOATIME",
                "ioctl FS_IOC_SETFLAGS",
            ],
            functions: &[
                "inode_owner_or_capable",
                "__check_sticky",
                "setattr_prepare",
            ],
            danger: Danger::EqualsRoot,
            holding: "The holder can make /etc/shadow or root's keys readable and writable for \
             everyone, and so become root.",
            alternatives: &[
                "Run the program as the owner of the files.",
                "Set modes at creation: umask, UMask= and StateDirectoryMode= in a unit.",
                "tmpfiles.d(5), so that systemd sets modes and cleans up.",
                "A private /tmp (PrivateTmp=) instead of deleting from the shared one.",
            ],
            see: &[
                "chmod(2)",
                "utimensat(2)",
                "proc(5), protected_hardlinks",
                "acl(5)",
            ],
        },
    ),
    (
        Capability::FSETID,
        Explanation {
            summary: "keep the set-user-ID and set-group-ID bits",
            allows: "Keep these bits when the kernel would otherwise clear them: when the file is \
             written or truncated, and, for set-group-ID, when the file's group is not one of the \
             process's groups.",
            scope: Scope::Mixed,
            programs: &[
                "tar, cp and rsync, preserving modes",
                "package managers that install set-ID programs",
                "chmod g+s",
                "root programs that write to a set-ID file",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &[
                "write",
                "truncate",
                "chmod",
                "fchmodat",
                "creating in a set-group-ID directory",
            ],
            functions: &[
                "setattr_should_drop_suidgid",
                "setattr_should_drop_sgid",
                "in_group_or_capable",
                "setattr_prepare",
            ],
            danger: Danger::Limited,
            holding: "The holder can create a set-group-ID file for a group that it is not in, but \
             only as the owner of the file. Together with CAP_CHOWN it can create set-ID programs \
             for any user.",
            alternatives: &[
                "Often none is needed: it is usually asked only because root writes to a set-ID \
                 file, and a denial merely clears the bit.",
                "Set the bit once at installation, not at run time.",
            ],
            see: &["chmod(2)", "write(2)", "inode(7)"],
        },
    ),
];
