//! Why a cgroup cannot be found.

use std::io;
use std::path::PathBuf;

use super::names::can_be_a_unit;

/// Why a cgroup cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// No version 2 hierarchy is mounted.
    #[error(
        "no cgroup version 2 hierarchy is mounted, so cgroups, units and containers cannot be \
         found; mount one, for example: mkdir /run/cgroup2 && mount -t cgroup2 none /run/cgroup2"
    )]
    NoHierarchy,
    /// What is mounted cannot be read.
    #[error("cannot read /proc/self/mountinfo: {0}; is /proc mounted?")]
    NoProc(io::Error),
    /// A file or directory cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// No cgroup has this path.
    #[error("there is no cgroup {given:?} below {}{}", mount.display(), or_nearest(.nearest.as_deref()))]
    NoPath {
        /// What was given.
        given: String,
        /// The mount point of the hierarchy.
        mount: PathBuf,
        /// The most similar path.
        nearest: Option<String>,
    },
    /// No unit with this name is running.
    #[error(
        "{}{}{}",
        no_unit(given, *installed),
        elsewhere.map_or_else(|| or_nearest(.nearest.as_deref()), |option| format!("; {option} finds one")),
        or_whole(given, *installed)
    )]
    NoUnit {
        /// What was given, with its suffix.
        given: String,
        /// Whether systemd has a unit file for it.
        installed: bool,
        /// The running unit with the most similar name.
        nearest: Option<String>,
        /// The option that finds a unit of this name, of other managers.
        elsewhere: Option<&'static str>,
    },
    /// No container has this name, or an id that begins with this.
    #[error(
        "no running container is called {given:?} or has an id that begins with it{}",
        or_known(known)
    )]
    NoContainer {
        /// What was given.
        given: String,
        /// The running containers, each with its short id, its runtime and its name.
        known: Vec<String>,
    },
    /// Several containers have this name, or ids that begin with this.
    #[error("more than one running container is called {given:?} or has an id that begins with it; \
     give one of these ids: {}", candidates.join(", "))]
    AmbiguousContainer {
        /// What was given.
        given: String,
        /// Those containers, each with its short id, its runtime and its name.
        candidates: Vec<String>,
    },
}

fn or_nearest(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

fn no_unit(given: &str, installed: bool) -> String {
    if installed {
        format!("unit {given:?} is not running, so it has no cgroup to trace; start it first")
    } else if !can_be_a_unit(given) {
        format!("no unit can be called {given:?}: give a name that systemctl list-units shows")
    } else {
        format!("no unit {given:?} is running, and systemd has no unit file of that name")
    }
}

/// How one without a file, such as systemd-run(1) makes, can be waited for.
fn or_whole(given: &str, installed: bool) -> String {
    if installed || !can_be_a_unit(given) {
        String::new()
    } else {
        format!("; to wait for one all the same, give its whole name: {given}")
    }
}

fn or_known(known: &[String]) -> String {
    if known.is_empty() {
        ": none is running".to_owned()
    } else {
        format!("; these are running: {}", known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_is_stopped_is_told_from_one_that_is_misspelt() {
        let no_unit = |installed, nearest: Option<&str>| {
            let error = CgroupError::NoUnit {
                given: "ngimx.service".to_owned(),
                installed,
                nearest: nearest.map(str::to_owned),
                elsewhere: None,
            };
            error.to_string()
        };
        assert_eq!(
            no_unit(true, None),
            "unit \"ngimx.service\" is not running, so it has no cgroup to trace; start it first"
        );
        assert_eq!(
            no_unit(false, Some("nginx.service")),
            "no unit \"ngimx.service\" is running, and systemd has no unit file of that name; did \
             you mean \"nginx.service\"?; to wait for one all the same, give its whole name: \
             ngimx.service"
        );
    }
}
