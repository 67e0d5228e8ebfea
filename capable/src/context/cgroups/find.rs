//! Finds cgroups by what a user calls them.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::engines::Engines;
use super::identify::identified;
use super::{CgroupError, Cgroups, Container, Runtime};
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

    /// The cgroups of the container with this name or id, or whose id begins with this. Those that a
    /// unit or another container made are taken only if there is no other, or if that is given too:
    /// `user@1000.service/ID`.
    ///
    /// # Errors
    ///
    /// When there is none, or more than one.
    pub fn by_container(&self, given: &str) -> Result<Vec<Found>, CgroupError> {
        let running = self.containers();
        let name = |one: &Container| one.name.as_deref() == Some(given) && !one.is_behind();
        let whole = |one: &Container| one.id == given;
        let begins =
            |one: &Container| one.has_digits() && !given.is_empty() && one.id.starts_with(given);
        let bare = |one: &Container| one.bare_id() == given;
        let beginning = |one: &Container| {
            one.has_digits() && !given.is_empty() && one.bare_id().starts_with(given)
        };
        let ways: [&dyn Fn(&Container) -> bool; 5] = [&whole, &name, &begins, &bare, &beginning];
        let any = |matches: &&dyn Fn(&Container) -> bool| {
            running.iter().any(|(container, _)| matches(container))
        };
        let matches = ways.into_iter().find(any).unwrap_or(&whole);
        let shown = |matching: &dyn Fn(&Container) -> bool| {
            let matching = running.iter().filter(|(one, _)| matching(one));
            let shown: BTreeSet<String> = matching.map(|(one, _)| told(one)).collect();
            shown.into_iter().collect::<Vec<_>>()
        };
        let candidates = shown(matches);
        match candidates.len() {
            1 => Ok(running
                .iter()
                .filter(|(container, _)| matches(container))
                .map(|(_, found)| found.clone())
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

    /// The containers that run, each with its own cgroup and not those below it.
    fn containers(&self) -> Vec<(Container, Found)> {
        let mut engines = Engines::below(Path::new("/"));
        engines.refresh();
        let mut running = Vec::new();
        for (id, path) in self.all() {
            let depth = path.split('/').filter(|name| !name.is_empty()).count();
            if let Some(container) = identified(&engines, &path).container
                && container.depth == depth
            {
                running.push((container, self.found(id, &path)));
            }
        }
        running
    }

    /// The ids and paths of all cgroups.
    pub(super) fn all(&self) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        self.tree.walk(|id, path| all.push((id, path.to_owned())));
        all
    }

    pub(super) fn found(&self, id: u64, path: &str) -> Found {
        Found {
            id,
            directory: self.tree.directory(path),
            path: path.to_owned(),
        }
    }
}

/// A container, as a message names it.
fn told(container: &Container) -> String {
    let runtime = container.runtime.map_or("runtime unknown", Runtime::name);
    let name = container.name.as_deref();
    match name.filter(|name| *name != container.id) {
        Some(name) => format!("{} ({runtime} {name})", container.short_id()),
        None => format!("{} ({runtime})", container.short_id()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Made, cgroups};

    const ID: &str = "ab12f0e4c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";

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
