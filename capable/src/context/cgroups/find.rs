//! Finds cgroups by path, unit or container.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::path::{is_unit, unescape_cgroup};
use super::{Cgroup, CgroupError, Cgroups};
use crate::context::nearest::nearest;

/// What a user calls a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CgroupName {
    /// A path: see [`Cgroups::by_path`].
    Path(String),
    /// A systemd unit: see [`Cgroups::by_unit`].
    Unit(String),
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

    /// The cgroups of a unit of the system manager, of a user manager, or of systemd inside a
    /// container. A name without a suffix is a service; `name@` stands for all instances.
    ///
    /// # Errors
    ///
    /// When no unit with this name is running.
    pub fn by_unit(&self, given: &str) -> Result<Vec<Found>, CgroupError> {
        let wanted = if is_unit(given) || given.ends_with(".slice") {
            given.to_owned()
        } else {
            format!("{given}.service")
        };
        let template = wanted.split_once("@.");
        let all = self.all();
        let unit_of = |path: &str| {
            path.rsplit('/')
                .next()
                .map_or("", unescape_cgroup)
                .to_owned()
        };
        let found: Vec<Found> = all
            .iter()
            .filter(|(_, path)| {
                let name = unit_of(path);
                let instance = template.is_some_and(|(stem, suffix)| {
                    let rest = name
                        .strip_prefix(stem)
                        .and_then(|rest| rest.strip_prefix('@'));
                    rest.is_some_and(|rest| rest.ends_with(&format!(".{suffix}")))
                });
                name == wanted || instance
            })
            .map(|(id, path)| self.found(*id, path))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let units: Vec<String> = all.iter().map(|(_, path)| unit_of(path)).collect();
        let units = units.iter().map(String::as_str);
        let units = units.filter(|name| is_unit(name) || name.ends_with(".slice"));
        Err(CgroupError::NoUnit {
            installed: is_installed(&wanted),
            nearest: nearest(&wanted, units).map(str::to_owned),
            given: wanted,
        })
    }

    /// The cgroups of the container whose id begins with this or, if the runtime uses names, that
    /// has this name.
    ///
    /// # Errors
    ///
    /// When there is none, or more than one.
    pub fn by_container(&self, given: &str) -> Result<Vec<Found>, CgroupError> {
        let mut running: Vec<(String, String, Found)> = Vec::new();
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
                running.push((container.id, shown, self.found(id, &path)));
            }
        }
        let shown = |matching: &dyn Fn(&str) -> bool| {
            let matching = running.iter().filter(|(id, ..)| matching(id));
            let mut shown: Vec<String> = matching.map(|(_, shown, _)| shown.clone()).collect();
            shown.sort();
            shown.dedup();
            shown
        };
        let exact = running.iter().any(|(id, ..)| id == given);
        let matches = |id: &str| {
            if exact {
                id == given
            } else {
                !given.is_empty() && id.starts_with(given)
            }
        };
        let candidates = shown(&matches);
        match candidates.len() {
            1 => Ok(running
                .iter()
                .filter(|(id, ..)| matches(id))
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

/// Whether systemd has a unit file for this unit or for its template (systemd.unit(5)).
fn is_installed(unit: &str) -> bool {
    if unit.contains('/') {
        return false;
    }
    let template = unit.split_once('@').and_then(|(stem, instance)| {
        let (_, suffix) = instance.rsplit_once('.')?;
        Some(format!("{stem}@.{suffix}"))
    });
    [
        "/etc/systemd",
        "/run/systemd",
        "/usr/lib/systemd",
        "/lib/systemd",
    ]
    .iter()
    .flat_map(|place| ["system", "user"].map(|manager| Path::new(place).join(manager)))
    .any(|place| {
        place.join(unit).exists()
            || template
                .as_ref()
                .is_some_and(|unit| place.join(unit).exists())
    })
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
    fn a_unit_is_found_by_name_template_and_in_nested_managers() {
        let Some(cgroups) = cgroups() else { return };
        let own = std::process::id();
        let slice = format!("capable-unit-{own}.slice");
        let place = |name: &str| Made::new(&cgroups, &format!("{slice}/{name}"));
        let unit = format!("capable-unit-{own}");
        let Some(one) = place(&format!("{unit}.service")) else {
            return;
        };
        let two = place(&format!("user@1.service/app.slice/{unit}.service")).unwrap();
        let a = place(&format!("{unit}@a.service")).unwrap();
        let ids = |name: &str| {
            let mut ids: Vec<u64> = cgroups
                .by_unit(name)
                .unwrap()
                .iter()
                .map(|found| found.id)
                .collect();
            ids.sort_unstable();
            ids
        };
        let mut both = [one.id(), two.id()];
        both.sort_unstable();
        assert_eq!(ids(&unit), both);
        assert_eq!(ids(&format!("{unit}@.service")), [a.id()]);
        assert_eq!(ids(&format!("{unit}@")), [a.id()]);
        assert_eq!(ids(&slice).len(), 1);
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
        let error = cgroups.by_container("web").unwrap_err().to_string();
        assert!(error.contains("ab12f0e4c0a2 (docker)"), "{error}");
    }
}
