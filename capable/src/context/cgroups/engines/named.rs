//! Finds the ids of containers by what users call them, whether they run or not.
//!
//! Engines write down the name of a container before they make its cgroup. Whoever waits for the
//! container looks at the same places whenever something changes in them.

use std::path::{Path, PathBuf};

use super::file::{self, Cached};
use super::storage::{self, Storage};
use super::{Kept, containerd, docker};

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
            .filter(|(namespace, _)| namespace != "moby");
        let folders = namespaces.flat_map(|(_, namespace)| file::entries(&namespace));
        let files = folders.map(|(id, folder)| (containerd::file_of(&folder), id));
        self.containerd.refresh(files, containerd::read);
        self.storage.refresh();
    }

    /// The containers with this name or id.
    pub(crate) fn of(&self, given: &str) -> Vec<Kept> {
        let all = self.docker.values().chain(self.containerd.values());
        let all = all.chain(self.storage.all());
        let named = all.filter(|kept| kept.id == given || kept.name.as_deref() == Some(given));
        named.cloned().collect()
    }

    /// The directories in which something changes when a container is made. Of what does not exist
    /// yet, the directory in which it will be made.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
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
        watched
    }
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = file::entries(folder).map(|(_, path)| path);
    entries.filter(|path| path.is_dir()).collect()
}
