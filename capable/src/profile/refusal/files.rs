//! What attributes of files and directories, and mounts, have to do with a refusal.

use super::{
    Refusal, System, object,
    permission::changes_directory,
    words::{kind, named, owned, sentence, shown},
};
use crate::{capability::Capability, event::Component};

/// Whether a call changes something in a file system.
fn changes(refusal: &Refusal) -> bool {
    let opens_for_writing = |argument: usize| {
        let flags = refusal.number(argument);
        flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0
    };
    match refusal.call.name {
        "open" => opens_for_writing(1),
        "openat" => opens_for_writing(2),
        "openat2" => true,
        name => {
            name.starts_with("mk")
                || name.starts_with("chmod")
                || name.starts_with("chown")
                || name.starts_with("fch")
                || name.starts_with("rename")
                || name.starts_with("unlink")
                || name.contains("setxattr")
                || name.contains("removexattr")
                || name.starts_with("ut")
                || name.starts_with("futimes")
                || matches!(
                    name,
                    "lchown"
                        | "rmdir"
                        | "symlink"
                        | "symlinkat"
                        | "link"
                        | "linkat"
                        | "creat"
                        | "truncate"
                        | "ftruncate"
                        | "write"
                        | "fallocate"
                )
        }
    }
}

/// The reason, if it is an attribute of a file, of a directory or of a mount.
pub(super) fn reason(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    attributes(refusal)
        .or_else(|| read_only(refusal))
        .or_else(|| not_executable(refusal, system))
        .or_else(|| devices(refusal))
        .or_else(|| linked_directory(refusal))
        .or_else(|| protected(refusal, system))
        .or_else(|| of_another_user(refusal, system))
        .or_else(|| server(refusal))
}

/// Immutable and append-only files, and directories.
fn attributes(refusal: &Refusal) -> Option<Vec<String>> {
    if !refusal.fails_with(libc::EPERM) && !refusal.fails_with(libc::EACCES) || !changes(refusal) {
        return None;
    }
    let helps = |what: &str, letter: char, path: &str| {
        vec![
            sentence(&format!("No capability would help: {what}.")),
            format!(
                "Whoever has CAP_LINUX_IMMUTABLE can take the attribute away first (chattr -{letter} \
                 {path}); the capability alone changes nothing here."
            ),
        ]
    };
    let of = |component: &Component| match (component.immutable, component.append_only) {
        (Some(true), _) => Some(("immutable (chattr +i)", 'i')),
        (_, Some(true)) => Some(("append-only (chattr +a)", 'a')),
        _ => None,
    };
    if let Some(around) = refusal.around() {
        let affected = around.file().into_iter().chain(
            around
                .directory()
                .filter(|_| changes_directory(refusal, around)),
        );
        for component in affected {
            if let Some((what, letter)) = of(component) {
                let path = shown(&component.path);
                return Some(helps(
                    &format!("{} is {what}", named(component)),
                    letter,
                    &path,
                ));
            }
        }
        return None;
    }
    let file = refusal.call.file.filter(|_| refusal.call.text.is_none())?;
    let path = object::path_of(&refusal.call).map_or_else(String::new, |path| shown(&path));
    match (file.immutable, file.append_only) {
        (true, _) => Some(helps("the file is immutable (chattr +i)", 'i', &path)),
        (_, true) => Some(helps("the file is append-only (chattr +a)", 'a', &path)),
        _ => None,
    }
}

/// A file system that is mounted read-only.
fn read_only(refusal: &Refusal) -> Option<Vec<String>> {
    if !refusal.fails_with(libc::EROFS) {
        return None;
    }
    let mount = refusal
        .around()
        .and_then(|around| around.components.last())
        .map(|last| &last.mount)
        .filter(|mount| mount.read_only);
    let what = match mount {
        Some(mount) if !mount.point.is_empty() => {
            format!("{} is mounted read-only", shown(&mount.point))
        }
        _ => "the file system is mounted read-only".to_owned(),
    };
    Some(vec![format!(
        "No capability would help: {what} (a mount option, or ProtectSystem=, ReadOnlyPaths= or the \
         like of a unit or container)."
    )])
}

/// Files that may not be executed.
fn not_executable(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    if !refusal.is(&["execve", "execveat"]) || !refusal.fails_with(libc::EACCES) {
        return None;
    }
    let file = refusal.around()?.file()?;
    if file.kind() != libc::S_IFREG {
        return Some(vec![sentence(&format!(
            "No capability would help: {} is not a regular file.",
            shown(&file.path)
        ))]);
    }
    if file.mode & 0o111 == 0 {
        return Some(vec![
            format!(
                "No capability would help: {} is {}, and a file that nobody may execute is refused \
                 to everybody.",
                named(file),
                owned(file, system)
            ),
            format!("chmod +x {} would help.", shown(&file.path)),
        ]);
    }
    file.mount.no_execution.then(|| {
        vec![format!(
            "No capability would help: {} is mounted noexec.",
            shown(&file.mount.point)
        )]
    })
}

