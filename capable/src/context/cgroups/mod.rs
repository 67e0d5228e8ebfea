//! Cgroups by the id that the kernel sends with each check (`bpf_get_current_cgroup_id`): the
//! number of the directory's inode in the version 2 hierarchy, 64 bits, never used twice.
//!
//! Each id is resolved once. With CAP_DAC_READ_SEARCH the kernel opens the directory by its id, in
//! microseconds, even if the process has ended. Without it the tree is walked, which takes up at
//! most a twentieth of the run time. A removed cgroup keeps the name that it had.

pub(crate) mod awaited;
mod container;
mod engines;
mod error;
mod files;
mod find;
mod follow;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod handle;
mod identify;
mod names;
mod path;
mod pattern;
mod tree;
mod units;

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

pub use container::{Container, Runtime};
use engines::Engines;
pub(crate) use engines::{Awaited, Named};
pub use error::CgroupError;
pub(crate) use files::load_path;
pub use find::{CgroupName, Found};
use handle::Opened;
use identify::Unsettled;
pub use path::Cgroup;
pub(crate) use pattern::Pattern;
use tree::Tree;
pub(crate) use units::UnitName;

use super::ids::IdMap;

/// The number of cgroups that are remembered before removed ones are forgotten.
const LIMIT: usize = 4096;
/// The shortest pause between two walks through the tree.
const WALK_INTERVAL: Duration = Duration::from_millis(250);

/// The cgroups of the version 2 hierarchy.
#[derive(Debug)]
pub struct Cgroups {
    tree: Tree,
    known: IdMap<u64, Cgroup>,
    /// Ids of cgroups that no longer exist.
    gone: HashSet<u64>,
    limit: usize,
    by_handle: bool,
    next_walk: Instant,
    engines: Engines,
    /// Cgroups that may turn out to be a container's: some runtimes write down which one they made
    /// when there are processes in it.
    unsettled: IdMap<u64, Unsettled>,
}

impl Cgroups {
    /// Finds the hierarchy. Reads nothing of it yet.
    ///
    /// # Errors
    ///
    /// When none is mounted, or it cannot be opened.
    pub fn open() -> Result<Self, CgroupError> {
        let tree = Tree::open()?;
        // If this works at all, the root can be opened. Kernels before 5.5 do not know this form of
        // handle (fs/kernfs/mount.c).
        let by_handle = matches!(tree.open_by_id(tree.root_id()), Opened::Path(_));
        Ok(Self {
            tree,
            known: IdMap::default(),
            gone: HashSet::new(),
            limit: LIMIT,
            by_handle,
            next_walk: Instant::now(),
            engines: Engines::below(Path::new("/")),
            unsettled: IdMap::default(),
        })
    }

    /// Reads the names of all existing cgroups, so that those removed later have a name.
    pub fn learn_all(&mut self) {
        let started = Instant::now();
        self.engines.refresh();
        for (id, path) in self.all() {
            if !self.known.contains_key(&id) {
                self.learn(id, &path);
            }
        }
        self.next_walk = Instant::now() + WALK_INTERVAL.max(20 * started.elapsed());
    }

    /// The cgroup with this id; `None` if it was removed before it was first looked up.
    ///
    /// Does not allocate for an id that was looked up before.
    pub fn get(&mut self, id: u64) -> Option<&Cgroup> {
        if !self.known.contains_key(&id) {
            self.look_for(id);
        } else if !self.unsettled.is_empty() {
            self.look_again(id);
        }
        self.known.get(&id)
    }

    fn look_for(&mut self, id: u64) {
        if self.gone.contains(&id) {
            return;
        }
        if self.known.len() >= self.limit {
            self.known
                .retain(|_, cgroup| self.tree.exists(&cgroup.path));
            self.unsettled.retain(|id, _| self.known.contains_key(id));
            self.limit = LIMIT.max(2 * self.known.len());
        }
        if self.by_handle {
            match self.tree.open_by_id(id) {
                Opened::Path(path) => {
                    self.engines.refresh();
                    self.learn(id, &path);
                }
                Opened::Gone => self.forget(id),
                // The privileges for this were dropped.
                Opened::Refused => self.by_handle = false,
            }
        }
        if !self.by_handle && Instant::now() >= self.next_walk {
            self.learn_all();
            if !self.known.contains_key(&id) {
                self.forget(id);
            }
        }
    }

