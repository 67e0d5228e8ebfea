//! Finds cgroups of units.

use std::path::Path;

use capable_common::CgroupPlace;

use super::names::{is_slice, is_unit};
use super::path::Own;
use super::{CgroupError, Cgroups, Found, Pattern, files};
use crate::context::nearest::nearest;

impl Cgroups {
    /// The cgroups of a unit of the system manager. A name without a suffix is a service; `name@`
    /// stands for all instances.
    ///
    /// # Errors
    ///
    /// When no unit with this name is running.
    pub fn by_unit(&self, given: &str) -> Result<Vec<Found>, CgroupError> {
        self.by_unit_of(given, Managers::System)
    }

    /// The cgroups of a unit of the managers of users, of each user who runs one with this name.
    ///
    /// # Errors
    ///
    /// When no user runs a unit with this name.
    pub fn by_user_unit(&self, given: &str) -> Result<Vec<Found>, CgroupError> {
        self.by_unit_of(given, Managers::Users)
    }

    fn by_unit_of(&self, given: &str, managers: Managers) -> Result<Vec<Found>, CgroupError> {
        let wanted = UnitName::resolved(given, managers);
        let pattern = wanted.pattern(managers);
        let all = self.all();
        let units = || {
            all.iter()
                .filter_map(|(id, path)| Some((*id, path, Own::of(path)?)))
        };
        let found: Vec<Found> = all
            .iter()
            .filter(|(_, path)| pattern.matches(path))
            .map(|(id, path)| self.found(*id, path))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let asked = |own: &Own<'_>| own.by_user == (managers == Managers::Users);
        let others = wanted.pattern(managers.others());
        let names = units().filter(|(.., own)| asked(own));
        let names = names.map(|(.., own)| own.name);
        Err(CgroupError::NoUnit {
            installed: managers.has_file(&wanted.name),
            nearest: nearest(&wanted.name, names).map(str::to_owned),
            elsewhere: all
                .iter()
                .any(|(_, path)| others.matches(path))
                .then_some(managers.others().option()),
            given: wanted.name,
        })
    }
}

/// Whose units are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Managers {
    /// Those of the system manager.
    System,
    /// Those of the managers of users.
    Users,
}

impl Managers {
    /// Whether there is a unit file for this unit or for its template.
    pub(super) fn has_file(self, unit: &str) -> bool {
        files::own_name(Path::new("/"), self.kind(), unit).is_some()
    }

    /// As directories of unit files name them.
    fn kind(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Users => "user",
        }
    }

    /// Where they keep the cgroups of their units.
    fn place(self) -> CgroupPlace {
        match self {
            Self::System => CgroupPlace::OF_SYSTEM,
            Self::Users => CgroupPlace::OF_USER,
        }
    }

    fn others(self) -> Self {
        match self {
            Self::System => Self::Users,
            Self::Users => Self::System,
        }
    }

    /// The option that looks for their units.
    fn option(self) -> &'static str {
        match self {
            Self::System => "--unit",
            Self::Users => "--user-unit",
        }
    }
}

/// The name of a unit, or of a template for all its instances.
pub struct UnitName {
    /// With its suffix.
    pub name: String,
}

impl UnitName {
    /// A name without a suffix is a service, as for systemctl(1).
    pub fn new(given: &str) -> Self {
        let name = if is_unit(given) || is_slice(given) {
            given.to_owned()
        } else {
            format!("{given}.service")
        };
        Self { name }
    }

    /// The same, and an alias is the unit that its file belongs to.
    pub(super) fn resolved(given: &str, managers: Managers) -> Self {
        let Self { name } = Self::new(given);
        let own = files::own_name(Path::new("/"), managers.kind(), &name);
        Self {
            name: own.unwrap_or(name),
        }
    }

    /// Whether it stands for all instances of a template.
    pub(super) fn is_template(&self) -> bool {
        self.template().is_some()
    }

    /// What the names of the instances begin and end with.
    fn template(&self) -> Option<(&str, &str)> {
        let at = self.name.find("@.")?;
        Some(self.name.split_at(at + 1))
    }

    /// What its cgroups are recognised by, where these managers keep them.
    pub(super) fn pattern(&self, managers: Managers) -> Pattern {
        match self.template() {
            Some((begin, end)) => Pattern::around(begin, end, managers.place()),
            None => Pattern::exact(&self.name, managers.place()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Made, cgroups};
    use super::*;

    #[test]
    fn a_unit_is_found_by_name_and_template_where_its_manager_keeps_it() {
        let Some(cgroups) = cgroups() else { return };
        let own = std::process::id();
        let slice = format!("capable-unit-{own}.slice");
        let place = |name: &str| Made::new(&cgroups, &format!("{slice}/{name}"));
        let unit = format!("capable-unit-{own}");
        let Some(one) = place(&format!("{unit}.service")) else {
            return;
        };
        let two = place(&format!("user@1.service/app.slice/{unit}.service")).unwrap();
        let _not_its_own = place(&format!("other.service/{unit}.service")).unwrap();
        let _containers = place(&format!("docker/{unit}.service")).unwrap();
        let a = place(&format!("{unit}@a.service")).unwrap();
        let ids = |found: Result<Vec<Found>, CgroupError>| {
            let found = found.unwrap();
            found.iter().map(|found| found.id).collect::<Vec<u64>>()
        };
        assert_eq!(ids(cgroups.by_unit(&unit)), [one.id()]);
        assert_eq!(ids(cgroups.by_user_unit(&unit)), [two.id()]);
        let template = format!("{unit}@");
        assert_eq!(
            ids(cgroups.by_unit(&format!("{template}.service"))),
            [a.id()]
        );
        assert_eq!(ids(cgroups.by_unit(&template)), [a.id()]);
        assert_eq!(ids(cgroups.by_unit(&slice)).len(), 1);
        let error = cgroups.by_user_unit(&template).unwrap_err();
        assert!(error.to_string().contains("; --unit finds one"), "{error}");
        let error = cgroups.by_unit(&format!("capable-unti-{own}")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("did you mean \"{unit}.service\"?")),
            "{error}"
        );
    }
}
