//! The runtimes that engines, or users by hand, let make containers: crun and runc keep a folder for
//! each, with a file that says which cgroup it has.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{file, file::Cached};
use crate::context::cgroups::container::Runtime;

/// Where folders of containers are, and how many folders are between.
const PLACES: [(&str, usize, Runtime); 5] = [
    ("run/crun", 0, Runtime::Crun),
    ("run/runc", 0, Runtime::Runc),
    ("run/containerd/runc", 1, Runtime::Runc),
    ("run/docker/runtime-runc", 1, Runtime::Runc),
    ("run/k3s/containerd/runc", 1, Runtime::Runc),
];

/// The mount point in the paths of runc.
const MOUNT: &str = "/sys/fs/cgroup";

/// A container, as its runtime keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub id: String,
    pub runtime: Runtime,
    /// The path of its cgroup in the hierarchy.
    pub cgroup: String,
}

/// `libcrun_container_status_t`, written by src/libcrun/status.c of crun, 0.17 to 1.21.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CrunStatus {
    cgroup_path: String,
    /// The unit, if systemd made it. Below it there may be a cgroup for the container.
    #[serde(default)]
    scope: Option<String>,
}

/// `BaseState` and `State` in libcontainer/container_linux.go of runc, 1.0 to 1.2.
#[derive(Deserialize)]
struct RuncState {
    /// By controller. That of the version 2 hierarchy has no name.
    cgroup_paths: HashMap<String, String>,
}

/// What the runtimes' files said when they were last read.
#[derive(Debug)]
pub(super) struct Runtimes {
    root: PathBuf,
    known: Cached<State>,
}

impl Runtimes {
    pub(super) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            known: Cached::default(),
        }
    }

    /// Reads what is not as it was.
    pub(super) fn refresh(&mut self) {
        let mut files = Vec::new();
        for (place, between, runtime) in PLACES {
            let mut folders = vec![(String::new(), self.root.join(place))];
            for _ in 0..=between {
                folders = folders
                    .iter()
                    .flat_map(|(_, folder)| file::entries(folder))
                    .collect();
            }
            let name = match runtime {
                Runtime::Crun => "status",
                _ => "state.json",
            };
            let folders = folders.into_iter();
            files.extend(folders.map(|(id, folder)| (folder.join(name), (id, runtime))));
        }
        self.known
            .refresh(files.into_iter(), |path, (id, runtime)| {
                let cgroup = cgroup(runtime, path)?;
                Some(State {
                    id,
                    runtime,
                    cgroup,
                })
            });
    }

    /// The container with this cgroup, or with the innermost one above it.
    pub(super) fn by_cgroup(&self, path: &str) -> Option<&State> {
        let states = self.known.values();
        states
            .filter(|state| is_at_or_below(path, &state.cgroup))
            .max_by_key(|state| state.cgroup.len())
    }
}

fn is_at_or_below(path: &str, above: &str) -> bool {
    let below = path.strip_prefix(above);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// The cgroup in a runtime's file.
fn cgroup(runtime: Runtime, path: &Path) -> Option<String> {
    let cgroup = if runtime == Runtime::Crun {
        let CrunStatus { cgroup_path, scope } = file::json(path)?;
        let scope = scope.filter(|scope| !scope.is_empty());
        match scope.and_then(|scope| Some(cgroup_path.find(&format!("/{scope}"))? + scope.len())) {
            Some(end) => cgroup_path[..=end].to_owned(),
            None => cgroup_path,
        }
    } else {
        let RuncState { cgroup_paths } = file::json(path)?;
        cgroup_paths.get("")?.strip_prefix(MOUNT)?.to_owned()
    };
    // One whose cgroup is the root has none of its own.
    (cgroup.starts_with('/') && cgroup.len() > 1).then_some(cgroup)
}
