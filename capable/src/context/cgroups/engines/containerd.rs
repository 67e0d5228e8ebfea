//! containerd: a bundle for each task, in a folder for each namespace. Of a container that was not
//! made for Kubernetes, only the id is outside of its database.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Kept, file};
use crate::context::cgroups::container::Runtime;

/// Where it keeps bundles, in a folder for each namespace; the second is that of k3s and RKE2.
pub(super) const PLACES: [&str; 2] = [
    "run/containerd/io.containerd.runtime.v2.task",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
];

/// The namespace of Docker.
pub(super) const DOCKERS: &str = "moby";

/// `config.json` of a bundle (config.md of the OCI runtime specification).
#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    annotations: Option<HashMap<String, String>>,
}

/// What it keeps of the container with this id.
pub(super) fn by_id(root: &Path, id: &str) -> Option<Kept> {
    let namespaces = PLACES
        .iter()
        .flat_map(|place| file::entries(&root.join(place)));
    namespaces
        .map(|(_, namespace)| file_of(&namespace.join(id)))
        .find_map(|path| read(&path, id.to_owned()))
}

/// The file in a container's folder.
pub(super) fn file_of(folder: &Path) -> PathBuf {
    folder.join("config.json")
}

/// What the bundle of the container with this id says.
pub(super) fn read(path: &Path, id: String) -> Option<Kept> {
    let bundle: Bundle = file::json(path)?;
    let annotations = bundle.annotations.unwrap_or_default();
    // pkg/cri/annotations/annotations.go, 1.6 and 2.0
    let of_kubernetes = |key: &str| {
        let value = annotations.get(&format!("io.kubernetes.cri.{key}"))?;
        file::name(value)
    };
    let pod = of_kubernetes("sandbox-name").map(|pod| match of_kubernetes("sandbox-namespace") {
        Some(namespace) => format!("{namespace}/{pod}"),
        None => pod,
    });
    Some(Kept {
        name: of_kubernetes("container-name").or_else(|| file::name(&id)),
        id,
        image: of_kubernetes("image-name"),
        pod,
        runtime: Runtime::Containerd,
    })
}
