//! Finds the ids of containers by what users call them, whether they run or not.
//!
//! Engines write down the name of a container before they make its cgroup. Whoever waits for the
//! container looks at the same places whenever something changes in them.

use std::path::{Path, PathBuf};

use super::file::{self, Cached};
use super::storage::{self, Storage};
use super::{Kept, bundle, containerd, docker};

/// A container that may be to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Awaited {
    /// What its engine keeps of it.
    pub kept: Kept,
    /// The path of the cgroup that its runtime is told to make, if that is known and systemd does not
    /// make it.
    pub cgroup: Option<String>,
}

/// The containers that engines keep, running or not.
#[derive(Debug)]
pub(crate) struct Named {
    root: PathBuf,
    docker: Cached<Kept>,
    containerd: Cached<Kept>,
    storage: Storage,
}

impl Named {
    /// Those of a system with this root directory.
    pub(crate) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            docker: Cached::default(),
            containerd: Cached::default(),
            storage: Storage::below(root),
        }
    }

    /// Looks at what is there now.
    pub(crate) fn refresh(&mut self) {
        let folders = file::entries(&self.root.join(docker::PLACE));
        let files = folders.map(|(id, folder)| (docker::file_of(&folder), id));
        self.docker.refresh(files, docker::read);
        let namespaces = containerd::PLACES
            .iter()
            .flat_map(|place| file::entries(&self.root.join(place)))
            // Docker's are named in its own files.
            .filter(|(namespace, _)| namespace != containerd::DOCKERS);
        let folders = namespaces.flat_map(|(_, namespace)| file::entries(&namespace));
        let files = folders.map(|(id, folder)| (containerd::file_of(&folder), id));
        self.containerd.refresh(files, containerd::read);
        self.storage.refresh();
    }

    /// The containers with this name or id.
    pub(crate) fn of(&self, given: &str) -> Vec<Awaited> {
        let all = self.docker.values().chain(self.containerd.values());
        let all = all.chain(self.storage.all());
        let named = all.filter(|kept| kept.id == given || kept.name.as_deref() == Some(given));
        let awaited = named.map(|kept| {
            let bundles = bundle::files(&self.root, kept);
            Awaited {
                kept: kept.clone(),
                cgroup: bundles.iter().find_map(|path| bundle::cgroup(path)),
            }
        });
        awaited.collect()
    }

    /// The directories in which something changes when a container is made, and when it is told
    /// where the cgroups of these will be. Of what does not exist yet, the directory in which it will
    /// be made.
    pub(crate) fn watched<'a>(&self, awaited: impl Iterator<Item = &'a Awaited>) -> Vec<PathBuf> {
        let mut watched = Vec::new();
        let places = containerd::PLACES.iter().map(|place| (*place, 2));
        let places = places.chain(storage::PLACES.iter().map(|(place, _)| (*place, 1)));
        for (place, levels) in places.chain([(docker::PLACE, 1)]) {
            let place = self.root.join(place);
            let there = place.ancestors().find(|path| path.is_dir());
            watched.extend(there.map(Path::to_owned));
            let mut folders = vec![place];
            for _ in 0..levels {
                folders = folders.iter().flat_map(|at| subfolders(at)).collect();
                watched.extend(folders.iter().cloned());
            }
        }
        for path in awaited.flat_map(|one| bundle::files(&self.root, &one.kept)) {
            let there = path.ancestors().skip(1).find(|path| path.is_dir());
            watched.extend(there.map(Path::to_owned));
        }
        watched
    }
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = file::entries(folder).map(|(_, path)| path);
    entries.filter(|path| path.is_dir()).collect()
}
