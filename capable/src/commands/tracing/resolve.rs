//! From filters as typed to one expression: names become numbers, and what does not exist is an
//! error that says what does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use super::args::FilterArgs;
use crate::{
    context::{
        accounts::Accounts,
        cgroups::{Cgroups, Found},
        namespaces::{NamespaceKind, namespace_inode},
    },
    filter::{Condition, Expression},
    inspect::process::is_kernel_thread,
};

/// Resolves filters.
///
/// # Errors
///
/// Something that was named does not exist, or cannot be filtered by.
pub fn filters(typed: &FilterArgs) -> Result<Expression> {
    let FilterArgs {
        pids,
        tids,
        children: _,
        users,
        comms,
        capabilities,
        granted,
        denied,
        cgroups,
        units,
        containers,
        user_namespaces,
        mount_namespaces,
        pid_namespaces,
    } = typed;
    for &pid in pids {
        process_exists(pid)?;
    }
    for &tid in tids {
        if !Path::new(&format!("/proc/{tid}")).exists() {
            bail!("there is no thread {tid}{}", nearest_processes(tid));
        }
    }
    let known = if users.is_empty() {
        None
    } else {
        Some(Accounts::users())
    };
    let users = users
        .iter()
        .filter_map(|user| known.as_ref().map(|known| known.resolve(user)))
        .collect::<Result<Vec<u32>, _>>()?;
    let inodes = |kind, given: &[String]| -> Result<Vec<u32>> {
        let inodes = given.iter().map(|given| namespace_inode(kind, given));
        Ok(inodes.collect::<Result<_, _>>()?)
    };
    let results = [(*granted, Condition::Granted), (*denied, Condition::Denied)];
    let results = results.into_iter().filter(|(asked, _)| *asked);
    let lists = [
        pids.iter().copied().map(Condition::Process).collect(),
        tids.iter().copied().map(Condition::Thread).collect(),
        users.into_iter().map(Condition::User).collect(),
        comms.iter().cloned().map(Condition::Comm).collect(),
        results.map(|(_, result)| result).collect(),
        cgroups_of(cgroups, units, containers)?
            .into_iter()
            .map(Condition::Cgroup)
            .collect(),
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
    Ok(expression.and(capabilities_of(capabilities)?))
}

/// One of those to keep, where some are named, and none of those to leave out.
fn capabilities_of(typed: &[String]) -> Result<Expression> {
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    for name in typed {
        match name.strip_prefix('!') {
            Some(name) => dropped.push(Condition::Capability(name.trim().parse()?)),
            None => kept.push(Condition::Capability(name.trim().parse()?)),
        }
    }
    let without = !Expression::any(dropped);
    Ok(if kept.is_empty() {
        without
    } else {
        Expression::any(kept).and(without)
    })
}

/// The directories of the cgroups that were named.
fn cgroups_of(paths: &[String], units: &[String], containers: &[String]) -> Result<Vec<PathBuf>> {
    if paths.is_empty() && units.is_empty() && containers.is_empty() {
        return Ok(Vec::new());
    }
    let known = Cgroups::open()?;
    let mut found: Vec<Found> = Vec::new();
    for path in paths {
        found.push(known.by_path(path)?);
    }
    for unit in units {
        found.extend(known.by_unit(unit)?);
    }
    for container in containers {
        found.extend(known.by_container(container)?);
    }
    Ok(found.into_iter().map(|found| found.directory).collect())
}

/// A process that is not there cannot be traced; one that is near may have been meant.
fn process_exists(pid: u32) -> Result<()> {
    let status = match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => status,
        Err(_) => bail!("there is no process {pid}{}", nearest_processes(pid)),
    };
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse::<u32>().ok())
    };
    match field("Tgid:") {
        Some(leader) if leader != pid => {
            bail!("{pid} is a thread of process {leader}: use --tid {pid} or -p {leader}")
        }
        _ => Ok(()),
    }
}

/// The processes whose numbers are next to one that does not exist. Kernel threads and this
/// process are not what anyone means.
fn nearest_processes(pid: u32) -> String {
    let Ok(entries) = fs::read_dir("/proc") else {
        return String::new();
    };
    let mut pids: Vec<u32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&other| other != std::process::id())
        .collect();
    pids.sort_by_key(|other| other.abs_diff(pid));
    let named: Vec<String> = pids
        .iter()
        .filter(|pid| !is_kernel_thread(Path::new(&format!("/proc/{pid}"))))
        .take(2)
        .filter_map(|pid| {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            Some(format!(
                "{pid} ({})",
                crate::escape::printable(comm.trim_end().as_bytes())
            ))
        })
        .collect();
    if named.is_empty() {
        String::new()
    } else {
        format!("; the nearest are {}", named.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_not_there_is_answered_with_the_nearest_that_may_be_meant() {
        // Kernel threads have the lowest numbers on every machine that shows them.
        let threads = (1..200).filter(|pid| is_kernel_thread(Path::new(&format!("/proc/{pid}"))));
        let message = process_exists(0).unwrap_err().to_string();
        let (_, nearest) = message
            .split_once("there is no process 0; the nearest are ")
            .unwrap_or_else(|| panic!("{message}"));
        for thread in threads {
            for named in nearest.split(" and ") {
                assert!(!named.starts_with(&format!("{thread} (")), "{message}");
            }
        }
    }
}
