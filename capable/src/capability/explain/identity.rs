//! Capabilities over identity: users, groups and capabilities themselves.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static IDENTITY: &[(Capability, Explanation)] = &[
    (
        Capability::SETGID,
        Explanation {
            summary: "take any group",
            allows: "Set the process's group ids and its supplementary groups to any value. Send \
             any group id over a Unix socket. Write a gid_map.",
            scope: Scope::Namespace,
            programs: &[
                "login, su, sudo, sshd, cron",
                "daemons that start as root and then change their groups (initgroups)",
                "newgidmap",
                "service managers and container runtimes",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &[
                "setgid",
                "setregid",
                "setresgid",
                "setfsgid",
                "setgroups",
                "sendmsg with SCM_CREDENTIALS",
                "a write to /proc/PID/gid_map",
            ],
            functions: &["ns_capable_setid", "may_setgroups", "new_idmap_permitted"],
            danger: Danger::EqualsRoot,
            holding: "The holder can join the group disk, shadow or docker, or group 0, which on \
             most hosts is as good as root.",
            alternatives: &[
                "Start as the right user: User=, Group= and SupplementaryGroups= in a unit, USER \
                 in an image, --user of docker. The program then has nothing to switch.",
                "newgidmap with /etc/subgid for user namespaces.",
                "The SafeSetID module, to allow only certain groups.",
            ],
            see: &[
                "setgid(2)",
                "setgroups(2)",
                "credentials(7)",
                "user_namespaces(7)",
            ],
        },
    ),
    (
        Capability::SETUID,
        Explanation {
            summary: "become any user",
            allows: "Set the process's user ids to any value, including 0. Send any user id over a \
             Unix socket. Write a uid_map. Open another user's persistent keyring.",
            scope: Scope::Namespace,
            programs: &[
                "login, su, sudo, sshd, cron",
                "daemons that start as root and then change their user",
                "newuidmap",
                "service managers and container runtimes",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &[
                "setuid",
                "setreuid",
                "setresuid",
                "setfsuid",
                "sendmsg with SCM_CREDENTIALS",
                "keyctl KEYCTL_GET_PERSISTENT",
                "a write to /proc/PID/uid_map",
            ],
            functions: &[
                "ns_capable_setid",
                "new_idmap_permitted",
                "keyctl_get_persistent",
            ],
            danger: Danger::EqualsRoot,
            holding: "The holder can become user 0, which owns the system's files, and execute a \
             program, which then gets every capability.",
            alternatives: &[
                "Start as the right user: User= in a unit, USER in an image. The program then has \
                 nothing to switch.",
                "newuidmap with /etc/subuid for user namespaces.",
                "The SafeSetID module, to allow only certain users.",
                "With NoNewPrivileges= and SecureBits=noroot, user 0 does not imply every \
                 capability.",
            ],
            see: &["setuid(2)", "credentials(7)", "user_namespaces(7)"],
        },
    ),
    (
        Capability::SETPCAP,
        Explanation {
            summary: "rearrange the process's own capabilities",
            allows: "Drop capabilities from the bounding set, add capabilities of the bounding set \
             to the inheritable set, and change the securebits, all of the calling process only. \
             Together with CAP_SYS_MODULE, change which capabilities the kernel's helper programs may \
             hold.",
            scope: Scope::Mixed,
            programs: &[
                "systemd, for CapabilityBoundingSet= and SecureBits=",
                "container runtimes: runc, crun, bubblewrap",
                "capsh, setpriv",
                "daemons that reduce their own bounding set",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &["prctl PR_CAPBSET_DROP", "prctl PR_SET_SECUREBITS", "capset"],
            functions: &["cap_prctl_drop", "cap_task_prctl", "cap_inh_is_capped"],
            danger: Danger::Limited,
            holding: "The holder gains nothing in its permitted set. An added inheritable \
             capability takes effect only when a program with the same file capability is \
             executed.",
            alternatives: &[
                "Leave it to whatever starts the program: CapabilityBoundingSet= and SecureBits= \
                 in a unit, --cap-drop in docker and podman.",
                "PR_SET_NO_NEW_PRIVS needs no capability and keeps programs from gaining more.",
                "Dropping from the permitted, effective, ambient and inheritable sets needs no \
                 capability either.",
            ],
            see: &["prctl(2)", "capset(2)", "capsh(1)"],
        },
    ),
    (
        Capability::SETFCAP,
        Explanation {
            summary: "give files capabilities",
            allows: "Set and remove the capabilities of any file. Since 5.12 also map user 0 of \
             the parent into a new user namespace.",
            scope: Scope::Namespace,
            programs: &[
                "setcap",
                "package managers",
                "tar and rsync, restoring extended attributes",
                "image builders",
                "container runtimes that map the parent's root into a user namespace",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &[
                "setxattr of security.capability",
                "removexattr",
                "a write to /proc/PID/uid_map",
            ],
            functions: &[
                "cap_convert_nscap",
                "cap_inode_removexattr",
                "verify_root_map",
            ],
            danger: Danger::EqualsRoot,
            holding: "The holder can put any capability of the bounding set on a program and \
             execute it. It is worth as much as the whole bounding set.",
            alternatives: &[
                "AmbientCapabilities= in a unit gives a service its capabilities without file \
                 capabilities.",
                "Set file capabilities when the package or the image is built.",
                "File capabilities set inside a user namespace are valid only there (version 3 of \
                 the attribute), which is enough for rootless image builds.",
            ],
            see: &["setcap(8)", "xattr(7)", "user_namespaces(7)"],
        },
    ),
];
