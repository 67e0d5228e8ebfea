//! A unit as a sheet.

use super::process::none_or;
use super::{Sheet, UNKNOWN, Words, yes_no};
use crate::escape::printable;
use crate::inspect::unit::{Source, Start, Unit};

pub(super) fn sheet(unit: &Unit, words: &Words) -> Sheet {
    let mut sheet = Sheet::new(unit.name.clone());
    sheet.row("bounding", words.set(unit.bounding));
    sheet.row("ambient", words.set(unit.ambient));
    let set = |start: Option<Start>| match start {
        None => UNKNOWN.to_owned(),
        // A set that takes many lines is written only once.
        Some(Start(set)) if set == unit.bounding && set.len() > 1 && set != words.universe => {
            String::from("the bounding set")
        }
        Some(Start(set)) => words.set(set),
    };
    sheet.row("starts with", set(unit.starts_with));
    sheet.row("can reach", set(unit.can_reach));
    sheet.row("securebits", none_or(unit.securebits.names().join(", ")));
    sheet.row("no_new_privs", yes_no(Some(unit.no_new_privs)));
    sheet.row(
        "user",
        match (&unit.user, unit.dynamic_user) {
            (Some(user), false) => printable(user.as_bytes()),
            (Some(user), true) => format!("{}, dynamic", printable(user.as_bytes())),
            (None, false) => String::from("root"),
            (None, true) => String::from("dynamic"),
        },
    );
    if unit.private_users {
        sheet.row("user namespace", "its own (PrivateUsers=)");
    }
    if !unit.exempt.is_empty() {
        sheet.row(
            "exempt",
            format!("commands of {} marked + or !", unit.exempt.join(", ")),
        );
    }
    sheet.row(
        "known from",
        match unit.source {
            Source::Systemd => "the running systemd",
            Source::Files => "its files (systemd is not running)",
        },
    );
    let files: Vec<String> = unit
        .files
        .iter()
        .map(|path| printable(path.as_os_str().as_encoded_bytes()))
        .collect();
    sheet.row("files", none_or(files.join("\n")));
    sheet
}
