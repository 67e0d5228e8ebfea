//! What the engines and runtimes of containers keep on disk of those that they run.
//!
//! A cgroup's path holds an id at most. What users call a container, its image and its pod are in
//! files that only root may write, at fixed places. They are read as they are: no engine is asked,
//! because its answer would be another program's and may take for ever. A file that somebody else
//! may write is not read.

mod bundle;
mod containerd;
mod docker;
mod file;
mod named;
mod runtimes;
mod storage;

use std::path::{Path, PathBuf};

use super::container::Runtime;
pub(crate) use named::{Awaited, Named};
use runtimes::Runtimes;
use storage::Storage;

/// What is kept of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What its engine calls it.
    pub id: String,
    /// What users call it.
    pub name: Option<String>,
    /// The image that it was made from.
    pub image: Option<String>,
    /// The pod that it is in, behind its namespace.
    pub pod: Option<String>,
    /// The program that made it.
    pub runtime: Runtime,
}

/// The places where engines keep what they know.
#[derive(Debug)]
pub(super) struct Engines {
    root: PathBuf,
    runtimes: Runtimes,
    storage: Storage,
}

impl Engines {
    /// Those of a system with this root directory.
    pub(super) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            runtimes: Runtimes::below(root),
            storage: Storage::below(root),
        }
    }

    /// Looks at what is there now.
    pub(super) fn refresh(&mut self) {
        self.runtimes.refresh();
        self.storage.refresh();
    }

    /// The container whose runtime says that its cgroup is this one or above it, and the path of
    /// that cgroup.
    pub(super) fn by_cgroup(&self, path: &str) -> Option<(Kept, &str)> {
        let state = self.runtimes.by_cgroup(path)?;
        let kept = self.by_id(&state.id).unwrap_or_else(|| Kept {
            id: state.id.clone(),
            name: Some(state.id.clone()),
            image: None,
            pod: None,
            runtime: state.runtime,
        });
        Some((kept, &state.cgroup))
    }

    /// What an engine keeps of the container with this id, which must be the name of a file.
    pub(super) fn by_id(&self, id: &str) -> Option<Kept> {
        docker::by_id(&self.root, id)
            .or_else(|| self.storage.by_id(id))
            .or_else(|| containerd::by_id(&self.root, id))
    }
}

#[cfg(test)]
mod tests;
