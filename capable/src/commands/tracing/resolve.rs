//! Turns filters as typed into one expression: names become numbers, and for something that does
//! not exist the error says what does.

use anyhow::{Error, Result, anyhow, bail};

use super::{args::FilterArgs, cgroups::tell_names};
use crate::{
    commands::Usage,
    context::{
        accounts::Accounts,
        cgroups::{CgroupError, CgroupName},
        namespaces::{NamespaceError, NamespaceKind, namespace_inode},
        processes::{ProcessError, find_process, process_of},
    },
    filter::{Condition, Expression},
};

/// An error about something that is not there at the moment, such as a process, is a failure. All
/// others are about the words themselves: wrong usage.
pub fn failure_or_usage(error: Error) -> Error {
    let process = error.downcast_ref::<ProcessError>();
    let namespace = error.downcast_ref::<NamespaceError>();
    let is_absent = error.is::<CgroupError>()
        || process.is_some_and(ProcessError::is_absence)
        || matches!(namespace, Some(NamespaceError::NoProcess { .. }));
    if is_absent { error } else { Usage::wrap(error) }
}

/// What to type where a number was no process that can be traced. `instead` begins the advice for a
/// thread.
pub fn process_refused(error: ProcessError, instead: &str) -> Error {
    match error {
        ProcessError::Thread { process, .. } => anyhow!("{error}: use {instead}-p {process}"),
        ProcessError::Own(pid) => anyhow!(
            "process {pid} is this capable itself, whose own checks are never shown: name the \
             process that is meant (a shell may replace itself by its last command, so that $$ is \
             the PID of that command)"
        ),
        _ => error.into(),
    }
}

/// Resolves filters.
///
/// # Errors
///
/// If something that was named does not exist, or cannot be filtered by.
pub fn filters(typed: &FilterArgs) -> Result<Expression> {
    let FilterArgs {
        pids,
        tids,
        children,
        users,
        groups,
        comms,
        capabilities,
        granted,
        denied,
        cgroups,
        units,
        user_units,
        containers,
        user_namespaces,
        mount_namespaces,
        pid_namespaces,
    } = typed;
    for (option, values) in [
        ("-c", comms),
        ("--cgroup", cgroups),
        ("--unit", units),
        ("--user-unit", user_units),
        ("--userns", user_namespaces),
        ("--mntns", mount_namespaces),
        ("--pidns", pid_namespaces),
    ] {
        keeps_only(option, values)?;
    }
    for &pid in pids {
        find_process(pid).map_err(|error| process_refused(error, &format!("--tid {pid} or ")))?;
    }
    for &tid in tids {
        thread_exists(tid, pids, *children)?;
    }
    let paths = cgroups.iter().cloned().map(CgroupName::Path);
    let units = units.iter().cloned().map(CgroupName::Unit);
    let containers = containers.iter().cloned().map(CgroupName::Container);
    let user_units = user_units.iter().cloned().map(CgroupName::UserUnit);
    let cgroups: Vec<CgroupName> = paths
        .chain(units)
        .chain(user_units)
        .chain(containers)
        .collect();
    let inodes = |kind, given: &[String]| -> Result<Vec<u32>> {
        let inodes = given.iter().map(|given| namespace_inode(kind, given));
        Ok(inodes.collect::<Result<_, _>>()?)
    };
    let results = [(*granted, Condition::Granted), (*denied, Condition::Denied)];
    let results = results.into_iter().filter(|(asked, _)| *asked);
    let lists = [
        pids.iter().copied().map(Condition::Process).collect(),
        tids.iter().copied().map(Condition::Thread).collect(),
        comms.iter().cloned().map(Condition::Comm).collect(),
        results.map(|(_, result)| result).collect(),
        conditions(cgroups)?,
        inodes(NamespaceKind::User, user_namespaces)?
            .into_iter()
            .map(Condition::UserNamespace)
            .collect(),
        inodes(NamespaceKind::Mount, mount_namespaces)?
            .into_iter()
            .map(Condition::MountNamespace)
            .collect(),
        inodes(NamespaceKind::Pid, pid_namespaces)?
            .into_iter()
            .map(Condition::PidNamespace)
            .collect(),
    ];
    let expression = lists
        .into_iter()
        .filter(|list: &Vec<Condition>| !list.is_empty())
        .map(Expression::any)
        .fold(Expression::everything(), Expression::and);
    let users = accounts_of("-u", users, Accounts::users, Condition::User)?;
    let groups = accounts_of("--gid", groups, Accounts::groups, Condition::Group)?;
    let capabilities = kept_and_dropped("-C", capabilities, |name| {
        Ok(Condition::Capability(name.parse()?))
    })?;
    Ok(expression.and(users).and(groups).and(capabilities))
}

