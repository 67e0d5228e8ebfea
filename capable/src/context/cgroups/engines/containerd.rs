//! containerd: a bundle for each task, in a folder for each namespace. Of a container that was not
//! made for Kubernetes, only the id is outside of its database.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::{Kept, file};
use crate::context::cgroups::container::Runtime;

/// Where it keeps bundles; the second is that of k3s and RKE2.
const PLACES: [&str; 2] = [
    "run/containerd/io.containerd.runtime.v2.task",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
];

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
    let bundle: Bundle = namespaces
        .map(|(_, namespace)| namespace.join(id).join("config.json"))
        .find_map(|path| file::json(&path))?;
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
        id: id.to_owned(),
        name: of_kubernetes("container-name").or_else(|| file::name(id)),
        image: of_kubernetes("image-name"),
        pod,
        runtime: Runtime::Containerd,
    })
}
