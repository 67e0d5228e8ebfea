//! What is asked for files: owners and permissions.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static FILE: &[(Capability, Explanation)] = &[
    (
        Capability::CHOWN,
        Explanation {
            summary: "change any file's owner and group",
            allows: "Give a file to any user and any group. Without it only a file's owner may act, and \
             may only choose a group that the owner is in.",
            scope: Scope::Namespace,
            programs: &[
                "chown",
                "tar and rsync that restore owners as root",
                "package managers",
                "install -o",
                "entrypoints of containers that prepare a data directory",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &["chown", "fchown", "lchown", "fchownat"],
            functions: &["setattr_prepare", "chown_ok", "chgrp_ok"],
            danger: Danger::EqualsRoot,
            holding: "Take over /etc/shadow, edit it, and be root; or take over a directory that root's \
             programs are read from.",
            alternatives: &[
                "Create the files as the right user from the start: User= and StateDirectory= in \
                 a unit, USER in an image, install -o at build time.",
                "tmpfiles.d(5) to set owners at boot, by systemd instead of by the program.",
                "An id-mapped mount (mount_setattr(2), X-mount.idmap of mount(8)) shows another \
                 owner without changing any.",
                "A shared group and a set-group-ID directory, where a change of group is all that \
                 is wanted.",
            ],
            see: &["chown(2)", "path_resolution(7)", "mount_setattr(2)"],
        },
    ),
    (
        Capability::DAC_OVERRIDE,
        Explanation {
            summary: "ignore the permission bits of files and directories",
            allows: "Skip the permission bits and ACLs of every file and directory: read, write, search, \
             create and delete. To execute a file it still needs one x bit somewhere. Immutable \
             files and security modules still hold.",
            scope: Scope::Namespace,
            programs: &[
                "programs that run as root and touch files of others",
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
            holding: "Write to /etc/shadow, /etc/sudoers or any program that root runs. It is the same as \
             root for every file.",
            alternatives: &[
                "Give the program its own user and give that user the files: chown, a group, or \
                 an ACL (setfacl(1)).",
                "CAP_DAC_READ_SEARCH, where reading is all it does.",
                "A root service that asks for it often only has a file of another owner in its \
                 way: fix the owner and drop it.",
                "Pass it open files: systemd's LoadCredential=, OpenFile= or a socket.",
            ],
            see: &["path_resolution(7)", "acl(5)", "access(2)"],
        },
    ),
    (
        Capability::DAC_READ_SEARCH,
        Explanation {
            summary: "read every file and search every directory",
            allows: "Read any file and list and search any directory, whatever the permission bits and \
             ACLs say. Open files by handle instead of by path. Give a name to a file that is \
             open (linkat with AT_EMPTY_PATH).",
            scope: Scope::Mixed,
            programs: &[
                "backup agents",
                "indexers such as updatedb",
                "virus scanners and file integrity checkers",
                "user space NFS servers (open_by_handle_at)",
                "any root program that looks along a path it may not read: the kernel asks for \
                 this first and for CAP_DAC_OVERRIDE after it",
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
            holding: "Reads every secret on the host: password hashes, private keys, tokens, and through \
             them often root. With open_by_handle_at it also reads files outside a container's \
             root where the file system is shared, so don't give it to containers.",
            alternatives: &[
                "A group or an ACL with read access to what it has to read.",
                "LoadCredential= of systemd, or an open descriptor, for single secrets.",
                "Stop looking: many of these checks come from a $PATH or library path with a \
                 directory that the program may not read, and the program goes on without it.",
            ],
            see: &["open_by_handle_at(2)", "path_resolution(7)", "linkat(2)"],
        },
    ),
    (
        Capability::FOWNER,
        Explanation {
            summary: "act as the owner of any file",
            allows: "Do to any file what only its owner may: change its mode, its times, its ACL, some of \
             its attributes and labels; delete from a sticky directory such as /tmp what belongs \
             to others; open it with O_NOATIME; pass the protection of hard links.",
            scope: Scope::Namespace,
            programs: &[
                "chmod, touch and setfacl run as root",
                "tar and rsync that restore modes and times",
                "cleaners of /tmp such as systemd-tmpfiles",
                "package managers",
                "backup tools that leave access times alone",
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
            holding: "Open up the mode of /etc/shadow or of root's keys. That ends in root.",
            alternatives: &[
                "Run it as the files' owner.",
                "Set modes at creation: umask, UMask= and StateDirectoryMode= in a unit.",
                "tmpfiles.d(5) for modes and for cleaning, done by systemd.",
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
            allows: "Keep these bits where the kernel would clear them: when the file is written or \
             truncated, and, for set-group-ID, when its group is not among the process's own.",
            scope: Scope::Mixed,
            programs: &[
                "tar, cp and rsync that preserve modes",
                "package managers that install set-ID programs",
                "chmod g+s",
                "root programs that write to such a file",
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
            holding: "Only what a set-ID program of the holder's own may become: a set-group-ID file for a \
             group it isn't in. With CAP_CHOWN that makes a program for anyone.",
            alternatives: &[
                "Usually asked only because root writes to such a file. A denial merely clears \
                 the bit.",
                "Set the bit once at installation, not at run time.",
            ],
            see: &["chmod(2)", "write(2)", "inode(7)"],
        },
    ),
];
