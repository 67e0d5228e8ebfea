//! Finds the unit and the container of a cgroup from its path.
//!
//! Only the path is needed, so this works for processes and cgroups that no longer exist. A path
//! proves who made a cgroup as far as only root may make one: in the slices of the system manager.
//! Below a unit, whoever it belongs to names cgroups at will. What the manager of a user says is
//! therefore only ever told with that manager's unit before it, and what others say is no unit, and a
//! container only with the unit before it.

use super::container::{Container, container};
use super::names::{is_slice, is_unit, unescape_cgroup};

/// A cgroup of the version 2 hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// Its path from the root of the hierarchy, with a leading slash.
    pub path: String,
    /// The unit of the system manager: the service, scope or other unit in its slices, or the slice
    /// if there is no other unit.
    pub unit: Option<String>,
    /// The unit of a user's manager inside `unit`, with that before it:
    /// `user@1000.service/foo.service`.
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
        let (slice, unit, below) = managed(&components);
        let manager = unit.filter(|name| is_user_manager(name));
        let nested = manager.and_then(|manager| {
            let (_, unit, _) = managed(below);
            Some(format!("{manager}/{}", unit?))
        });
        let at = unit.map(|_| components.len() - below.len() - 1);
        Self {
            path: path.to_owned(),
            unit: unit.or(slice).map(str::to_owned),
            nested_unit: nested,
            slice: slice.map(str::to_owned),
            container: container(&components, at),
        }
    }

    /// The innermost unit, whose settings apply to the process.
    pub fn innermost_unit(&self) -> Option<&str> {
        self.nested_unit.as_deref().or(self.unit.as_deref())
    }
}

/// A cgroup that is the one of a unit, and not below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Own<'a> {
    /// The unit.
    pub name: &'a str,
    /// Whether the manager of a user runs it.
    pub by_user: bool,
}

impl<'a> Own<'a> {
    /// Of a path; `None` if it is not the cgroup of a unit.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let components: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let (slice, unit, mut below) = managed(&components);
        let by_user = unit.is_some_and(is_user_manager) && !below.is_empty();
        let (slice, unit) = if by_user {
            let inner = managed(below);
            below = inner.2;
            (inner.0, inner.1)
        } else {
            (slice, unit)
        };
        let name = unit.or(slice).filter(|_| below.is_empty())?;
        Some(Self { name, by_user })
    }
}

/// The innermost of the slices that a manager's path begins with, the unit in it, and the rest.
fn managed<'a, 'b>(components: &'b [&'a str]) -> (Option<&'a str>, Option<&'a str>, &'b [&'a str]) {
    let slices = components
        .iter()
        .take_while(|name| is_slice(unescape_cgroup(name)))
        .count();
    let slice = slices.checked_sub(1).map(|last| components[last]);
    let unit = components
        .get(slices)
        .map(|name| unescape_cgroup(name))
        .filter(|name| is_unit(name));
    let below = &components[slices + usize::from(unit.is_some())..];
    (slice.map(unescape_cgroup), unit, below)
}

/// `user@UID.service`, the manager of a user (user@.service(5)). A uid has at most ten digits.
pub(super) fn is_user_manager(unit: &str) -> bool {
    let user = unit.strip_prefix("user@");
    let user = user.and_then(|rest| rest.strip_suffix(".service"));
    user.is_some_and(|user| {
        (1..=10).contains(&user.len()) && user.bytes().all(|byte| byte.is_ascii_digit())
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
                [
                    "user@1000.service",
                    "user@1000.service/foo.service",
                    "user-1000.slice",
                ],
            ),
            (
                "/system.slice/evil.service/system.slice/ssh.service",
                ["evil.service", "-", "system.slice"],
            ),
            ("/docker/x/system.slice/ssh.service", ["-", "-", "-"]),
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

    #[test]
    fn what_a_user_calls_a_container_is_told_as_that_users() {
        let id = "ab12f0e4c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";
        let cgroup = Cgroup::from_path(&format!(
            "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{id}.scope"
        ));
        let container = cgroup.container.unwrap();
        assert_eq!(container.id, format!("user@1000.service/{id}"));
        assert_eq!(container.short_id(), "user@1000.service/ab12f0e4c0a2");
    }

    #[test]
    fn a_cgroup_is_that_of_a_unit_only_where_its_manager_puts_it() {
        let user = "/user.slice/user-1000.slice/user@1000.service";
        let own = |path: &str| Own::of(path).map(|own| (own.name.to_owned(), own.by_user));
        for (path, name, by_user) in [
            ("/system.slice/ssh.service", "ssh.service", false),
            ("/system.slice", "system.slice", false),
            ("/init.scope", "init.scope", false),
            (user, "user@1000.service", false),
            (&format!("{user}/app.slice/a.service"), "a.service", true),
            (&format!("{user}/app.slice"), "app.slice", true),
        ] {
            assert_eq!(own(path), Some((name.to_owned(), by_user)), "{path}");
        }
        for path in [
            "/",
            "/system.slice/ssh.service/ssh.service",
            "/docker/ssh.service",
            &format!("{user}/app.slice/a.service/b.service"),
        ] {
            assert_eq!(own(path), None, "{path}");
        }
    }
}
