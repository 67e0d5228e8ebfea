//! Permissions of files and directories: which one refuses, and who is allowed.

use super::{
    Held, Refusal, System,
    words::{named, owned, sentence},
};
use crate::{
    capability::Capability,
    event::{Component, Surroundings},
};

/// The bits of permissions.
const READ: u32 = 4;
const WRITE: u32 = 2;
const EXECUTE: u32 = 1;

/// What would do in place of a capability for files.
pub(super) fn without(
    refusal: &Refusal,
    capability: Capability,
    system: &dyn System,
) -> Option<String> {
    match capability {
        Capability::DAC_READ_SEARCH | Capability::DAC_OVERRIDE => permission(refusal, system),
        Capability::FOWNER | Capability::CHOWN | Capability::FSETID => {
            let file = refusal.around()?.file()?;
            let held = refusal.held.as_ref()?;
            let (owner, user) = (system.user(file.uid), system.user(held.credentials.fsuid));
            (file.uid != held.credentials.fsuid).then(|| {
                sentence(&format!(
                    "{} belongs to {owner}, and this ran as {user}.",
                    named(file)
                ))
            })
        }
        _ => None,
    }
}

/// The file or directory whose mode refuses, and who is allowed.
fn permission(refusal: &Refusal, system: &dyn System) -> Option<String> {
    let held = refusal.held.as_ref()?;
    let around = refusal.around()?;
    let (refusing, lacking) = refusing(refusal, held, around)?;
    let mut text = sentence(&format!(
        "{} is {}",
        named(refusing),
        owned(refusing, system)
    ));
    if refusing.has_list {
        text.push_str(", and has an access control list");
    } else if refusing.mode >> 3 & lacking == lacking && refusing.gid != 0 {
        text.push_str(&format!(
            ", so membership in the group {} is enough",
            system.group(refusing.gid)
        ));
    } else {
        let what = match lacking {
            READ => "read",
            WRITE => "write",
            lacking if lacking == READ | WRITE => "read and write",
            EXECUTE if refusing.kind() == libc::S_IFDIR => "search",
            EXECUTE => "execute",
            _ => "use",
        };
        text.push_str(&format!(
            "; the user {} may not {what} {}",
            system.user(held.credentials.fsuid),
            if refusing.kind() == libc::S_IFDIR {
                "in it"
            } else {
                "it"
            },
        ));
    }
    text.push('.');
    Some(text)
}

/// The first component whose mode does not allow what is asked, and the bits that are lacking.
fn refusing<'a>(
    refusal: &Refusal,
    held: &Held,
    around: &'a Surroundings,
) -> Option<(&'a Component, u32)> {
    let lacks = |component: &Component, wanted: u32| {
        if component.mode == 0 {
            return None;
        }
        let groups = held.groups.iter().flatten().copied();
        let groups = groups.chain([held.credentials.fsgid]);
        let allowed = component.permissions(held.credentials.fsuid, groups);
        Some(wanted & !allowed).filter(|&lacking| lacking != 0)
    };
    let file = around.file();
    let directories = around
        .components
        .iter()
        .filter(|component| file.is_none_or(|file| !std::ptr::eq(*component, file)));
    for directory in directories {
        if let Some(lacking) = lacks(directory, EXECUTE) {
            return Some((directory, lacking));
        }
    }
    if changes_directory(refusal, around) {
        let directory = around.directory()?;
        return lacks(directory, WRITE).map(|lacking| (directory, lacking));
    }
    let file = file?;
    lacks(file, wanted(refusal)).map(|lacking| (file, lacking))
}

/// Whether a call makes, removes or renames an entry of a directory.
pub(super) fn changes_directory(refusal: &Refusal, around: &Surroundings) -> bool {
    let is_missing = around.stopped == Some(libc::ENOENT);
    match refusal.call.name {
        "mkdir" | "mkdirat" | "mknod" | "mknodat" | "symlink" | "symlinkat" | "rmdir"
        | "unlink" | "unlinkat" | "rename" | "renameat" | "renameat2" => true,
        "open" | "openat" | "creat" => is_missing,
        "bind" => true,
        _ => false,
    }
}

/// What a call asks of the file itself, as bits of permissions.
fn wanted(refusal: &Refusal) -> u32 {
    let flags = match refusal.call.name {
        "open" => refusal.number(1),
        "openat" => refusal.number(2),
        "creat" => libc::O_WRONLY,
        "access" => return refusal.number(1) as u32 & 7,
        "faccessat" | "faccessat2" => return refusal.number(2) as u32 & 7,
        "execve" | "execveat" | "chdir" | "fchdir" | "chroot" => return EXECUTE,
        "truncate" | "utime" | "utimes" | "utimensat" | "futimesat" | "setxattr" | "lsetxattr"
        | "connect" | "removexattr" | "lremovexattr" => return WRITE,
        _ => return READ,
    };
    let access = match flags & libc::O_ACCMODE {
        libc::O_RDONLY => READ,
        libc::O_WRONLY => WRITE,
        _ => READ | WRITE,
    };
    match flags & libc::O_TRUNC {
        0 => access,
        _ => access | WRITE,
    }
}
