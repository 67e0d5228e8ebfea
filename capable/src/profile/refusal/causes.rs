//! Refusals for which no capability was asked, or those that were asked were granted.

use super::{
    Refusal, System,
    explained::{Found, Reason},
    files, object,
};
use crate::{capability::Capability, event::INITIAL_USER_NAMESPACE};

/// A cause: its sentences, if it is the one.
type Cause = fn(&Refusal, &dyn System) -> Option<Vec<String>>;

/// The causes, in the order in which they are tried: those that are certain come first.
const CAUSES: &[Cause] = &[
    written_id_map,
    executed,
    files::reason,
    limits,
    traced,
    real_time,
    ambient,
    sets,
    chroot_and_namespaces,
    by_mode,
    landlock,
    seccomp,
    label,
];

/// The reason, if it is found.
pub(super) fn explain(refusal: &Refusal, system: &dyn System) -> Option<Reason> {
    if let Some(reason) = id_map_of_root(refusal).or_else(|| unmapped(refusal, system)) {
        return Some(reason);
    }
    let sentences = CAUSES.iter().find_map(|cause| cause(refusal, system))?;
    Some((Found::Other, sentences))
}

/// No reason was found: what was ruled out.
pub(super) fn nothing_found(refusal: &Refusal, system: &dyn System) -> Reason {
    let mut ruled_out = Vec::new();
    let mut open = Vec::new();
    match refusal.around() {
        Some(_) => ruled_out.push("attributes of the file and of its mount"),
        None if object::path_of(&refusal.call).is_some() => {
            open.push("attributes of the file, which could not be looked up");
        }
        None => {}
    }
    let held = refusal.held.as_ref();
    for (known, name) in [
        (held.and_then(|held| held.seccomp), "seccomp"),
        (held.and_then(|held| held.landlock), "Landlock"),
    ] {
        match known {
            Some(false) => ruled_out.push(name),
            Some(true) | None => open.push(name),
        }
    }
    match system.label() {
        None => ruled_out.push("AppArmor and SELinux"),
        Some(_) => open.push("a security module"),
    }
    let asked = match refusal.granted.as_slice() {
        [] => "No capability was asked for".to_owned(),
        granted => format!("{} was asked for and granted", list(granted)),
    };
    let mut text = format!("{asked}, and no reason was found.");
    if !ruled_out.is_empty() {
        text.push_str(&format!(" Ruled out: {}.", ruled_out.join(", ")));
    }
    if !open.is_empty() {
        text.push_str(&format!(" Not known: {}.", open.join(", ")));
    }
    (Found::Unknown, vec![text])
}

