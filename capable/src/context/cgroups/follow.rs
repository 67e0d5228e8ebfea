//! Cgroups that are kept by a name, those that are made later included.

use std::path::{Path, PathBuf};

use super::awaited;
use super::engines::Engines;
use super::identify::identified;
use super::names::can_be_a_unit;
use super::units::{Managers, UnitName};
use super::{CgroupError, CgroupName, Cgroups, Container, Found, Pattern};

impl CgroupName {
    /// The name that cgroups have: an alias of a unit becomes the unit's own name.
    pub fn resolved(self) -> Self {
        match self {
            Self::Unit(given) => Self::Unit(UnitName::resolved(&given, Managers::System).name),
            Self::UserUnit(given) => {
                Self::UserUnit(UnitName::resolved(&given, Managers::Users).name)
            }
            other => other,
        }
    }

    /// What the cgroups to come that have this name are recognised by; `None` if only those that
    /// exist can have it.
    pub(crate) fn patterns(&self) -> Option<Vec<Pattern>> {
        match self {
            Self::Unit(unit) => Some(vec![UnitName::new(unit).pattern(Managers::System)]),
            Self::UserUnit(unit) => Some(vec![UnitName::new(unit).pattern(Managers::Users)]),
            Self::Container(name) => Some(awaited::patterns(name)),
            Self::Path(_) => None,
        }
    }

    /// Whether there can be several cgroups of this name at once.
    pub(crate) fn is_of_several(&self) -> bool {
        match self {
            Self::Unit(unit) => UnitName::new(unit).is_template(),
            Self::UserUnit(_) => true,
            Self::Path(_) | Self::Container(_) => false,
        }
    }
}

impl CgroupName {
    /// The name by which cgroups are followed if these have it now; `None` if it stands for these
    /// alone, because it is a path, or because others than root can call cgroups so.
    pub(crate) fn followed(self, found: &[Found]) -> Option<Self> {
        match self.resolved() {
            Self::Container(given) => {
                let found = containers(found);
                // Whether nothing around them lets others than root make them.
                let of_root = found.iter().all(|one| !one.is_behind());
                (is_name(&given) && of_root).then(|| Self::Container(whole(given, found)))
            }
            Self::Path(_) => None,
            unit => Some(unit),
        }
    }
}

impl Cgroups {
    /// The cgroups with this name; none if there is none yet and it can be waited for. A unit can
    /// be that is installed, or that is given with its suffix: it may be one without a file.
    ///
    /// # Errors
    ///
    /// When there is none, and it cannot be waited for.
    pub fn find_or_await(&self, name: &CgroupName) -> Result<Vec<Found>, CgroupError> {
        match self.find(name) {
            Err(CgroupError::NoUnit {
                ref given,
                installed,
                ..
            }) if installed || (name.is_whole(given) && can_be_a_unit(given)) => Ok(Vec::new()),
            // Nobody but root makes what can be waited for.
            Err(CgroupError::NoContainer { ref given, .. }) if is_name(given) => Ok(Vec::new()),
            found => found,
        }
    }

    /// The directory of the cgroup with this path.
    pub(crate) fn directory(&self, path: &str) -> PathBuf {
        self.tree.directory(path)
    }

    /// The path of the cgroup with this directory.
    #[cfg(test)]
    pub(crate) fn inside(&self, directory: &Path) -> Option<String> {
        self.tree.inside(directory)
    }

    /// Calls `each` with the id and the path of every cgroup, parents before their children. What
    /// is in a cgroup is read only after that.
    pub(crate) fn walk(&self, each: impl FnMut(u64, &str)) {
        self.tree.walk(each);
    }
}

impl CgroupName {
    /// Whether there is a file of this unit.
    #[cfg(feature = "cli")]
    pub(crate) fn is_installed(&self) -> bool {
        match self {
            Self::Unit(unit) => Managers::System.has_file(&UnitName::new(unit).name),
            Self::UserUnit(unit) => Managers::Users.has_file(&UnitName::new(unit).name),
            Self::Path(_) | Self::Container(_) => false,
        }
    }

    /// Whether a unit was given by its whole name.
    fn is_whole(&self, unit: &str) -> bool {
        matches!(self, Self::Unit(given) | Self::UserUnit(given) if given == unit)
    }
}

/// Whether an engine lets a container be called so (`RestrictedNameChars` in daemon/names/names.go of
/// Docker, `validateID` in libcontainer/factory_linux.go of runc).
fn is_name(given: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-+".contains(&byte);
    given.starts_with(|first: char| first.is_ascii_alphanumeric()) && given.bytes().all(is_of_name)
}

/// The containers that these cgroups are.
fn containers(found: &[Found]) -> Vec<Container> {
    let mut engines = Engines::below(Path::new("/"));
    engines.refresh();
    let found = found.iter();
    let containers = found.filter_map(|found| identified(&engines, &found.path).container);
    containers.collect()
}

/// The whole id, where its beginning was given.
fn whole(given: String, found: Vec<Container>) -> String {
    let mut found = found.into_iter();
    let first = found.find(|one| one.has_digits() && one.id.starts_with(&given));
    first.map_or(given, |one| one.id)
}
