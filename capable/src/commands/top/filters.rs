//! The filters in force, as a line: what was typed, in the words of the options.

use crate::{commands::tracing::FilterArgs, escape::printable};

/// The line.
pub fn line(filter: &FilterArgs, verbose: bool) -> String {
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
        containers,
        user_namespaces,
        mount_namespaces,
        pid_namespaces,
    } = filter;
    let mut parts = Vec::new();
    let mut add = |option: &str, values: &[String]| {
        parts.extend(
            values
                .iter()
                .map(|value| format!("{option} {}", printable(value.as_bytes()))),
        );
    };
    let numbers = |numbers: &[u32]| -> Vec<String> { numbers.iter().map(u32::to_string).collect() };
    add("-p", &numbers(pids));
    add("--tid", &numbers(tids));
    add("-u", users);
    add("--gid", groups);
    add("-c", comms);
    add("-C", capabilities);
    add("--cgroup", cgroups);
    add("--unit", units);
    add("--container", containers);
    add("--userns", user_namespaces);
    add("--mntns", mount_namespaces);
    add("--pidns", pid_namespaces);
    for (set, option) in [
        (children, "--children"),
        (granted, "--granted"),
        (denied, "--denied"),
    ] {
        if *set {
            parts.push(option.to_owned());
        }
    }
    let audit = if verbose {
        "all checks"
    } else {
        "audited checks only (-v: all)"
    };
    if parts.is_empty() {
        audit.to_owned()
    } else {
        format!("{audit}; filters: {}", parts.join(" "))
    }
}
