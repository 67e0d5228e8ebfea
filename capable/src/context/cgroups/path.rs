//! Finds the unit and the container of a cgroup from its path.
//!
//! Only the path is needed, so this works for processes and cgroups that no longer exist.

use super::container::{Container, container};

/// A cgroup of the version 2 hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// Its path from the root of the hierarchy, with a leading slash.
    pub path: String,
    /// The unit of the system manager: the outermost service, scope or other unit that is not a
    /// slice, or the slice if there is no other unit.
    pub unit: Option<String>,
    /// The unit of a manager inside `unit`: a user manager, or systemd in a container.
    pub nested_unit: Option<String>,
    /// The slice around `unit`.
    pub slice: Option<String>,
    /// The innermost container.
    pub container: Option<Container>,
}

impl Cgroup {
    /// Parses a path.
    pub fn from_path(path: &str) -> Self {
        let components: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let names = components.iter().map(|name| unescape_cgroup(name));
        let mut slices: Vec<&str> = Vec::new();
        let mut units: Vec<&str> = Vec::new();
        for name in names {
            if is_slice(name) {
                if units.is_empty() {
                    slices.push(name);
                }
            } else if is_unit(name) {
                units.push(name);
            }
        }
        let slice = slices.last();
        let unit = units.first().or(slice);
        let nested = units.get(1..).and_then(<[_]>::last);
        Self {
            path: path.to_owned(),
            unit: unit.map(|&name| name.to_owned()),
            nested_unit: nested.map(|&name| name.to_owned()),
            slice: slice.map(|&name| name.to_owned()),
            container: container(&components),
        }
    }

    /// The innermost unit, whose settings apply to the process.
    pub fn innermost_unit(&self) -> Option<&str> {
        self.nested_unit.as_deref().or(self.unit.as_deref())
    }
}

/// systemd prefixes an underscore to names that could collide with the kernel's own files
/// (`cg_escape`, src/basic/cgroup-util.c).
pub(super) fn unescape_cgroup(name: &str) -> &str {
    name.strip_prefix('_').unwrap_or(name)
}

fn is_slice(name: &str) -> bool {
    name.strip_suffix(".slice")
        .is_some_and(|stem| !stem.is_empty() && !stem.contains(':'))
}

/// The units, other than slices, that have a cgroup (systemd.unit(5)).
pub(super) fn is_unit(name: &str) -> bool {
    [".service", ".scope", ".socket", ".mount", ".swap"]
        .iter()
        .any(|suffix| {
            name.strip_suffix(suffix)
                .is_some_and(|stem| !stem.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(path: &str) -> (Option<String>, Option<String>, Option<String>) {
        let cgroup = Cgroup::from_path(path);
        (cgroup.unit, cgroup.nested_unit, cgroup.slice)
    }

    fn named(names: [&str; 3]) -> (Option<String>, Option<String>, Option<String>) {
        let [unit, nested, slice] = names.map(|name| (name != "-").then(|| name.to_owned()));
        (unit, nested, slice)
    }

    #[test]
    fn units_and_slices_are_read_from_the_path() {
        for (path, expected) in [
            ("/", ["-", "-", "-"]),
            ("/init.scope", ["init.scope", "-", "-"]),
            (
                "/system.slice/ssh.service",
                ["ssh.service", "-", "system.slice"],
            ),
            (
                "/system.slice/system-getty.slice/getty@tty1.service",
                ["getty@tty1.service", "-", "system-getty.slice"],
            ),
            (
                "/system.slice/nginx.service/worker",
                ["nginx.service", "-", "system.slice"],
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
                ["user@1000.service", "foo.service", "user-1000.slice"],
            ),
            (
                "/user.slice/user-1000.slice/session-2.scope",
                ["session-2.scope", "-", "user-1000.slice"],
            ),
            (
                "/user.slice/user-1000.slice",
                ["user-1000.slice", "-", "user-1000.slice"],
            ),
            (
                "/system.slice/_cgroup.service",
                ["cgroup.service", "-", "system.slice"],
            ),
            ("/docker/x", ["-", "-", "-"]),
            ("/.service", ["-", "-", "-"]),
        ] {
            assert_eq!(units(path), named(expected), "{path}");
        }
    }
}
