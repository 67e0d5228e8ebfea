//! Bundles: what an engine lets a runtime make a container of. It is written before the cgroup is
//! made, and says where that will be.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Kept, containerd, file, storage};
use crate::context::cgroups::container::Runtime;

/// `config.json` (config-linux.md of the OCI runtime specification).
#[derive(Deserialize)]
struct Bundle {
    linux: Linux,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Linux {
    cgroups_path: String,
}

/// Where the bundle of a container may be.
pub(super) fn files(root: &Path, container: &Kept) -> Vec<PathBuf> {
    let id = &container.id;
    match container.runtime {
        Runtime::Podman | Runtime::CriO => {
            let drivers = storage::drivers(root).map(|(driver, _)| driver);
            let folders = drivers.map(|driver| driver.join(id).join("userdata"));
            folders.map(|folder| folder.join("config.json")).collect()
        }
        Runtime::Docker => {
            let folders = containerd::PLACES.iter().map(|place| root.join(place));
            let folders = folders.map(|place| place.join(containerd::DOCKERS).join(id));
            folders.map(|folder| containerd::file_of(&folder)).collect()
        }
        _ => {
            let namespaces = containerd::PLACES
                .iter()
                .flat_map(|place| file::entries(&root.join(place)));
            let folders = namespaces.map(|(_, namespace)| namespace.join(id));
            folders.map(|folder| containerd::file_of(&folder)).collect()
        }
    }
}

/// The path of the cgroup that a runtime is told to make itself; `None` if systemd makes it, or if
/// the path is not one that a cgroup has.
pub(super) fn cgroup(path: &Path) -> Option<String> {
    let Bundle { linux } = file::json(path)?;
    let path = linux.cgroups_path;
    let mut names = path.strip_prefix('/')?.split('/');
    let is_whole = names.all(|name| !matches!(name, "" | "." | ".."));
    is_whole.then_some(path)
}