    /// Ids are never reused, so a cgroup that does not exist now never will.
    fn forget(&mut self, id: u64) {
        if self.gone.len() >= LIMIT {
            self.gone.clear();
        }
        self.gone.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    /// A cgroup that is removed when dropped.
    pub(super) struct Made(std::path::PathBuf);

    impl Made {
        /// `None` if cgroups cannot be created: not root, or no version 2 hierarchy.
        pub(super) fn new(cgroups: &Cgroups, path: &str) -> Option<Self> {
            let made = Self(cgroups.tree.mount().join(path));
            match fs::create_dir_all(&made.0) {
                Ok(()) => Some(made),
                Err(error) => {
                    eprintln!("cannot make {}: {error}: not tested", made.0.display());
                    None
                }
            }
        }

        pub(super) fn id(&self) -> u64 {
            fs::metadata(&self.0).unwrap().ino()
        }
    }

    impl Drop for Made {
        fn drop(&mut self) {
            let mut path = self.0.as_path();
            while fs::remove_dir(path).is_ok() {
                path = path.parent().unwrap();
            }
        }
    }

    pub(super) fn cgroups() -> Option<Cgroups> {
        match Cgroups::open() {
            Ok(cgroups) => Some(cgroups),
            Err(error) => {
                eprintln!("{error}: not tested");
                None
            }
        }
    }

    #[test]
    fn a_cgroup_that_is_made_later_is_found_and_keeps_its_name_when_it_is_removed() {
        for by_handle in [true, false] {
            let Some(mut cgroups) = cgroups() else { return };
            cgroups.by_handle &= by_handle;
            cgroups.learn_all();
            cgroups.next_walk = Instant::now();
            let name = format!("capable-test-{}-{by_handle}.service", std::process::id());
            let Some(made) = Made::new(&cgroups, &name) else {
                return;
            };
            let id = made.id();
            assert_eq!(cgroups.get(id).unwrap().unit.as_ref(), Some(&name));
            drop(made);
            assert_eq!(cgroups.get(id).unwrap().path, format!("/{name}"));
        }
    }

    #[test]
    fn a_cgroup_that_is_called_deleted_is_not_taken_for_another() {
        for by_handle in [true, false] {
            let Some(mut cgroups) = cgroups() else { return };
            cgroups.by_handle &= by_handle;
            cgroups.next_walk = Instant::now();
            let name = format!("capable-test-{} (deleted)", std::process::id());
            let Some(made) = Made::new(&cgroups, &name) else {
                return;
            };
            assert_eq!(cgroups.get(made.id()).unwrap().path, format!("/{name}"));
        }
    }

    #[test]
    fn a_cgroup_that_is_gone_has_no_name_and_costs_no_second_look() {
        for by_handle in [true, false] {
            let Some(mut cgroups) = cgroups() else { return };
            cgroups.by_handle &= by_handle;
            assert_eq!(cgroups.get(u64::MAX - 7), None);
            assert!(cgroups.gone.contains(&(u64::MAX - 7)), "{by_handle}");
        }
    }

    #[test]
    fn the_root_is_known() {
        let Some(mut cgroups) = cgroups() else { return };
        let id = cgroups.tree.root_id();
        assert_eq!(cgroups.get(id).unwrap().path, "/");
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let effective = status
            .lines()
            .find_map(|line| line.strip_prefix("CapEff:\t"));
        let effective = u64::from_str_radix(effective.unwrap(), 16).unwrap();
        let may_open_by_handle = effective & 1 << 2 != 0; // CAP_DAC_READ_SEARCH
        assert_eq!(cgroups.by_handle, may_open_by_handle);
    }
}
