//! A file as a sheet.

use std::os::unix::ffi::OsStrExt as _;

use super::process::held;
use super::{Sheet, UNKNOWN, concise, yes_no};
use crate::capability::CapabilitySet;
use crate::inspect::file::{File, Run};
use crate::inspect::printable;

pub(super) fn sheet(file: &File, universe: CapabilitySet) -> Sheet {
    let mut sheet = Sheet::new(printable(file.path.as_os_str().as_bytes()));
    match &file.capabilities {
        Some(own) => {
            sheet.row("permitted", concise(own.permitted, universe));
            sheet.row("inheritable", concise(own.inheritable, universe));
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
    sheet.row("owner", format!("uid {}, gid {}", file.owner, file.group));
    let set_id = |set: bool, kind: &str, id: u32| match set {
        true => format!("yes, runs as {kind} {id}"),
        false => "no".to_owned(),
    };
    sheet.row("set-user-ID", set_id(file.set_user_id, "uid", file.owner));
    sheet.row("set-group-ID", set_id(file.set_group_id, "gid", file.group));
    sheet.row(
        "mount",
        match file.nosuid {
            Some(true) => "nosuid: set-ID bits and capabilities are ignored",
            Some(false) => "not nosuid",
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
        sheet.row("run by", "nobody: it is not executable");
    } else {
        sheet.row("run by a user", run(file.run_by_user, universe));
        sheet.row("run by root", run(file.run_by_root, universe));
    }
    sheet
}

fn run(run: Option<Run>, universe: CapabilitySet) -> String {
    let Some(run) = run else {
        return UNKNOWN.to_owned();
    };
    let mut text = held(run.effective, run.permitted, universe);
    if let Some(uid) = run.becomes_uid {
        text += &format!(", as uid {uid}");
    }
    text
}