/// Devices: on a mount with nodev, and refused by a device cgroup.
fn devices(refusal: &Refusal) -> Option<Vec<String>> {
    let makes_device = || {
        let mode = match refusal.call.name {
            "mknod" => refusal.number(1),
            "mknodat" => refusal.number(2),
            _ => return false,
        };
        matches!(mode as u32 & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK)
    };
    let cgroup = "The list of devices is set by DeviceAllow=, DevicePolicy= or PrivateDevices= in a \
                  unit, and by --device in containers.";
    if makes_device() && refusal.fails_with(libc::EPERM) {
        let granted = refusal.granted.contains(&Capability::MKNOD);
        let first = match granted {
            true => {
                "CAP_MKNOD was asked for and granted, so it is not that: the device cgroup does \
                     not allow to make this device, or the user namespace is not the initial one."
            }
            false => {
                "No capability would help: the device cgroup does not allow to make this device."
            }
        };
        return Some(vec![first.to_owned(), cgroup.to_owned()]);
    }
    let file = refusal.around()?.file()?;
    let is_device = matches!(file.kind(), libc::S_IFCHR | libc::S_IFBLK);
    if !is_device || !refusal.is(&["open", "openat", "openat2"]) {
        return None;
    }
    if file.mount.no_devices && refusal.fails_with(libc::EACCES) {
        return Some(vec![format!(
            "No capability would help: {} is mounted nodev, so no device on it can be opened.",
            shown(&file.mount.point)
        )]);
    }
    refusal.fails_with(libc::EPERM).then(|| {
        vec![
            format!(
                "No capability would help: the device cgroup does not allow {}, or its driver \
                 refuses.",
                named(file)
            ),
            cgroup.to_owned(),
        ]
    })
}

/// `fs.protected_*`: directories in which everybody may write, with the sticky bit
/// (`may_create_in_sticky`, `may_follow_link`, `may_linkat`, fs/namei.c).
fn protected(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    let around = refusal.around()?;
    let directory = around.directory()?;
    let sticky = directory.mode & libc::S_ISVTX != 0 && directory.mode & 0o022 != 0;
    let is_on = |name: &str| system.setting(name).filter(|value| value != "0");
    let creates = match refusal.call.name {
        "open" => refusal.number(1) & libc::O_CREAT != 0,
        "openat" => refusal.number(2) & libc::O_CREAT != 0,
        name => name == "creat",
    };
    if creates && refusal.fails_with(libc::EACCES) && sticky {
        let file = around.file()?;
        let user = refusal.held.as_ref()?.credentials.fsuid;
        if file.uid == user || file.uid == directory.uid {
            return None;
        }
        let (name, what) = match file.kind() {
            libc::S_IFREG => ("fs.protected_regular", "file"),
            libc::S_IFIFO => ("fs.protected_fifos", "FIFO"),
            _ => return None,
        };
        let value = is_on(name)?;
        return Some(vec![
            format!(
                "No capability would help: {name} is {value}, so in {}, which is sticky and others \
                 may write to, O_CREAT does not open a {what} of another user than the caller or \
                 the directory's owner.",
                shown(&directory.path)
            ),
            format!(
                "{} belongs to {}. Opening it without O_CREAT is not refused by this.",
                shown(&file.path),
                system.user(file.uid)
            ),
        ]);
    }
    if refusal.is(&["link", "linkat"]) && refusal.fails_with(libc::EPERM) {
        let value = is_on("fs.protected_hardlinks")?;
        return Some(vec![format!(
            "fs.protected_hardlinks is {value}: only the owner, or who may read and write the file, \
             can link to it."
        )]);
    }
    None
}

/// FUSE mounts that are for the user who mounted them (`fuse_allow_current_process`, fs/fuse/dir.c).
fn of_another_user(refusal: &Refusal, system: &dyn System) -> Option<Vec<String>> {
    let components = &refusal.around()?.components;
    let mount = components
        .iter()
        .map(|component| &component.mount)
        .find(|mount| mount.only_for.is_some())?;
    let user = system.user(mount.only_for?);
    Some(vec![
        format!(
            "No capability would help: {} is a FUSE mount of {user} (uid {}) without allow_other, and \
             closed to all other users, root too.",
            shown(&mount.point),
            mount.only_for?
        ),
        "It is open to others if it is mounted with -o allow_other.".to_owned(),
    ])
}

/// link(2) makes no other names of directories (`vfs_link`, fs/namei.c).
fn linked_directory(refusal: &Refusal) -> Option<Vec<String>> {
    let file = refusal.around()?.file()?;
    (refusal.is(&["link", "linkat"]) && file.kind() == libc::S_IFDIR).then(|| {
        vec![format!(
            "No capability would help: {} is a directory, and directories cannot be linked to.",
            shown(&file.path)
        )]
    })
}

/// File systems whose server decides.
fn server(refusal: &Refusal) -> Option<Vec<String>> {
    let last = refusal.around()?.components.last()?;
    let kind_of = last.mount.kind.as_str();
    let remote = ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "virtiofs"].contains(&kind_of)
        || kind_of == "fuse"
        || kind_of.starts_with("fuse.");
    remote.then(|| {
        vec![format!(
            "No capability would help: {} is on {kind_of} ({}), whose server decides, and it refused; \
             NFS maps root to nobody (root_squash).",
            kind(last),
            shown(&last.mount.point)
        )]
    })
}
