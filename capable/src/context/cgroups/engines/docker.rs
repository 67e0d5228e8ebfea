//! Docker: one folder for each container, in its data root.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Kept, file};
use crate::context::cgroups::container::Runtime;

/// Where its folders are.
pub(super) const PLACE: &str = "var/lib/docker/containers";

/// `container.Container` in Docker's container/container.go, 20.10 to 28.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    /// With a slash before it.
    name: String,
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    /// As the user gave it.
    image: String,
}

/// What it keeps of the container with this id.
pub(super) fn by_id(root: &Path, id: &str) -> Option<Kept> {
    read(&file_of(&root.join(PLACE).join(id)), id.to_owned())
}

/// The file in a container's folder.
pub(super) fn file_of(folder: &Path) -> PathBuf {
    folder.join("config.v2.json")
}

/// What the file of the container with this id says.
pub(super) fn read(path: &Path, id: String) -> Option<Kept> {
    let container: Container = file::json(path)?;
    Some(Kept {
        id,
        name: file::name(container.name.trim_start_matches('/')),
        image: file::name(&container.config.image),
        pod: None,
        runtime: Runtime::Docker,
    })
}
