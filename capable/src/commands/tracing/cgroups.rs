//! What names of units, containers and cgroups stand for, looked up and told.

use crate::{
    commands::print::say,
    context::cgroups::{CgroupError, CgroupName, Cgroups, Found},
    escape::printable,
};

/// Says what the names of units and containers stand for, and returns the cgroups of each; none if
/// they are still to come.
///
/// # Errors
///
/// If something that was named does not exist, and cannot be waited for.
pub fn tell_names(names: &[CgroupName]) -> Result<Vec<Vec<Found>>, CgroupError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let known = Cgroups::open()?;
    let find = |name| {
        let found = known.find_or_await(name)?;
        tell(&known, name, &found);
        Ok(found)
    };
    names.iter().map(find).collect()
}

fn tell(known: &Cgroups, name: &CgroupName, found: &[Found]) {
    let (option, given) = match name {
        // It says itself which cgroup it is.
        CgroupName::Path(_) => return,
        CgroupName::Unit(name) => ("--unit", name),
        CgroupName::UserUnit(name) => ("--user-unit", name),
        CgroupName::Container(name) => ("--container", name),
    };
    let line = if found.is_empty() {
        awaited(name, option, given, &others(known, name))
    } else {
        told(option, given, found)
    };
    say(format_args!("{line}"));
}

/// What is waited for, as a line that is safe on a terminal.
fn awaited(name: &CgroupName, option: &str, given: &str, others: &[String]) -> String {
    let given = printable(given.as_bytes());
    let why = match name {
        CgroupName::Container(_) => "does not run, by this name or id",
        _ if name.is_installed() => "does not run yet",
        _ => "does not run, and no unit file has this name",
    };
    let others = match others {
        [] => String::new(),
        others => format!(" (these run: {})", printable(others.join(", ").as_bytes())),
    };
    format!("capable: {option} {given} {why}: waiting for it to start{others}\n")
}

/// The containers that run, if it is one of these that is waited for: the name may be misspelt.
fn others(known: &Cgroups, name: &CgroupName) -> Vec<String> {
    match known.find(name) {
        Err(CgroupError::NoContainer { known, .. }) => known,
        _ => Vec::new(),
    }
}

/// What a name stands for, as a line that is safe on a terminal.
fn told(option: &str, name: &str, found: &[Found]) -> String {
    let paths: Vec<String> = found
        .iter()
        .map(|found| printable(found.path.as_bytes()))
        .collect();
    let name = printable(name.as_bytes());
    match &paths[..] {
        [one] => format!("capable: {option} {name} is the cgroup {one}\n"),
        several => format!(
            "capable: {option} {name} matches {} cgroups: {}\n",
            several.len(),
            several.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_a_name_stands_for_is_told_and_several_are_counted() {
        let found = |path: &str| Found {
            id: 1,
            directory: PathBuf::new(),
            path: path.to_owned(),
        };
        assert_eq!(
            told("--unit", "ssh", &[found("/system.slice/ssh.service")]),
            "capable: --unit ssh is the cgroup /system.slice/ssh.service\n"
        );
        assert_eq!(
            told(
                "--unit",
                "a@",
                &[found("/a@1.service"), found("/a@\x1b.service")]
            ),
            "capable: --unit a@ matches 2 cgroups: /a@1.service, /a@\\x1b.service\n"
        );
    }

    #[test]
    fn a_unit_that_is_waited_for_and_has_no_file_is_said_to_have_none() {
        let unit = CgroupName::Unit("no-such.service".to_owned());
        assert_eq!(
            awaited(&unit, "--unit", "no-such.service", &[]),
            "capable: --unit no-such.service does not run, and no unit file has this name: waiting \
             for it to start\n"
        );
    }
}
