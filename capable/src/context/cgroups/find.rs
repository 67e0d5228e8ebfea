//! Finds cgroups by path, unit or container.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::path::{Own, is_slice, is_unit};
use super::{Cgroup, CgroupError, Cgroups, Container};
use crate::context::nearest::nearest;

/// What a user calls a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CgroupName {
    /// A path: see [`Cgroups::by_path`].
    Path(String),
    /// A unit of the system's manager: see [`Cgroups::by_unit`].
    Unit(String),
    /// A unit of users' managers: see [`Cgroups::by_user_unit`].
    UserUnit(String),
    /// A container: see [`Cgroups::by_container`].
    Container(String),
}

/// A cgroup to trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: u64,
    /// Its directory in the mounted hierarchy.
    pub directory: PathBuf,
    /// Its path, from the root of the hierarchy.
    pub path: String,
}

impl Cgroups {
    /// The cgroups with this name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn find(&self, name: &CgroupName) -> Result<Vec<Found>, CgroupError> {
        match name {
            CgroupName::Path(path) => Ok(vec![self.by_path(path)?]),
            CgroupName::Unit(unit) => self.by_unit(unit),
            CgroupName::UserUnit(unit) => self.by_user_unit(unit),
            CgroupName::Container(id) => self.by_container(id),
        }
    }

    /// The processes in a cgroup and below it, as this program's pid namespace numbers them.
    /// Cgroups that cannot be read are left out.
    pub fn processes(&self, found: &Found) -> Vec<u32> {
        let mut processes = Vec::new();
        let mut directories = vec![self.tree.directory(&found.path)];
        while let Some(directory) = directories.pop() {
            let listed = std::fs::read_to_string(directory.join("cgroup.procs"));
            let listed = listed.unwrap_or_default();
            // A process outside of the pid namespace is listed as 0.
            let pids = listed.lines().filter_map(|line| line.parse().ok());
            processes.extend(pids.filter(|&pid: &u32| pid != 0));
            let entries = std::fs::read_dir(&directory).into_iter().flatten();
            directories.extend(
                entries
                    .flatten()
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                    .map(|entry| entry.path()),
            );
        }
        processes
    }

    /// The cgroup with this path, which begins at the root of the hierarchy (with or without a
    /// leading slash) or with the mount point.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn by_path(&self, given: &str) -> Result<Found, CgroupError> {
        let asked = Path::new(given);
        let path = self.tree.inside(asked).unwrap_or_else(|| given.to_owned());
        // `..` would lead out of the hierarchy.
        let directory = self.tree.directory(&path);
        let inside = directory.canonicalize().ok();
        let inside = inside.and_then(|directory| self.tree.inside(&directory));
        let data = directory.metadata().ok().filter(std::fs::Metadata::is_dir);
        match (inside, data) {
            (Some(path), Some(data)) => Ok(self.found(data.ino(), &path)),
            _ => {
                let wanted = format!("/{}", path.trim_matches('/'));
                let paths = self.all();
                let paths = paths.iter().map(|(_, path)| path.as_str());
                Err(CgroupError::NoPath {
                    given: given.to_owned(),
                    mount: self.tree.mount().to_owned(),
                    nearest: nearest(&wanted, paths).map(str::to_owned),
                })
            }
        }
    }

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

    /// The cgroups of the container whose id begins with this or, if the runtime uses names, that
    /// has this name. Those that the manager of a user made are taken only if there is no other, or
    /// if that manager is given too: `user@1000.service/ID`.
    ///
    /// # Errors
    ///
    /// When there is none, or more than one.
    pub fn by_container(&self, given: &str) -> Result<Vec<Found>, CgroupError> {
        let mut running: Vec<(Container, String, Found)> = Vec::new();
        for (id, path) in self.all() {
            let depth = path.split('/').filter(|name| !name.is_empty()).count();
            // Its own cgroup, not those below it.
            if let Some(container) = Cgroup::from_path(&path).container
                && container.depth == depth
            {
                let runtime = container
                    .runtime
                    .map_or("runtime unknown", |runtime| runtime.name());
                let shown = format!("{} ({runtime})", container.short_id());
                running.push((container, shown, self.found(id, &path)));
            }
        }
        let shown = |matching: &dyn Fn(&Container) -> bool| {
            let matching = running.iter().filter(|(one, ..)| matching(one));
            let mut shown: Vec<String> = matching.map(|(_, shown, _)| shown.clone()).collect();
            shown.sort();
            shown.dedup();
            shown
        };
        let any = |matching: &dyn Fn(&Container) -> bool| {
            running.iter().any(|(container, ..)| matching(container))
        };
        let whole = |container: &Container| container.id == given;
        let begins = |container: &Container| !given.is_empty() && container.id.starts_with(given);
        let name = |container: &Container| container.bare_id() == given;
        let beginning =
            |container: &Container| !given.is_empty() && container.bare_id().starts_with(given);
        let ways: [&dyn Fn(&Container) -> bool; 4] = [&whole, &begins, &name, &beginning];
        let matches = ways
            .into_iter()
            .find(|matches| any(matches))
            .unwrap_or(&whole);
        let candidates = shown(matches);
        match candidates.len() {
            1 => Ok(running
                .iter()
                .filter(|(container, ..)| matches(container))
                .map(|(.., found)| found.clone())
                .collect()),
            0 => {
                let mut known = shown(&|_| true);
                known.truncate(10);
                Err(CgroupError::NoContainer {
                    given: given.to_owned(),
                    known,
                })
            }
            _ => Err(CgroupError::AmbiguousContainer {
                given: given.to_owned(),
                candidates,
            }),
        }
    }

    fn all(&self) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        self.tree.walk(|id, path| all.push((id, path.to_owned())));
        all
    }

    fn found(&self, id: u64, path: &str) -> Found {
        Found {
            id,
            directory: self.tree.directory(path),
            path: path.to_owned(),
        }
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
struct UnitName {
    /// With its suffix.
    name: String,
}

impl UnitName {
    /// A name without a suffix is a service.
    fn new(given: &str) -> Self {
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
    use super::super::tests::Made;
    use super::*;

    const ID: &str = "ab12f0e4c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";

    fn cgroups() -> Option<Cgroups> {
        Cgroups::open()
            .inspect_err(|error| eprintln!("{error}: not tested"))
            .ok()
    }

    #[test]
    fn a_path_is_found_in_every_form() {
        let Some(cgroups) = cgroups() else { return };
        let name = format!("capable-path-{}.slice", std::process::id());
        let Some(made) = Made::new(&cgroups, &format!("{name}/inner")) else {
            return;
        };
        let mount = cgroups.tree.mount().display();
        for given in [
            format!("/{name}/inner"),
            format!("{name}/inner/"),
            format!("{mount}/{name}/inner"),
        ] {
            let found = cgroups.by_path(&given).unwrap();
            assert_eq!(found.id, made.id(), "{given}");
            assert_eq!(found.path, format!("/{name}/inner"));
            assert!(found.directory.is_dir());
        }
        let error = cgroups.by_path(&format!("/{name}/iner")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("did you mean \"/{name}/inner\"?")),
            "{error}"
        );
        assert!(cgroups.by_path("../..").is_err());
        assert!(
            cgroups.by_path("/cgroup.procs").is_err(),
            "a file is no cgroup"
        );
        assert_eq!(cgroups.by_path("/").unwrap().id, cgroups.tree.root_id());
    }

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

    #[test]
    fn a_container_is_found_by_the_beginning_of_its_id() {
        let Some(cgroups) = cgroups() else { return };
        let slice = format!("capable-container-{}.slice", std::process::id());
        let other = ID.replace("f0e4", "f0e5");
        let Some(made) = Made::new(&cgroups, &format!("{slice}/docker-{ID}.scope/inner")) else {
            return;
        };
        let _other = Made::new(&cgroups, &format!("{slice}/libpod-{other}.scope")).unwrap();
        let found = cgroups.by_container("ab12f0e4").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, format!("/{slice}/docker-{ID}.scope"));
        assert_ne!(found[0].id, made.id(), "the container, not what is in it");
        assert_eq!(cgroups.by_container(ID).unwrap(), found);
        let error = cgroups.by_container("ab12").unwrap_err().to_string();
        assert!(
            error.contains("ab12f0e4c0a2 (docker), ab12f0e5c0a2 (podman)"),
            "{error}"
        );
        let theirs = format!("{slice}/user@1.service/docker-{ID}.scope");
        let theirs = Made::new(&cgroups, &theirs).unwrap();
        assert_eq!(
            cgroups.by_container(ID).unwrap(),
            found,
            "not what a user calls so"
        );
        let given = format!("user@1.service/{ID}");
        assert_eq!(cgroups.by_container(&given).unwrap()[0].id, theirs.id());
        let error = cgroups.by_container("web").unwrap_err().to_string();
        assert!(error.contains("ab12f0e4c0a2 (docker)"), "{error}");
    }
}
