//! The storage of podman and CRI-O: one list of containers for each driver of layers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Kept, file, file::Version};
use crate::context::cgroups::container::Runtime;

/// Where lists are. The second has those of containers that go when they end or at the next boot
/// (`volatile-containers.json`, containers.go in containers/storage 1.48).
pub(super) const PLACES: [(&str, &str); 2] = [
    ("var/lib/containers/storage", "containers.json"),
    ("run/containers/storage", "volatile-containers.json"),
];

/// `Container` in containers.go of containers/storage, 1.24 to 1.57.
#[derive(Deserialize)]
struct Container {
    id: String,
    #[serde(default)]
    names: Vec<String>,
    /// JSON, of whoever made the container.
    #[serde(default)]
    metadata: String,
}

/// `RuntimeContainerMetadata` in libpod/storage.go of podman and internal/storage/runtime.go of
/// CRI-O.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Metadata {
    image_name: String,
    /// Only CRI-O's.
    pod_name: Option<String>,
}

/// What the lists said when they were last read.
#[derive(Debug)]
pub(super) struct Storage {
    root: PathBuf,
    lists: HashMap<PathBuf, List>,
}

#[derive(Debug)]
struct List {
    version: Version,
    containers: HashMap<String, Kept>,
}

impl Storage {
    pub(super) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            lists: HashMap::new(),
        }
    }

    /// Reads those lists that are not as they were.
    pub(super) fn refresh(&mut self) {
        self.lists.retain(|path, _| path.exists());
        for (driver, list) in drivers(&self.root) {
            let path = driver.join(list);
            let Some(version) = Version::now(&path) else {
                continue;
            };
            let known = self.lists.get(&path);
            if known.is_some_and(|list| list.version == version) {
                continue;
            }
            // What is being written will be read when it is complete.
            if let Some(read) = file::json::<Vec<Container>>(&path) {
                let containers = read.into_iter().map(|one| (one.id.clone(), kept(one)));
                let containers = containers.collect();
                let list = List {
                    version,
                    containers,
                };
                self.lists.insert(path, list);
            }
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.lists
            .values()
            .flat_map(|list| list.containers.values())
    }

    pub(super) fn by_id(&self, id: &str) -> Option<Kept> {
        let mut lists = self.lists.values();
        lists.find_map(|list| list.containers.get(id).cloned())
    }
}

/// The folders of the containers of each driver, and what the list in each is called.
pub(super) fn drivers(root: &Path) -> impl Iterator<Item = (PathBuf, &'static str)> {
    PLACES.iter().flat_map(move |(place, list)| {
        let drivers = file::entries(&root.join(place));
        let drivers = drivers.filter(|(name, _)| name.ends_with("-containers"));
        drivers.map(move |(_, driver)| (driver, *list))
    })
}

fn kept(container: Container) -> Kept {
    let Container {
        id,
        names,
        metadata,
    } = container;
    let Metadata {
        image_name,
        pod_name,
    } = serde_json::from_str(&metadata).unwrap_or_default();
    Kept {
        name: names.first().and_then(|name| file::name(name)),
        image: file::name(&image_name),
        runtime: match pod_name {
            Some(_) => Runtime::CriO,
            None => Runtime::Podman,
        },
        pod: pod_name.and_then(|name| file::name(&name)),
        id,
    }
}
