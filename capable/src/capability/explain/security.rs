//! Capabilities over auditing and security modules.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static SECURITY: &[(Capability, Explanation)] = &[
    (
        Capability::AUDIT_CONTROL,
        Explanation {
            summary: "switch auditing on and off",
            allows: "Start and stop auditing, change its rules, read its state, register the \
             daemon that receives the records, and change the login uid of a session after it was \
             set.",
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
            holding: "The holder can switch off the record of what was done, or set a false login \
             uid. This is where an intruder would begin to hide.",
            alternatives: &[
                "auditctl -e 2 locks the rules until the next boot, even for holders.",
                "The login uid can be set once without it; auditctl --loginuid-immutable refuses \
                 later changes even to holders.",
                "CAP_AUDIT_WRITE to send records, CAP_AUDIT_READ to read them.",
            ],
            see: &["auditctl(8)", "netlink(7)", "pam_loginuid(8)"],
        },
    ),
    (
        Capability::AUDIT_WRITE,
        Explanation {
            summary: "write records to the audit log",
            allows: "Send records to the audit log, and have permission decisions of fanotify \
             audited.",
            scope: Scope::Host,
            programs: &[
                "login, su, sudo, sshd, cron and everything that uses PAM",
                "systemd, dbus-daemon and SELinux-aware daemons",
                "useradd, passwd",
                "containers of docker hold it by default",
            ],
            syscalls: &[
                "netlink messages AUDIT_USER and the like",
                "fanotify_init with FAN_ENABLE_AUDIT",
            ],
            functions: &["audit_netlink_ok"],
            danger: Danger::Limited,
            holding: "The holder can forge records or flood the log. It cannot hide what the \
             kernel itself records.",
            alternatives: &[
                "PAM ignores the refusal for programs that do not run as root.",
                "syslog(3) or the journal for an application's own log.",
            ],
            see: &["netlink(7)", "audit_open(3)", "fanotify_init(2)"],
        },
    ),
    (
        Capability::AUDIT_READ,
        Explanation {
            summary: "read the audit log as it is written",
            allows: "Join the multicast group that receives a copy of each audit record.",
            scope: Scope::Host,
            programs: &[
                "systemd-journald (its audit socket)",
                "log shippers and security agents that run beside auditd",
            ],
            syscalls: &["bind to or join the group AUDIT_NLGRP_READLOG of NETLINK_AUDIT"],
            functions: &["audit_multicast_bind"],
            danger: Danger::Limited,
            holding: "The holder can see who does what on the host: commands, files, and, if \
             keystrokes are audited, passwords as they are typed.",
            alternatives: &[
                "Read the files of auditd as a member of its group: log_group in auditd.conf(5).",
                "An auditd plugin (audisp), which receives the records from auditd.",
                "Membership in systemd-journal, to read what journald collected.",
            ],
            see: &["netlink(7)", "auditd.conf(5)"],
        },
    ),
    (
        Capability::MAC_OVERRIDE,
        Explanation {
            summary: "override the rules of a security module",
            allows: "Override mandatory access control. Only Smack honours it in full. AppArmor \
             asks for it only if unconfined processes are restricted, and SELinux never does.",
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
            holding: "On a Smack host the policy does not apply to the holder. With SELinux or no \
             security module it does almost nothing.",
            alternatives: &[
                "A Smack rule or label for what the program needs.",
                "On other hosts, leave it out: nothing asks for it.",
            ],
            see: &["the kernel's documentation: admin-guide/LSM/Smack"],
        },
    ),
    (
        Capability::MAC_ADMIN,
        Explanation {
            summary: "change the policy of a security module",
            allows: "Load and change policy: of Smack (labels and rules), AppArmor (profiles), IPE \
             and SafeSetID. With SELinux it only allows setting and seeing labels that the policy \
             does not know; SELinux itself decides who may load its policy.",
            scope: Scope::Mixed,
            programs: &[
                "apparmor_parser, snapd, lxd, docker (it loads its profile)",
                "smackload, chsmack",
                "restorecon and rpm on SELinux hosts, setting labels that are not yet in the \
                 policy",
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
            holding: "The holder can remove the confinement of every program, beginning with its \
             own.",
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
