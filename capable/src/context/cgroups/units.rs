//! Finds cgroups of units.

use std::path::Path;

use super::names::{is_slice, is_unit};
use super::path::Own;
use super::{CgroupError, Cgroups, Found};
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
        let wanted = UnitName::new(given);
        let all = self.all();
        let units = || {
            all.iter()
                .filter_map(|(id, path)| Some((*id, path, Own::of(path)?)))
        };
        let asked = |own: &Own<'_>| own.by_user == (managers == Managers::Users);
        let found: Vec<Found> = units()
            .filter(|(.., own)| asked(own) && wanted.matches(own.name))
            .map(|(id, path, _)| self.found(id, path))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let names = units().filter(|(.., own)| asked(own));
        let names = names.map(|(.., own)| own.name);
        Err(CgroupError::NoUnit {
            installed: managers.has_file(&wanted.name),
            nearest: nearest(&wanted.name, names).map(str::to_owned),
            elsewhere: units()
                .any(|(.., own)| !asked(&own) && wanted.matches(own.name))
                .then_some(managers.other_option()),
            given: wanted.name,
        })
    }
}

/// Whose units are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Managers {
    /// Those of the system manager.
    System,
    /// Those of the managers of users.
    Users,
}

impl Managers {
    /// Whether there is a unit file for this unit or for its template (systemd.unit(5)). Those in
    /// home directories are not looked for.
    fn has_file(self, unit: &str) -> bool {
        if unit.contains('/') {
            return false;
        }
        let template = unit.split_once('@').and_then(|(stem, instance)| {
            let (_, suffix) = instance.rsplit_once('.')?;
            Some(format!("{stem}@.{suffix}"))
        });
        let kind = match self {
            Self::System => "system",
            Self::Users => "user",
        };
        [
            "/etc/systemd",
            "/run/systemd",
            "/usr/lib/systemd",
            "/lib/systemd",
        ]
        .iter()
        .map(|place| Path::new(place).join(kind))
        .any(|place| {
            place.join(unit).exists()
                || template
                    .as_ref()
                    .is_some_and(|unit| place.join(unit).exists())
        })
    }

    /// The option that looks for the units of the others.
    fn other_option(self) -> &'static str {
        match self {
            Self::System => "--user-unit",
            Self::Users => "--unit",
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

    fn matches(&self, unit: &str) -> bool {
        let instance = self.name.split_once("@.").is_some_and(|(stem, suffix)| {
            let rest = unit.strip_prefix(stem);
            let rest = rest.and_then(|rest| rest.strip_prefix('@'));
            let rest = rest.and_then(|rest| rest.strip_suffix(suffix));
            rest.is_some_and(|rest| rest.ends_with('.'))
        });
        unit == self.name || instance
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
        assert!(error.to_string().ends_with("; --unit finds one"), "{error}");
        let error = cgroups.by_unit(&format!("capable-unti-{own}")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("did you mean \"{unit}.service\"?")),
            "{error}"
        );
    }
}
