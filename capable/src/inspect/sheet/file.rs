//! A file as a sheet.

use std::os::unix::ffi::OsStrExt as _;

use super::process::held;
use super::{Sheet, UNKNOWN, Words, yes_no};
use crate::escape::printable;
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
        match file.nosuid {
            Some(true) => "nosuid: set-ID bits and capabilities are ignored",
            Some(false) => "set-ID bits and capabilities take effect",
            None => UNKNOWN,
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
    } else if file.mode & 0o111 == 0 {
        sheet.row("run by", "no one: it is not executable");
    } else {
        sheet.row("run by a user", run(file.run_by_user, words));
        sheet.row("run by root", run(file.run_by_root, words));
    }
    sheet
}

fn run(run: Option<HeldAtStart>, words: &Words) -> String {
    let Some(run) = run else {
        return UNKNOWN.to_owned();
    };
    let mut text = held(run.effective, run.permitted, words);
    if let Some(uid) = run.becomes_uid {
        text += &format!(", as uid {}", words.user(uid));
    }
    text
}