fn list(capabilities: &[Capability]) -> String {
    let names: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// Whether something confines the task that may refuse any call: a reason that is not certain does not
/// come before it.
fn is_confined(refusal: &Refusal) -> bool {
    let held = refusal.held.as_ref();
    held.is_some_and(|held| held.seccomp == Some(true) || held.landlock == Some(true))
}

/// Whether this is a write to a file of `/proc/PID`.
fn writes_to(refusal: &Refusal, name: &str) -> bool {
    let path = object::path_of(&refusal.call).unwrap_or_default();
    let path = String::from_utf8_lossy(&path);
    refusal.is(&["write", "writev", "pwrite64"])
        && refusal.fails_with(libc::EPERM)
        && path.ends_with(name)
}

/// Mapping the parent's root takes CAP_SETFCAP of whoever made the namespace, for which no check is
/// made (`verify_root_map`, kernel/user_namespace.c, 5.12 and later).
fn id_map_of_root(refusal: &Refusal) -> Option<Reason> {
    let held = refusal.held.as_ref()?;
    let is_it = writes_to(refusal, "/uid_map")
        && held.credentials.euid == 0
        && held.credentials.namespace != INITIAL_USER_NAMESPACE;
    is_it.then(|| {
        (
            Found::Capability(Capability::SETFCAP),
            vec![
                "CAP_SETFCAP would allow it, and was not held when the user namespace was made: the \
                 written uid_map maps id 0 of the outer namespace, which takes it, and no check shows \
                 that."
                    .to_owned(),
            ],
        )
    })
}

/// `/proc/PID/uid_map` and `gid_map` (`new_idmap_permitted`, kernel/user_namespace.c).
fn written_id_map(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    if writes_to(refusal, "/gid_map") {
        return Some(vec![
            "No capability of the new namespace would help: without CAP_SETGID in the outer one, \
             /proc/PID/setgroups must say deny before gid_map is written, and only the own group can \
             be mapped."
                .to_owned(),
        ]);
    }
    writes_to(refusal, "/uid_map").then(|| {
        vec![
            "No capability of the new namespace would help: without CAP_SETUID in the outer one, only \
             the own user can be mapped, once. newuidmap(1) maps the ranges of /etc/subuid."
                .to_owned(),
        ]
    })
}

/// execve(2): a file that insists on capabilities which the bounding set lacks
/// (`bprm_caps_from_vfs_caps`, security/commoncap.c).
fn executed(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    let is_it = refusal.is(&["execve", "execveat"])
        && refusal.fails_with(libc::EPERM)
        && !is_confined(refusal);
    let bounding = refusal
        .held
        .as_ref()
        .filter(|_| is_it)?
        .credentials
        .bounding;
    if Capability::all().all(|capability| bounding.contains(capability)) {
        return None;
    }
    let path = object::of(&refusal.call);
    Some(vec![
        format!(
            "No capability that is given to the caller would help: {path} has file capabilities that \
             it insists on (+ep), and the bounding set lacks one of them."
        ),
        format!(
            "Leave them in the bounding set, or take them from the file (setcap -r {path}; see getcap \
             {path})."
        ),
    ])
}

/// Limits that nobody may pass (`do_prlimit`, kernel/sys.c).
fn limits(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    let resource = match refusal.call.name {
        "setrlimit" => refusal.number(0),
        "prlimit64" => refusal.number(1),
        _ => return None,
    };
    if resource as u32 != libc::RLIMIT_NOFILE || !refusal.fails_with(libc::EPERM) {
        return None;
    }
    let most = system.setting("fs.nr_open")?;
    Some(vec![format!(
        "No capability would help: RLIMIT_NOFILE cannot be raised above fs.nr_open, which is {most}."
    )])
}

/// ptrace(2) and Yama (`yama_ptrace_access_check`, security/yama/yama_lsm.c).
fn traced(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    if !refusal.is(&["ptrace"]) || !refusal.fails_with(libc::EPERM) || is_confined(refusal) {
        return None;
    }
    match system.setting("kernel.yama.ptrace_scope").as_deref() {
        Some("3") => Some(vec![
            "No capability would help: kernel.yama.ptrace_scope is 3, so nobody may trace, until the \
             next boot."
                .to_owned(),
        ]),
        _ => Some(vec![
            "No capability would help: the process is traced by another one already, is a kernel \
             thread, or is the caller itself."
                .to_owned(),
        ]),
    }
}

/// Real-time scheduling in a cgroup without a budget (`__sched_setscheduler`, kernel/sched).
fn real_time(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    let is_it = refusal.is(&["sched_setscheduler", "sched_setattr", "sched_setparam"])
        && refusal.fails_with(libc::EPERM)
        && refusal.granted.contains(&Capability::SYS_NICE);
    is_it.then(|| {
        vec![
            "CAP_SYS_NICE was asked for and granted, so it is not that: the cgroup has no budget for \
             real-time scheduling (cpu.rt_runtime_us is 0, with CONFIG_RT_GROUP_SCHED)."
                .to_owned(),
        ]
    })
}

/// Raising an ambient capability (`cap_task_prctl`, security/commoncap.c) makes no check.
fn ambient(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    /// `PR_CAP_AMBIENT` and `PR_CAP_AMBIENT_RAISE` (include/uapi/linux/prctl.h).
    const AMBIENT: i32 = 47;
    const RAISE: i32 = 2;
    let is_it = refusal.is(&["prctl"])
        && (refusal.number(0), refusal.number(1)) == (AMBIENT, RAISE)
        && refusal.fails_with(libc::EPERM);
    let held = refusal.held.as_ref().filter(|_| is_it)?;
    let capability = Capability::from_number(refusal.number(2));
    let lacking: Vec<_> = [
        (held.credentials.permitted, "permitted"),
        (held.credentials.inheritable, "inheritable"),
    ]
    .iter()
    .filter(|(set, _)| !set.contains(capability))
    .map(|(_, name)| *name)
    .collect();
    Some(vec![match lacking.as_slice() {
        [] => {
            "The securebit no-cap-ambient-raise forbids to raise ambient capabilities.".to_owned()
        }
        lacking => format!(
            "{capability} can be raised in the ambient set only if it is permitted and inheritable; it \
             is not {}.",
            lacking.join(" and not ")
        ),
    }])
}

/// capset(2) beyond what is permitted (`cap_capset`, security/commoncap.c) makes no check.
fn sets(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    (refusal.is(&["capset"]) && refusal.fails_with(libc::EPERM)).then(|| {
        vec![
            "The new sets hold something that the old ones do not allow: permitted may only lose, \
             effective must be permitted, and what is new in inheritable must be permitted or, with \
             CAP_SETPCAP, in the bounding set."
                .to_owned(),
        ]
    })
}

/// New user namespaces (`create_user_ns`, kernel/user_namespace.c).
fn chroot_and_namespaces(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    const NEW_USER: u64 = libc::CLONE_NEWUSER as u64;
    let makes_user_namespace =
        refusal.is(&["unshare", "clone"]) && refusal.call.arguments[0] & NEW_USER != 0;
    if !makes_user_namespace || !refusal.fails_with(libc::EPERM) || is_confined(refusal) {
        return None;
    }
    let setting = system
        .setting("kernel.unprivileged_userns_clone")
        .filter(|value| value == "0");
    Some(match setting {
        Some(_) => vec!["kernel.unprivileged_userns_clone is 0: only root makes user namespaces.".to_owned()],
        None => vec![
            "No capability would help: a process in chroot(2), or whose user or group is not mapped \
             in its user namespace, cannot make a user namespace."
                .to_owned(),
        ],
    })
}

/// Files whose owner is not mapped: a capability of the namespace is asked for and granted, and does
/// not count (`capable_wrt_inode_uidgid`, kernel/capability.c).
fn unmapped(refusal: &Refusal, system: &dyn System) -> Option<Reason> {
    const OF_FILES: [Capability; 5] = [
        Capability::DAC_READ_SEARCH,
        Capability::DAC_OVERRIDE,
        Capability::FOWNER,
        Capability::CHOWN,
        Capability::FSETID,
    ];
    let held = refusal.held.as_ref()?;
    let inside = held.credentials.namespace != INITIAL_USER_NAMESPACE;
    let refused = refusal.fails_with(libc::EPERM) || refusal.fails_with(libc::EACCES);
    let granted = OF_FILES
        .into_iter()
        .find(|capability| refusal.granted.contains(capability))?;
    (inside && refused).then(|| {
        let owner = match refusal.around().and_then(|around| around.components.last()) {
            Some(last) => format!(
                "its owner, {} ({}), or its group is not mapped there",
                system.user(last.uid),
                last.uid
            ),
            None => "its owner or its group is not mapped there".to_owned(),
        };
        (
            Found::Namespace(granted),
            vec![
                format!(
                    "{granted} is held, but in a user namespace where it does not count for this file: \
                     {owner}."
                ),
                "Map that id too (newuidmap(1), /etc/subuid), or have the owner or the mode changed from \
                 outside."
                    .to_owned(),
            ],
        )
    })
}

/// Permissions that were refused although no capability was asked for: the credentials that count
/// are others, as with files that are opened for another task.
fn by_mode(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    let is_mapping = refusal.is(&["mmap", "mprotect"])
        && refusal.fails_with(libc::EACCES)
        && !is_confined(refusal);
    is_mapping.then(|| {
        vec![
            "No capability would help: the file was not opened for what the mapping asks, or is on a \
             mount with noexec."
                .to_owned(),
        ]
    })
}

/// Landlock (security/landlock).
fn landlock(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    let restricted = refusal.held.as_ref()?.landlock?;
    let refused = refusal.fails_with(libc::EPERM) || refusal.fails_with(libc::EACCES);
    (restricted && refused).then(|| {
        let object = object::of(&refusal.call);
        let what = match object.as_str() {
            "" => refusal.call.name.to_owned(),
            object => format!("{} {object}", refusal.call.name),
        };
        vec![
            format!(
                "No capability would help: the process restricted itself, or was restricted, by \
                 Landlock (landlock_restrict_self), whose rules do not allow {what}."
            ),
            "The program that set the rules must allow it: they cannot be lifted.".to_owned(),
        ]
    })
}

/// A seccomp filter (kernel/seccomp.c) may answer with any errno.
fn seccomp(refusal: &Refusal, _: &dyn System) -> Option<Vec<String>> {
    let filtered = refusal.held.as_ref()?.seccomp?;
    filtered.then(|| {
        vec![
            format!(
                "No capability would help: a seccomp filter is in force, no check was made, and nothing \
                 else was found that refuses {}; so the filter did, most likely.",
                refusal.call.name
            ),
            "Filters come from SystemCallFilter= of a unit, the seccomp profile of a container, or the \
             program."
                .to_owned(),
        ]
    })
}

/// AppArmor and SELinux.
fn label(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    let label = system.label()?;
    let refused = refusal.fails_with(libc::EPERM) || refusal.fails_with(libc::EACCES);
    refused.then(|| {
        vec![format!(
            "No capability would help, as far as was seen: the command is confined as {label}, whose \
             rules may refuse it; the kernel log has the refusal (journalctl -k)."
        )]
    })
}