/// Refuses `!` where nothing can be left out, and what stands for nothing.
///
/// # Errors
///
/// A value begins with `!`, or is empty.
pub fn keeps_only(option: &str, values: &[String]) -> Result<()> {
    for value in values {
        match value.strip_prefix('!') {
            Some(name) => bail!(
                "{option} '!{name}': {option} keeps what it names and cannot leave anything out; \
                 what can be left out is a user, a group or a capability, as in -u '!root'"
            ),
            None if value.trim().is_empty() => bail!(
                "{option} {values:?} has an empty value; values are separated by single commas",
                values = values.join(",")
            ),
            None => {}
        }
    }
    Ok(())
}

/// Users or groups, by name or number.
fn accounts_of(
    option: &str,
    typed: &[String],
    known: fn() -> Accounts,
    condition: fn(u32) -> Condition,
) -> Result<Expression> {
    if typed.is_empty() {
        return Ok(Expression::everything());
    }
    let known = known();
    kept_and_dropped(option, typed, |name| Ok(condition(known.resolve(name)?)))
}

/// Any of those to keep, if there are any, and none of those to leave out, which begin with `!`.
fn kept_and_dropped(
    option: &str,
    typed: &[String],
    condition: impl Fn(&str) -> Result<Condition>,
) -> Result<Expression> {
    let (mut kept, mut dropped, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for word in typed {
        match word.strip_prefix('!') {
            Some(name) => dropped.push(condition(name.trim())?),
            None => {
                kept.push(condition(word.trim())?);
                names.push(word.trim());
            }
        }
    }
    if !kept.is_empty() && kept.iter().all(|condition| dropped.contains(condition)) {
        bail!(
            "no check can match {option} {}, which both asks for {names} and leaves it out: use \
             {option} {names} for only these, or {option} '!{}' for all but these",
            typed.join(","),
            names.join(",!"),
            names = names.join(","),
        );
    }
    let mut wanted = Expression::everything();
    if !kept.is_empty() {
        wanted = wanted.and(Expression::any(kept));
    }
    if !dropped.is_empty() {
        wanted = wanted.and(!Expression::any(dropped));
    }
    Ok(wanted)
}

/// A named thread must belong to a named process, if there are any: both filters must match.
fn thread_exists(tid: u32, pids: &[u32], children: bool) -> Result<()> {
    let leader = process_of(tid)?;
    if leader == std::process::id() {
        bail!("thread {tid} is one of this capable itself, whose own checks are never shown");
    }
    if !children && !pids.is_empty() && !pids.contains(&leader) {
        bail!(
            "no check can match both -p {} and --tid {tid}, which is a thread of process {leader}: \
             use --tid {tid} alone, or -p {leader} --tid {tid}",
            pids.iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(",")
        );
    }
    Ok(())
}

/// The conditions that named cgroups stand for. Says what the names of units and containers are.
fn conditions(names: Vec<CgroupName>) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    let found = tell_names(&names)?;
    for (name, found) in names.into_iter().zip(found) {
        conditions.extend(Condition::in_cgroups(name, found));
    }
    Ok(conditions)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Arg, Args as _, Command, FromArgMatches as _};

    use super::*;
    use crate::{context::cgroups::Cgroups, filter::lower, kernel::trace::filters::Filters};

    /// Each filter with values that narrow a trace.
    const FILTERS: [(&str, &[&str]); 15] = [
        ("--pid", &["PID"]),
        ("--tid", &["PID"]),
        ("--user", &["1", "!1"]),
        ("--gid", &["1", "!1"]),
        ("--comm", &["cron"]),
        ("--cap", &["chown", "!chown"]),
        ("--granted", &[]),
        ("--denied", &[]),
        ("--cgroup", &["/no/such/cgroup"]),
        ("--unit", &["no-such.service"]),
        ("--user-unit", &["no-such.service"]),
        ("--container", &["00c0ffee"]),
        ("--userns", &["4026531837"]),
        ("--mntns", &["4026531840"]),
        ("--pidns", &["4026531836"]),
    ];

    #[test]
    fn each_filter_alone_changes_what_is_kept() {
        let command = FilterArgs::augment_args(Command::new("filters"));
        let known = command.get_arguments().filter_map(Arg::get_long);
        // This one only extends --pid.
        let known = known.filter(|&long| long != "children");
        assert_eq!(
            known.collect::<BTreeSet<_>>(),
            FILTERS.iter().map(|(long, _)| &long[2..]).collect()
        );

        let parent = std::os::unix::process::parent_id().to_string();
        for (long, values) in FILTERS {
            let lines = match values {
                [] => vec![long.to_owned()],
                _ => values
                    .iter()
                    .map(|value| format!("{long}={value}"))
                    .collect(),
            };
            for line in lines {
                let words = ["filters".to_owned(), line.replace("PID", &parent)];
                let matches = command.clone().try_get_matches_from(words).unwrap();
                let typed = FilterArgs::from_arg_matches(&matches).unwrap();
                match filters(&typed) {
                    Ok(expression) => {
                        assert_ne!(lower(&expression).unwrap(), Filters::default(), "{line}");
                    }
                    // There may be no such cgroup here, which only the look-up itself finds out.
                    Err(error) => assert!(error.is::<CgroupError>(), "{line}: {error}"),
                }
            }
        }
    }

    fn refused(typed: &FilterArgs) -> String {
        filters(typed).unwrap_err().to_string()
    }

    #[test]
    fn what_no_check_can_match_is_answered_with_what_was_typed_and_what_would_work() {
        let capabilities = |typed: &[&str]| FilterArgs {
            capabilities: typed.iter().map(|&name| name.to_owned()).collect(),
            ..FilterArgs::default()
        };
        assert_eq!(
            refused(&capabilities(&["CAP_CHOWN", "!chown"])),
            "no check can match -C CAP_CHOWN,!chown, which both asks for CAP_CHOWN and leaves it out: use \
             -C CAP_CHOWN for only these, or -C '!CAP_CHOWN' for all but these"
        );
        assert!(filters(&capabilities(&["chown", "kill", "!chown"])).is_ok());
        assert!(filters(&capabilities(&["!kill", "!chown"])).is_ok());

        let parent = std::os::unix::process::parent_id();
        let thread = FilterArgs {
            pids: vec![1],
            tids: vec![parent],
            ..FilterArgs::default()
        };
        assert_eq!(
            refused(&thread),
            format!(
                "no check can match both -p 1 and --tid {parent}, which is a thread of process \
                 {parent}: use --tid {parent} alone, or -p {parent} --tid {parent}"
            )
        );
        let with_children = FilterArgs {
            children: true,
            ..thread
        };
        assert!(filters(&with_children).is_ok());
    }

    #[test]
    fn a_unit_that_is_waited_for_is_told_from_one_that_may_be_misspelt() {
        let typed = |unit: &str| FilterArgs {
            units: vec![unit.to_owned()],
            ..FilterArgs::default()
        };
        if Cgroups::open().is_ok() {
            assert!(filters(&typed("no-such.service")).is_ok());
            let error = refused(&typed("no-such"));
            assert!(error.contains("give its whole name"), "{error}");
            // Waiting for these would never end.
            for never in ["@", "a b.service", "../x.service"] {
                let error = refused(&typed(never));
                assert!(error.contains("no unit can be called"), "{error}");
                assert!(!error.contains("to wait"), "{error}");
            }
        }
    }

    #[test]
    fn what_is_not_there_is_told_from_what_cannot_be() {
        let absent = |typed: &FilterArgs| filters(typed).unwrap_err();
        // Above every number: pid_max is at most 4 Mi (`PID_MAX_LIMIT`, include/linux/threads.h).
        let process = absent(&FilterArgs {
            pids: vec![5_000_000],
            ..FilterArgs::default()
        });
        assert_eq!(
            process.to_string(),
            "there is no process 5000000: list the processes with ps -e"
        );
        let thread = absent(&FilterArgs {
            tids: vec![5_000_000],
            ..FilterArgs::default()
        });
        let namespace = absent(&FilterArgs {
            user_namespaces: vec!["4194304".to_owned()],
            ..FilterArgs::default()
        });
        let unit = absent(&FilterArgs {
            units: vec!["no-such".to_owned()],
            ..FilterArgs::default()
        });
        for error in [process, thread, namespace, unit] {
            let text = error.to_string();
            assert!(!failure_or_usage(error).is::<Usage>(), "{text}");
        }
        let word = absent(&FilterArgs {
            user_namespaces: vec!["mine".to_owned()],
            ..FilterArgs::default()
        });
        assert!(failure_or_usage(word).is::<Usage>());
    }

    /// A glob `!cron` would match only tasks that are called so, and a path only what is not there.
    #[test]
    fn what_cannot_be_left_out_is_refused_as_wrong_usage() {
        let command = FilterArgs::augment_args(Command::new("filters"));
        for (long, values) in FILTERS {
            let takes_exclusions = values.iter().any(|value| value.starts_with('!'));
            // Who follows containers says what may be left out of them.
            if values.is_empty() || takes_exclusions || long == "--container" {
                continue;
            }
            for typed in ["!1", "1,!1", ""] {
                let words = ["filters".to_owned(), format!("{long}={typed}")];
                let error = match command.clone().try_get_matches_from(words) {
                    Err(error) => error.to_string(),
                    Ok(matches) => {
                        let typed = FilterArgs::from_arg_matches(&matches).unwrap();
                        let error = failure_or_usage(filters(&typed).unwrap_err());
                        assert!(error.is::<Usage>(), "{long}: {error}");
                        error.to_string()
                    }
                };
                let reason = if typed.is_empty() { "" } else { "leave" };
                assert!(error.contains(reason), "{long} {typed}: {error}");
            }
        }
    }

    #[test]
    fn a_list_by_comma_is_the_same_as_an_option_for_each() {
        let command = FilterArgs::augment_args(Command::new("filters"));
        let typed = |words: &[&str]| {
            let words = ["filters"].iter().chain(words);
            let matches = command.clone().try_get_matches_from(words).unwrap();
            let typed = FilterArgs::from_arg_matches(&matches).unwrap();
            filters(&typed).map_err(|error| error.to_string())
        };
        for (option, one, other) in [
            ("-c", "nice", "ch*"),
            ("-C", "kill", "chown"),
            ("-u", "0", "1"),
            ("--gid", "0", "1"),
            ("--userns", "4026531837", "4026531838"),
            ("--unit", "a.service", "b.service"),
            ("--user-unit", "a.service", "b.service"),
        ] {
            let list = typed(&[option, &format!("{one},{other}")]);
            assert_eq!(list, typed(&[option, one, option, other]), "{option}");
            // There may be no cgroups here.
            if list.is_ok() {
                assert_ne!(list, typed(&[option, one]), "{option}");
            }
        }
    }

    #[test]
    fn this_process_is_not_traced_by_itself() {
        let own = std::process::id();
        let process = refused(&FilterArgs {
            pids: vec![own],
            ..FilterArgs::default()
        });
        assert!(
            process.starts_with(&format!("process {own} is this capable itself")),
            "{process}"
        );
        let thread = refused(&FilterArgs {
            tids: vec![own],
            ..FilterArgs::default()
        });
        assert!(thread.contains("this capable itself"), "{thread}");
    }
}
