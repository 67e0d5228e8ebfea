//! What is asked for auditing and for security modules.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static SECURITY: &[(Capability, Explanation)] = &[
    (
        Capability::AUDIT_CONTROL,
        Explanation {
            summary: "switch auditing on and off",
            allows: "Start and stop auditing, change its rules, read its state, register the daemon that \
             receives the records, and set the login uid of a session after it was set once.",
            scope: Scope::Host,
            programs: &[
                "auditd, auditctl, augenrules",
                "login, sshd, cron and systemd, which set the login uid (pam_loginuid)",
                "systemd-journald, which switches auditing on",
            ],
            syscalls: &[
                "netlink messages to NETLINK_AUDIT",
                "a write to /proc/PID/loginuid",
            ],
            functions: &["audit_netlink_ok", "audit_set_loginuid_perm"],
            danger: Danger::Serious,
            holding: "Switches off the record of what was done, or lays a false login uid. Who wants to \
             hide begins here.",
            alternatives: &[
                "auditctl -e 2 locks the rules until the next boot, against holders too.",
                "The login uid can be set once without it; auditctl --loginuid-immutable refuses \
                 later changes to holders too.",
                "CAP_AUDIT_WRITE to send records, CAP_AUDIT_READ to read them.",
            ],
            see: &["auditctl(8)", "netlink(7)", "pam_loginuid(8)"],
        },
    ),
    (
        Capability::AUDIT_WRITE,
        Explanation {
            summary: "write records to the audit log",
            allows: "Send own records to the audit log, and let fanotify's permission answers be audited.",
            scope: Scope::Host,
            programs: &[
                "login, su, sudo, sshd, cron and whatever uses PAM",
                "systemd, dbus-daemon and SELinux-aware daemons",
                "useradd, passwd",
                "containers of docker hold it by default",
            ],
            syscalls: &[
                "netlink messages AUDIT_USER and its kind",
                "fanotify_init with FAN_ENABLE_AUDIT",
            ],
            functions: &["audit_netlink_ok"],
            danger: Danger::Limited,
            holding: "Forges or floods records. It hides nothing that the kernel records itself.",
            alternatives: &[
                "PAM ignores the refusal for programs that don't run as root.",
                "syslog(3) or the journal for an application's own log.",
            ],
            see: &["netlink(7)", "audit_open(3)", "fanotify_init(2)"],
        },
    ),
    (
        Capability::AUDIT_READ,
        Explanation {
            summary: "read the audit log as it is written",
            allows: "Join the multicast group that gets a copy of each audit record.",
            scope: Scope::Host,
            programs: &[
                "systemd-journald (its audit socket)",
                "log shippers and security agents that run beside auditd",
            ],
            syscalls: &["bind to or join the group AUDIT_NLGRP_READLOG of NETLINK_AUDIT"],
            functions: &["audit_multicast_bind"],
            danger: Danger::Limited,
            holding: "Sees who does what on the host: commands, files, at times typed passwords where \
             keystrokes are audited.",
            alternatives: &[
                "Read auditd's files with a group: log_group in auditd.conf(5).",
                "An auditd plugin (audisp) gets the records from auditd.",
                "Members of systemd-journal read what journald collected.",
            ],
            see: &["netlink(7)", "auditd.conf(5)"],
        },
    ),
    (
        Capability::MAC_OVERRIDE,
        Explanation {
            summary: "pass the rules of a security module",
            allows: "Ignore mandatory access control. Smack is the one that honours it in full; AppArmor \
             asks for it only where unconfined processes are restricted; SELinux never.",
            scope: Scope::Host,
            programs: &[
                "system services on Smack hosts (Tizen, automotive)",
                "kernel NFS threads, which give it up",
            ],
            syscalls: &[
                "file access under Smack",
                "changes of AppArmor profiles with apparmor_restrict_unprivileged_unconfined",
            ],
            functions: &[
                "smack_privileged",
                "smack_privileged_cred",
                "is_profile_priv_restricted_to_stack",
            ],
            danger: Danger::Serious,
            holding: "On a Smack host the policy is void for the holder. On hosts with SELinux or no \
             module it does almost nothing.",
            alternatives: &[
                "A Smack rule or label for what the program needs.",
                "On other hosts leave it out: nothing asks for it.",
            ],
            see: &["the kernel's documentation: admin-guide/LSM/Smack"],
        },
    ),
    (
        Capability::MAC_ADMIN,
        Explanation {
            summary: "change the policy of a security module",
            allows: "Load and change policy: of Smack (labels and rules), AppArmor (profiles), IPE and \
             SafeSetID. With SELinux only: set and see labels that the policy doesn't know; \
             loading its policy is up to SELinux.",
            scope: Scope::Mixed,
            programs: &[
                "apparmor_parser, snapd, lxd, docker (it loads its profile)",
                "smackload, chsmack",
                "restorecon and rpm on SELinux hosts, setting labels that are not loaded yet",
            ],
            syscalls: &[
                "writes to /sys/kernel/security/apparmor, /sys/fs/smackfs, safesetid, ipe",
                "setxattr and getxattr of security.SMACK64 and security.selinux",
            ],
            functions: &[
                "aa_policy_admin_capable",
                "smack_privileged",
                "has_cap_mac_admin",
            ],
            danger: Danger::Serious,
            holding: "Removes the confinement of every program, its own first.",
            alternatives: &[
                "Load profiles at boot (apparmor.service) instead of at run time.",
                "docker's --security-opt apparmor=NAME with a profile that is already loaded.",
                "An AppArmor policy namespace for containers that load their own.",
            ],
            see: &[
                "apparmor_parser(8)",
                "the kernel's documentation: admin-guide/LSM",
            ],
        },
    ),
];
