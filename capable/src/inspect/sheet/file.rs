//! A file as a sheet.

use std::os::unix::ffi::OsStrExt as _;

use super::process::held;
use super::{Sheet, UNKNOWN, Words, yes_no};
use crate::escape::printable;
use crate::inspect::Refusal;
use crate::inspect::file::{File, HeldAtStart};

pub(super) fn sheet(file: &File, words: &Words) -> Sheet {
    let mut sheet = Sheet::new(printable(file.path.as_os_str().as_bytes()));
    match &file.capabilities {
        Some(own) => {
            sheet.row("permitted", words.set(own.permitted));
            sheet.row("inheritable", words.set(own.inheritable));
            sheet.row("effective bit", yes_no(Some(own.effective)));
            sheet.row("version", own.version.to_string());
            if let Some(root) = own.root_uid {
                sheet.row(
                    "only for",
                    format!("user namespaces whose root is uid {root}, and those below"),
                );
            }
        }
        None => sheet.row("capabilities", "none"),
    }
    sheet.row("mode", format!("{:04o}", file.mode));
    sheet.row(
        "owner",
        format!("uid {}, gid {}", words.user(file.owner), file.group),
    );
    let set_id = |set: bool, kind: &str, id: String| match set {
        true => format!("yes: runs as {kind} {id}"),
        false => "no".to_owned(),
    };
    sheet.row(
        "set-user-ID",
        set_id(file.set_user_id, "uid", words.user(file.owner)),
    );
    sheet.row(
        "set-group-ID",
        set_id(file.set_group_id, "gid", file.group.to_string()),
    );
    sheet.row(
        "mount",
        match (file.nosuid, file.foreign_mount) {
            (Some(true), _) => "nosuid: set-ID bits and capabilities are ignored",
            (_, Some(true)) => {
                "of another mount namespace: set-ID bits and capabilities are ignored here"
            }
            (Some(false), _) => "set-ID bits and capabilities take effect",
            (None, _) => UNKNOWN,
        },
    );
    if let Some(interpreter) = &file.interpreter {
        sheet.row(
            "script",
            format!(
                "run by {}; the script's own set-ID bits and capabilities are ignored",
                printable(interpreter)
            ),
        );
    }
    match (file.refused_to_root, file.refused_to_user) {
        (Some(root), Some(user)) if root == user => sheet.row("run by", root.told()),
        (root, user) => {
            if file.interpreter.is_none() || user.is_some() {
                sheet.row("run by a user", run(file.run_by_user, user, words));
            }
            if file.interpreter.is_none() || root.is_some() {
                sheet.row("run by root", run(file.run_by_root, root, words));
            }
        }
    }
    sheet
}

fn run(run: Option<HeldAtStart>, refused: Option<Refusal>, words: &Words) -> String {
    if let Some(refusal) = refused {
        return refusal.told().to_owned();
    }
    let Some(run) = run else {
        return UNKNOWN.to_owned();
    };
    let mut text = held(run.effective, run.permitted, words);
    if let Some(uid) = run.becomes_uid {
        text += &format!(", as uid {}", words.user(uid));
    }
    text
}
