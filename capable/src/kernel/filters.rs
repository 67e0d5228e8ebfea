//! What the user asked to see, as the kernel side takes it: constants and tables.

use aya::maps::{Array, HashMap, MapData, MapError};
use capable_common::{CommPattern, Config, MAX_ANCESTORS, MAX_COMM_PATTERNS, NamespaceFilter};
use thiserror::Error;

use super::object::{Object, ObjectError};
use crate::capability::CapabilitySet;

/// What to keep. An empty list keeps all.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// Processes, as the initial pid namespace numbers them.
    pub pids: Vec<u32>,
    /// Threads, as the initial pid namespace numbers them.
    pub tids: Vec<u32>,
    /// Real user ids.
    pub users: Vec<u32>,
    /// Patterns of names, compiled by [`super::glob::compile`].
    pub comms: Vec<CommPattern>,
    /// Capabilities; `None` keeps all, those without a name too.
    pub capabilities: Option<CapabilitySet>,
    /// Drop what was denied, or what was granted.
    pub result: Results,
    /// Cgroups and all below them.
    pub cgroups: Vec<Cgroup>,
    /// User namespaces.
    pub user_namespaces: Vec<u32>,
    /// Mount namespaces.
    pub mount_namespaces: Vec<u32>,
    /// Pid namespaces.
    pub pid_namespaces: Vec<u32>,
}

/// A cgroup of the version 2 hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// Its id: the inode number of its directory.
    pub id: u64,
    /// How deep it lies; the root is 0.
    pub level: u32,
}

/// Which results to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Results {
    /// Both.
    #[default]
    All,
    /// Granted only.
    Granted,
    /// Denied only.
    Denied,
}

/// A filter that the kernel side cannot take.
#[derive(Debug, Error)]
pub enum FilterError {
    /// There are too many patterns of names.
    #[error(
        "the patterns of names are too long together: at most {MAX_COMM_PATTERNS} × 64 characters"
    )]
    TooManyPatterns,
    /// A cgroup lies too deep.
    #[error("the cgroup lies {0} levels deep; at most {last} can be filtered", last = MAX_ANCESTORS - 1)]
    TooDeep(u32),
    /// A table could not be filled.
    #[error("cannot fill the table {0}: {1}")]
    Table(&'static str, MapError),
    /// The object has no such table.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl Filters {
    /// Sets the constants of a configuration.
    ///
    /// # Errors
    ///
    /// A filter is larger than the kernel side can take.
    pub fn configure(&self, config: &mut Config) -> Result<(), FilterError> {
        let Self {
            pids,
            tids,
            users,
            comms,
            capabilities,
            result,
            cgroups,
            user_namespaces,
            mount_namespaces,
            pid_namespaces,
        } = self;
        match pids[..] {
            [] => {}
            [only] if config.follow == 0 => config.only_pid = only,
            _ => config.pids = 1,
        }
        config.tids = u8::from(!tids.is_empty());
        config.users = u8::from(!users.is_empty());
        if comms.len() > MAX_COMM_PATTERNS {
            return Err(FilterError::TooManyPatterns);
        }
        config.comms = comms.len() as u8;
        config.capabilities = capabilities.map_or(u64::MAX, CapabilitySet::bits);
        config.results = match result {
            Results::All => 3,
            Results::Granted => 1,
            Results::Denied => 2,
        };
        for cgroup in cgroups {
            if cgroup.level as usize >= MAX_ANCESTORS {
                return Err(FilterError::TooDeep(cgroup.level));
            }
            config.cgroup_levels |= 1 << cgroup.level;
        }
        let flag = |list: &[u32]| u8::from(!list.is_empty());
        config.namespaces = NamespaceFilter {
            user: flag(user_namespaces),
            mount: flag(mount_namespaces),
            pid: flag(pid_namespaces),
            reserved: 0,
        };
        Ok(())
    }

    /// Fills the tables of an object.
    ///
    /// # Errors
    ///
    /// A table cannot be filled.
    pub fn fill(&self, object: &mut Object) -> Result<(), FilterError> {
        fill(object, "TIDS", &self.tids)?;
        fill(object, "USERS", &self.users)?;
        let cgroups: Vec<u64> = self.cgroups.iter().map(|cgroup| cgroup.id).collect();
        fill(object, "CGROUPS", &cgroups)?;
        let namespaces = [
            &self.user_namespaces[..],
            &self.mount_namespaces,
            &self.pid_namespaces,
        ]
        .concat();
        fill(object, "NAMESPACES", &namespaces)?;
        if !self.comms.is_empty() {
            let mut table: Array<&mut MapData, Pattern> = object.map("COMMS")?;
            for (index, pattern) in (0..).zip(&self.comms) {
                table
                    .set(index, Pattern(*pattern), 0)
                    .map_err(|error| FilterError::Table("COMMS", error))?;
            }
        }
        Ok(())
    }
}

/// Fills a table of keys.
fn fill<K: aya::Pod>(
    object: &mut Object,
    name: &'static str,
    keys: &[K],
) -> Result<(), FilterError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut table: HashMap<&mut MapData, K, u32> = object.map(name)?;
    for key in keys {
        table
            .insert(key, 1, 0)
            .map_err(|error| FilterError::Table(name, error))?;
    }
    Ok(())
}

/// A pattern, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pattern(CommPattern);

// SAFETY: the pattern is made of integers and has no padding.
unsafe impl aya::Pod for Pattern {}
