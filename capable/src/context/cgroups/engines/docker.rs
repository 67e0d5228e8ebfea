//! Docker: one folder for each container, in its data root.

use std::path::Path;

use serde::Deserialize;

use super::{Kept, file};
use crate::context::cgroups::container::Runtime;

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
    let folder = root.join("var/lib/docker/containers").join(id);
    let container: Container = file::json(&folder.join("config.v2.json"))?;
    Some(Kept {
        id: id.to_owned(),
        name: file::name(container.name.trim_start_matches('/')),
        image: file::name(&container.config.image),
        pod: None,
        runtime: Runtime::Docker,
    })
}
